"""Events on the real machine: what is written at the source is at the target within a window and a run.

Windows, periods of alarms and the waits of the machine are shortened alike, to a hundredth.
"""

import json
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from shardlift_local.server import Server, free_port

from .conftest import WAIT_SCALE
from .event_pair import SharedSource, deployed, instant
from .execution import Inbox, Machine

OBJECTS = 500
# The longest is one of 1,024 bytes below the prefix of the source.
HOSTILE_KEYS = [
    *("a b+%41/ü😀", "%2Fx//", "..", "a\\b\"'&<>", "+", " ", "%", "%2B", "%2b+%20 ", "line\nbreak\r", "tab\there"),
    "ü" * 509 + "z",
]
# Of one small run: fewer requests and less time than this, from the event to the report.
REQUESTS_MAX = 40
SINGLES = 5
RUN_SECONDS_MAX = 2


@pytest.fixture(scope="module")
def recorded_server(tmp_path_factory):
    """A server of its own, which records the requests of the functions."""
    folder = tmp_path_factory.mktemp("events")
    server = Server(folder, free_port(), WAIT_SCALE, requests_path=folder / "requests.jsonl")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def pair(recorded_server):
    """A mirror, with a prefix and a filter."""
    parameters = {"RunMode": "mirror", "RunDeleteMaxObjects": 1_000, "RunFilters": '{"exclude": ["**.tmp"]}'}
    # As by default. Otherwise each run also asks what is known of renditions at the target: a request more.
    parameters["EnableTransforms"] = "false"
    return deployed(recorded_server, "pair", source_prefix="data/", target_prefix="copy/", parameters=parameters)


def test_five_hundred_objects_in_half_a_minute_are_at_the_target_exactly(pair):
    chance = random.Random(18)  # noqa: S311
    s3, bucket = pair.client("s3"), pair.deployment.source_bucket
    keys = [*HOSTILE_KEYS, *(f"{number % 7}/{number}" for number in range(OBJECTS - len(HOSTILE_KEYS)))]

    def change(number):
        earlier = keys[: number + 1]
        s3.put_object(Bucket=bucket, Key="data/" + keys[number], Body=b"first")
        if number % 5 == 0:
            s3.put_object(Bucket=bucket, Key="data/" + chance.choice(earlier), Body=b"written again")
        if number % 11 == 0:
            s3.delete_object(Bucket=bucket, Key="data/" + chance.choice(earlier))

    began = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(change, range(len(keys))))
    print(f"{len(keys)} objects written in {time.monotonic() - began:.1f} s")
    pair.catch_up()
    source, target = pair.source(), pair.target()
    assert len(set(HOSTILE_KEYS) & set(target)) > len(HOSTILE_KEYS) / 2, "some of them were deleted again"
    assert len(source) > OBJECTS * 0.8
    assert target == source


def test_every_message_twice_and_out_of_order_changes_nothing(pair):
    keys = [f"doubled/{number}" for number in range(20)]
    for key in keys:
        pair.put(key)
    pair.delete(keys[0])
    pair.catch_up()
    s3 = pair.deployment.target.client("s3")
    written = {key: s3.head_object(Bucket=pair.deployment.target_bucket, Key="copy/" + key) for key in keys[1:]}
    created = [pair.event(key, number) for number, key in enumerate(keys)]
    deleted = [pair.event(key, 100 + number, "Object Deleted") for number, key in enumerate(keys)]
    messages = (created + deleted) * 2
    random.Random(1).shuffle(messages)  # noqa: S311
    for message in messages:
        pair.send(message)
    pair.settle()
    assert pair.target() == pair.source()
    for key, before in written.items():
        now = s3.head_object(Bucket=pair.deployment.target_bucket, Key="copy/" + key)
        assert now["LastModified"] == before["LastModified"], key


def test_what_the_filters_leave_out_starts_nothing(pair):
    pair.settle()
    before = pair.runs_of_events()
    pair.put("left-out.tmp")
    client, bucket = pair.client("s3"), pair.deployment.source_bucket
    client.put_object(Bucket=bucket, Key="beside/a", Body=b"x")
    pair.delete("left-out.tmp")
    time.sleep(2)
    pair.settle()
    assert pair.runs_of_events() == before


def test_one_object_costs_few_requests_and_little_time(pair, recorded_server):
    pair.put("warm")
    pair.settle()
    time.sleep(1)
    lags = []
    for number in range(SINGLES):
        before = len(recorded_server.requests_path.read_text().splitlines())
        pair.put(f"one/{number}", b"1")
        pair.wait_until(lambda key=f"one/{number}": key in pair.target(), "the object")
        pair.settle()
        report = pair.report(pair.runs_of_events()[0])
        requests = recorded_server.requests_path.read_text().splitlines()[before:]
        lag = instant(report["ended_at"]) - instant(report["events"]["oldest_at"])
        lags.append(lag.total_seconds())
        print(f"one object: {len(requests)} requests, {lags[-1]:.2f} s from event to report")
        assert len(requests) < REQUESTS_MAX
        assert report["started_by"] == "events"
        assert report["events"]["objects"] == 1
    # Of what else the machine does, the fastest knows least.
    assert min(lags) < RUN_SECONDS_MAX


def test_dead_letters_raise_the_alarm_and_come_through_once_the_permission_is_back(pair, tmp_path):
    pair.settle()
    inbox = Inbox(pair, "alarms")
    pair.wait_until(lambda: pair.alarm("events-dead-letters") == "OK", "an alarm that is not raised")
    inbox.drain()
    with pair.without("StartRuns"):
        pair.put("late")
        pair.wait_until(lambda: pair.depth("events_dead_letters_url") > 0, "dead letters")
        pair.wait_until(lambda: pair.alarm("events-dead-letters") == "ALARM", "the alarm")
        assert pair.alarm("intake-errors") == "ALARM"
        told = [json.loads(notice["Message"]).get("AlarmName") for notice in inbox.drain()]
        assert {"pair-events-dead-letters", "pair-intake-errors"} <= set(told)
        assert "late" not in pair.target()
        status = pair.command(tmp_path)
        assert status.returncode == 1, status.stderr
        assert "dead letters" in status.stdout
        assert "redrive" in status.stdout
    redriven = pair.command(tmp_path, "redrive")
    assert redriven.returncode == 0, redriven.stderr
    pair.wait_until(lambda: "late" in pair.target(), "the object")
    pair.settle()
    assert pair.depth("events_dead_letters_url") == 0
    for alarm in ("events-dead-letters", "intake-errors"):
        pair.wait_until(lambda alarm=alarm: pair.alarm(alarm) == "OK", f"{alarm} is over")
    status = pair.command(tmp_path)
    assert status.returncode == 0, status.stdout + status.stderr


def test_events_that_wait_for_too_long_raise_the_alarm(pair):
    pair.settle()
    # Of days ago, as the events that nobody took until now would be.
    pair.send(pair.event("0/7", 1, at="2025-01-01T00:00:00Z"))
    pair.wait_until(lambda: pair.alarm("events-wait") == "ALARM", "the alarm")
    pair.settle()


def test_a_key_with_a_nul_is_left_to_the_nightly_run(pair):
    """No list may have it. S3 is not known to hold any such key; it must not break a run of events if it does."""
    pair.settle()
    before = pair.runs_of_events()
    pair.put("nul\0key")
    time.sleep(2)
    pair.settle()
    assert pair.runs_of_events() == before
    assert pair.depth("events_dead_letters_url") == 0
    machine = Machine(pair.deployment, pair.outputs)
    nightly = machine.wait(machine.start({}, "nightly-nul"))
    assert nightly.status == "SUCCEEDED", nightly.cause
    assert "nul\0key" in pair.target()


def test_keys_of_s3s_own_messages_are_decoded(pair):
    """What S3 sends to a queue itself is URL-encoded; the first test has the same keys through EventBridge."""
    pair.settle()
    s3, sqs, bucket = pair.client("s3"), pair.client("sqs"), pair.deployment.source_bucket
    queue, arn = open_queue(sqs, "of-s3")
    of_s3 = {"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=of_s3)
    for key in HOSTILE_KEYS:
        pair.put(key, b"through S3's own notification")
    bodies = []
    pair.wait_until(lambda: received(sqs, queue, bodies) == len(HOSTILE_KEYS), "S3's own messages")
    on = {"EventBridgeConfiguration": {}}
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=on)
    sent = {json.loads(body)["Records"][0]["s3"]["object"]["key"] for body in bodies}
    assert "data/+" in sent, "a space"
    assert "data/%252B" in sent, "%2B"
    assert pair.target() != pair.source()
    for body in bodies:
        pair.send(json.loads(body))
    pair.catch_up()


def open_queue(sqs, name):
    """A queue to which anybody may send; its URL and its ARN."""
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": document})
    return queue, arn


def received(sqs, queue, bodies):
    """Takes messages that tell of objects; how many there are so far."""
    for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        if "Records" in json.loads(message["Body"]):
            bodies.append(message["Body"])
    return len(bodies)


def test_the_command_switches_the_buckets_events_and_keeps_what_else_is_there(pair, tmp_path):
    pair.settle()
    s3, bucket = pair.client("s3"), pair.deployment.source_bucket
    _, arn = open_queue(pair.client("sqs"), "somebody-elses")
    theirs = {"Id": "theirs", "QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [theirs], "EventBridgeConfiguration": {}},
    )
    unsure = pair.command(tmp_path, "off")
    assert unsure.returncode == 2
    assert "Nothing was changed" in unsure.stdout
    off = pair.command(tmp_path, "off", "--yes")
    assert off.returncode == 0, off.stderr
    assert arn in off.stdout
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert "EventBridgeConfiguration" not in found
    assert [one["Id"] for one in found["QueueConfigurations"]] == ["theirs"]
    assert pair.command(tmp_path).returncode == 1
    assert pair.command(tmp_path, "on", "--yes").returncode == 0
    assert "nothing to change" in pair.command(tmp_path, "on").stdout
    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert "EventBridgeConfiguration" in found
    assert [one["Id"] for one in found["QueueConfigurations"]] == ["theirs"]


def test_events_during_a_nightly_run_wait_and_are_copied_after_it(recorded_server):
    slow = {"CopierConcurrency": 1, "WritesPerSecondMax": 2}
    pair = deployed(recorded_server, "slow", parameters=slow)
    notify, bucket = pair.client("s3").put_bucket_notification_configuration, pair.deployment.source_bucket
    notify(Bucket=bucket, NotificationConfiguration={})
    for number in range(12):
        pair.put(f"night/{number}")
    notify(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})
    states = pair.client("stepfunctions")
    started = states.start_execution(stateMachineArn=pair.outputs["state_machine_arn"], name="nightly", input="{}")[
        "executionArn"
    ]
    pair.wait_until(lambda: len(pair.target()) > 0, "the nightly run's first copy")
    for number in range(5):
        pair.put(f"day/{number}")
    pair.wait_until(lambda: pair.waiting() != [], "a list that waits")
    assert states.describe_execution(executionArn=started)["status"] == "RUNNING"
    assert pair.runs_of_events() == []
    pair.wait_until(lambda: "day/4" in pair.target(), "what waited")
    pair.settle()
    assert states.describe_execution(executionArn=started)["status"] == "SUCCEEDED"
    assert pair.target() == pair.source()
    assert len(pair.runs_of_events()) == 1, "one batch"
    assert pair.depth("events_dead_letters_url") == 0


def test_a_nightly_run_that_begins_during_a_run_of_events_waits_for_its_end(recorded_server):
    slow = {"CopierConcurrency": 1, "WritesPerSecondMax": 2}
    pair = deployed(recorded_server, "patient", parameters=slow)
    for number in range(8):
        pair.put(f"day/{number}")
    pair.wait_until(lambda: len(pair.target()) > 0, "the first copy of the run of events")
    (of_events,) = [one for one in pair.executions() if one["status"] == "RUNNING"]
    assert of_events["name"].startswith("events-")
    machine = Machine(pair.deployment, pair.outputs)
    nightly = machine.wait(machine.start({}, "nightly"))
    assert nightly.status == "SUCCEEDED", nightly.cause
    ended = machine.states.describe_execution(executionArn=of_events["executionArn"])
    assert ended["status"] == "SUCCEEDED"
    assert nightly.started_at < ended["stopDate"]
    # It planned after the run of events: what that copied is the same.
    assert pair.report("nightly")["skipped"]["objects"] >= int(pair.report(of_events["name"])["copied"]["objects"])
    pair.settle()
    assert pair.target() == pair.source()


def test_pairs_over_one_bucket_get_their_own_events_nested_prefixes_included(recorded_server):
    outer = deployed(recorded_server, "outer", SharedSource, source_prefix="a/", target_prefix="outer/")
    inner = deployed(recorded_server, "inner", SharedSource, source_prefix="a/b/", target_prefix="inner/")
    other = deployed(recorded_server, "other", SharedSource, source_prefix="c/", target_prefix="other/")
    s3 = outer.client("s3")
    statements = [
        {**statement, "Sid": f"{statement['Sid']}{pair.deployment.name.title()}"}
        for pair in (outer, inner, other)
        for statement in pair.deployment.source_bucket_policy()["Statement"]
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    s3.put_bucket_policy(Bucket="shared-source", Policy=policy)
    for key in ("a/1", "a/b/2", "c/3", "d/4"):
        s3.put_object(Bucket="shared-source", Key=key, Body=b"x")
    for pair in (outer, inner, other):
        pair.wait_until(lambda pair=pair: len(pair.runs_of_events()) > 0, pair.deployment.name)
        pair.settle()
    assert set(outer.target()) == {"1", "b/2"}
    assert set(inner.target()) == {"2"}
    assert set(other.target()) == {"3"}
