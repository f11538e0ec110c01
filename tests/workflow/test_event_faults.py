"""Runs of events that break, are stopped, or stand in the way of others: nothing is lost, no two runs write at once."""

import json
import re
import time
from collections import Counter

import pytest
from shardlift_local.server import Server, free_port

from .conftest import WAIT_SCALE
from .event_pair import deployed
from .execution import Inbox, Machine

HELD_KEY = "lists/events/waiting/.held"
# One copier, which writes two objects a second.
SLOW = {"CopierConcurrency": 1, "WritesPerSecondMax": 2}
# The reporter keeps trying for so long before a run breaks, and the intake hears of each end at once.
QUIET_SECONDS = 4


@pytest.fixture(scope="module")
def recorded_server(tmp_path_factory):
    """A server of its own, which records the requests of the functions."""
    folder = tmp_path_factory.mktemp("event-faults")
    server = Server(folder, free_port(), WAIT_SCALE, requests_path=folder / "requests.jsonl")
    server.start()
    yield server
    server.stop()


def statuses(pair):
    return Counter(execution["status"] for execution in pair.executions())


def wake(pair):
    """What ten minutes and the clock do: the last run holds nothing any more, and the intake looks at what waits."""
    pair.client("s3").delete_object(Bucket=pair.outputs["control_bucket"], Key=HELD_KEY)
    pair.send({"source": "aws.events", "detail-type": "Scheduled Event"})


def catch_up(pair):
    """Wakes until everything is copied."""
    deadline = time.monotonic() + 120
    while pair.target() != pair.source() or not pair.is_quiet():
        assert time.monotonic() < deadline, (pair.waiting(), statuses(pair))
        if not statuses(pair)["RUNNING"]:
            wake(pair)
        time.sleep(1)
    pair.settle()


def sessions_that_wrote(server, pair):
    """Who copied to the target, a name for each copy in the order of the copies."""
    bucket = f"/{pair.deployment.target_bucket}/"
    requests = (json.loads(line) for line in server.requests_path.read_text().splitlines())
    copies = [one for one in requests if "x-amz-copy-source" in one["headers"] and one["path"].startswith(bucket)]
    return [re.search(r"Credential=([^/]+)/", one["headers"]["authorization"])[1] for one in copies]


def assert_no_two_wrote_at_once(server, pair):
    """Each copier has credentials of its own, so of two that wrote at once one would come up again after the other."""
    sessions = sessions_that_wrote(server, pair)
    changes = [session for number, session in enumerate(sessions) if sessions[number - 1 : number] != [session]]
    assert len(changes) == len(set(sessions)), changes
    assert len(changes) > 1, "there was one writer alone"


def test_a_reporter_that_may_not_remove_the_events_makes_one_broken_run_and_loses_nothing(recorded_server, tmp_path):
    pair = deployed(recorded_server, "unremoved")
    inbox = Inbox(pair, "unremoved-inbox")
    with pair.without("RemoveTheEvents", "reporter", "reporter-of-events"):
        pair.put("first")
        pair.wait_until(lambda: statuses(pair)["FAILED"] == 1, "a run that breaks")
        pair.wait_until(pair.is_held, "the mark that holds the next run")
        pair.put("second")
        pair.wait_until(lambda: len(pair.waiting()) == 2, "two lists that wait")
        time.sleep(QUIET_SECONDS)
        assert len(pair.executions()) == 1, "not a run for each end of a run"
        assert len(pair.waiting()) == 2
        assert len(inbox.drain()) == 1, "not a mail for each of them"
        status = pair.command(tmp_path)
        assert status.returncode == 1
    wake(pair)
    pair.catch_up()
    assert statuses(pair) == {"FAILED": 1, "SUCCEEDED": 1}
    assert not pair.is_held()


@pytest.mark.parametrize("by", ["the command", "the console"])
def test_a_stopped_run_of_events_loses_nothing_and_nobody_writes_beside_its_copiers(recorded_server, tmp_path, by):
    name = "stopped-" + by.rpartition(" ")[2]
    pair = deployed(recorded_server, name, parameters=SLOW)
    keys = [f"first/{number}" for number in range(8)]
    pair.put_quietly(keys)
    # One batch, and so one run over all of them.
    entries = [{"Id": key[-1], "MessageBody": json.dumps(pair.event(key, 1))} for key in keys]
    pair.client("sqs").send_message_batch(QueueUrl=pair.outputs["events_queue_url"], Entries=entries)
    pair.wait_until(lambda: len(pair.target()) > 0, "the first copy")
    (run,) = pair.runs_of_events()
    for number in range(4):
        pair.put(f"second/{number}")
        pair.put(f"first/{number}", b"written again")
    if by == "the command":
        stopped = pair.shardlift(tmp_path, "stop", run)
        assert stopped.returncode == 0, stopped.stderr
    else:
        (execution,) = pair.executions()
        pair.client("stepfunctions").stop_execution(executionArn=execution["executionArn"])
    assert statuses(pair) == {"ABORTED": 1}
    # Its lists wait still, and so does what came since.
    pair.wait_until(lambda: len(pair.waiting()) > 1, "lists that wait")
    catch_up(pair)
    assert_no_two_wrote_at_once(recorded_server, pair)
    assert pair.depth("events_dead_letters_url") == 0


@pytest.mark.parametrize("by", ["the command", "the console"])
def test_events_that_waited_for_a_nightly_run_survive_its_stop(recorded_server, tmp_path, by):
    name = "aborted-" + by.rpartition(" ")[2]
    pair = deployed(recorded_server, name, parameters=SLOW)
    pair.put_quietly([f"night/{number}" for number in range(8)])
    machine = Machine(pair.deployment, pair.outputs)
    nightly = machine.start({}, "nightly")
    pair.wait_until(lambda: len(pair.target()) > 0, "the first copy of the night")
    for number in range(4):
        pair.put(f"day/{number}")
        pair.put(f"night/{number}", b"written again")
    pair.wait_until(lambda: pair.waiting() != [], "a list that waits")
    if by == "the command":
        stopped = pair.shardlift(tmp_path, "stop", "nightly")
        assert stopped.returncode == 0, stopped.stderr
    else:
        machine.states.stop_execution(executionArn=nightly)
    told = {f"{kind}/{number}" for kind in ("day", "night") for number in range(4)}
    deadline = time.monotonic() + 120
    while not all(pair.target().get(key) == pair.source()[key] for key in told):
        assert time.monotonic() < deadline, (pair.waiting(), statuses(pair))
        wake(pair)
        time.sleep(1)
    pair.settle()
    assert_no_two_wrote_at_once(recorded_server, pair)
    assert pair.depth("events_dead_letters_url") == 0
    # What no event told of is the next nightly run's.
    assert machine.wait(machine.start({}, "next-night")).status == "SUCCEEDED"
    assert pair.target() == pair.source()
