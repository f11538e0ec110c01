"""Operating what starts runs from events: what is held, who is next, what the report and the doctor say of it."""

import datetime
import functools
import json
import threading
import time

from .event_pair import deployed
from .execution import Inbox, Machine

# Longer than the intake's window and the machine's waits.
QUIET_SECONDS = 4


def statuses(pair):
    return [execution["status"] for execution in pair.executions()]


def retry(pair, tmp_path):
    retried = pair.command(tmp_path, "retry")
    assert retried.returncode == 0, retried.stderr
    return retried.stdout


def test_an_object_that_fails_again_and_again_makes_no_run_for_each_of_its_events(server, tmp_path):
    pair = deployed(server, "failing")
    inbox = Inbox(pair, "failing-inbox")
    s3, bucket = pair.client("s3"), pair.deployment.source_bucket
    for number in range(3):
        s3.put_object(Bucket=bucket, Key=pair.deployment.source_prefix + "cold", Body=b"x", StorageClass="GLACIER")
        if number == 0:
            pair.wait_until(lambda: statuses(pair) == ["FAILED"], "an INCOMPLETE run")
            assert pair.is_held()
    pair.put("warm")
    pair.wait_until(lambda: pair.waiting() != [], "what is held")
    time.sleep(QUIET_SECONDS)
    assert len(pair.executions()) == 1
    assert len(inbox.drain()) == 1
    retry(pair, tmp_path)
    pair.wait_until(lambda: "warm" in pair.target(), "what was held")
    pair.settle()
    assert len(pair.executions()) == 2


def test_a_nightly_run_gets_its_turn_under_a_steady_stream_of_events(server):
    pair = deployed(server, "steady")
    is_over = threading.Event()

    def stream():
        number = 0
        while not is_over.is_set():
            number += 1
            pair.put(f"stream/{number % 50}", str(number).encode())

    writer = threading.Thread(target=stream)
    writer.start()
    try:
        pair.wait_until(lambda: len(pair.runs_of_events()) > 3, "runs of events, one after the other")
        machine = Machine(pair.deployment, pair.outputs)
        arn = machine.start({}, "nightly")
        described = functools.partial(machine.states.describe_execution, executionArn=arn)
        pair.wait_until(
            lambda: has_its_turn(pair, arn) or described()["status"] != "RUNNING", "the turn of the nightly run"
        )
        noted_at = datetime.datetime.now(datetime.UTC)
        nightly = machine.wait(arn)
        ended = described()["stopDate"]
        pair.wait_until(
            lambda: any(one["startDate"] > ended for one in pair.executions()), "a run of events after the nightly one"
        )
    finally:
        is_over.set()
        writer.join()
    assert nightly.status == "SUCCEEDED", nightly.cause
    # A run that met nobody needs no turn: it held the lock from its beginning.
    since = noted_at if has_its_turn(pair, arn) else nightly.started_at
    meanwhile = [one for one in pair.executions() if since < one["startDate"] < ended]
    # One may hold the lock when the turn is written, and begin after that. Before that, as many begin as fit.
    assert len(meanwhile) <= 1, [one["name"] for one in meanwhile]
    assert pair.report("nightly")["started_by"] == "person"
    pair.catch_up()


def has_its_turn(pair, execution_arn):
    """Whether a run has noted that it is next."""
    found = pair.client("dynamodb").scan(TableName=pair.outputs["ledger_table"])["Items"]
    turns = [one for one in found if one["sk"]["S"].startswith("TURN#")]
    return any(one["execution_arn"]["S"] == execution_arn for one in turns)


def test_the_report_of_a_scheduled_run_says_so(server):
    pair = deployed(server, "scheduled")
    schedule = pair.client("scheduler").get_schedule(Name="scheduled-nightly")
    machine = Machine(pair.deployment, pair.outputs)
    nightly = machine.run(json.loads(schedule["Target"]["Input"]), "by-schedule")
    assert nightly.status == "SUCCEEDED", nightly.cause
    assert pair.report("by-schedule")["started_by"] == "schedule"


def test_dead_letters_of_any_size_are_put_back(server, tmp_path):
    """SQS takes so many bytes in a request, of ten messages together."""
    pair = deployed(server, "huge")
    dead, sqs = pair.outputs["events_dead_letters_url"], pair.client("sqs")
    keys = [f"huge/{number}" for number in range(12)]
    for number, key in enumerate(keys):
        event = {**pair.event(key, number), "padding": "x" * 200_000}
        sqs.send_message(QueueUrl=dead, MessageBody=json.dumps(event))
    pair.put_quietly(keys)
    redriven = pair.command(tmp_path, "redrive")
    assert redriven.returncode == 0, redriven.stderr
    assert "12 dead letters" in redriven.stdout
    pair.catch_up()
    assert pair.depth("events_dead_letters_url") == 0


def test_doctor_looks_at_what_starts_runs_from_events(server, tmp_path):
    pair = deployed(server, "examined-events")
    Inbox(pair, "examined-events-inbox")

    def levels(code):
        ran = pair.shardlift(tmp_path, "doctor", "--output", "json")
        assert ran.returncode == code, ran.stdout + ran.stderr
        return {one["check"]: one["level"] for one in json.loads(ran.stdout)["findings"]}

    checks = ("events", "events rule", "events queue", "events dead letters", "intake")
    found = levels(0)
    assert {check: found[check] for check in checks} == dict.fromkeys(checks, "ok")
    told = pair.shardlift(tmp_path, "doctor").stdout
    assert "No run starts by itself" not in told
    assert "Events alone start runs." in told
    assert pair.command(tmp_path, "off", "--yes").returncode == 0
    assert levels(0)["events"] == "note"
    rules = pair.client("events")
    rules.disable_rule(Name="examined-events-events")
    pair.client("sqs").send_message(QueueUrl=pair.outputs["events_dead_letters_url"], MessageBody="no event")
    found = levels(1)
    assert (found["events rule"], found["events dead letters"]) == ("problem", "problem")
