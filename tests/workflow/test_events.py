"""Events on the real machine: what is written at the source is at the target within a window and a run.

The emulator hands messages over at once, whatever the window of the mapping; AWS collects them for it.
"""

import contextlib
import json
import os
import random
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import pytest
from shardlift_local.comparison import listing
from shardlift_local.deployment import Deployment
from shardlift_local.server import Server, free_port

from .conftest import WAIT_SCALE
from .test_command import SHARDLIFT

SECONDS_MAX = 120
OBJECTS = 500
HOSTILE_KEYS = ["a b+%41/ü😀", "%2Fx//", "..", "a\\b\"'&<>", "+", "tab\there", "z" * 1_000]
# Of one small run: fewer requests and less time than this, from the event to the report.
REQUESTS_MAX = 40
RUN_SECONDS_MAX = 2


@pytest.fixture(scope="module")
def recorded_server(tmp_path_factory):
    """A server of its own, which records the requests of the functions."""
    folder = tmp_path_factory.mktemp("events")
    server = Server(folder, free_port(), WAIT_SCALE, requests_path=folder / "requests.jsonl")
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True)
class SharedSource(Deployment):
    """A pair over a bucket that other pairs read, too."""

    shared_bucket: str = "shared-source"

    @property
    def source_bucket(self):
        return self.shared_bucket


@dataclass(frozen=True)
class EventPair:
    """A deployed pair whose source starts runs."""

    deployment: Deployment
    outputs: dict

    def client(self, service):
        return self.deployment.source.client(service)

    def put(self, key, body=b"x"):
        key = self.deployment.source_prefix + key
        self.client("s3").put_object(Bucket=self.deployment.source_bucket, Key=key, Body=body)

    def delete(self, key):
        key = self.deployment.source_prefix + key
        self.client("s3").delete_object(Bucket=self.deployment.source_bucket, Key=key)

    def source(self):
        return listing(self.client("s3"), self.deployment.source_bucket, self.deployment.source_prefix)

    def target(self):
        s3 = self.deployment.target.client("s3")
        return listing(s3, self.deployment.target_bucket, self.deployment.target_prefix)

    def executions(self):
        states = self.client("stepfunctions")
        pages = states.get_paginator("list_executions").paginate(stateMachineArn=self.outputs["state_machine_arn"])
        return [execution for page in pages for execution in page["executions"]]

    def runs_of_events(self):
        return [execution["name"] for execution in self.executions() if execution["name"].startswith("events-")]

    def waiting(self):
        found = self.client("s3").list_objects_v2(Bucket=self.outputs["control_bucket"], Prefix="lists/events/waiting/")
        return [item["Key"] for item in found.get("Contents", [])]

    def depth(self, queue="events_queue_url"):
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=names)
        return sum(int(found["Attributes"][name]) for name in names)

    def send(self, body):
        self.client("sqs").send_message(QueueUrl=self.outputs["events_queue_url"], MessageBody=json.dumps(body))

    def event(self, key, sequencer, kind="Object Created"):
        key = self.deployment.source_prefix + key
        bucket = {"name": self.deployment.source_bucket}
        detail = {"bucket": bucket, "object": {"key": key, "sequencer": f"{sequencer:018X}"}}
        return {"source": "aws.s3", "detail-type": kind, "time": "2026-11-22T12:00:00Z", "detail": detail}

    def is_quiet(self):
        runs = any(execution["status"] == "RUNNING" for execution in self.executions())
        return not runs and self.depth() == 0 and self.waiting() == []

    def settle(self):
        """Waits until nothing is under way, twice in a row: S3's events take a moment."""
        quiet = 0
        deadline = time.monotonic() + SECONDS_MAX
        while quiet < 4:
            assert time.monotonic() < deadline, (self.depth(), self.waiting(), self.executions()[:3])
            quiet = quiet + 1 if self.is_quiet() else 0
            time.sleep(0.1)

    def catch_up(self):
        """Waits until the target is as the source, and until nothing is under way any more."""
        self.wait_until(lambda: self.target() == self.source(), "the target is as the source")
        self.settle()

    def wait_until(self, holds, what):
        deadline = time.monotonic() + SECONDS_MAX
        while not holds():
            assert time.monotonic() < deadline, f"not within {SECONDS_MAX} s: {what}"
            time.sleep(0.05)

    def report(self, run_id):
        s3 = self.client("s3")
        body = s3.get_object(Bucket=self.outputs["control_bucket"], Key=f"runs/{run_id}/report.json")["Body"]
        return json.loads(body.read())

    @contextlib.contextmanager
    def without(self, sid):
        """The intake's role while it lacks a statement."""
        iam, role = self.client("iam"), self.outputs["intake_role_arn"].rpartition("/")[2]
        document = iam.get_role_policy(RoleName=role, PolicyName="intake")["PolicyDocument"]
        document = document if isinstance(document, dict) else json.loads(document)
        left = [statement for statement in document["Statement"] if statement["Sid"] != sid]
        assert len(left) + 1 == len(document["Statement"])
        write = {"RoleName": role, "PolicyName": "intake"}
        iam.put_role_policy(**write, PolicyDocument=json.dumps({**document, "Statement": left}))
        try:
            yield
        finally:
            iam.put_role_policy(**write, PolicyDocument=json.dumps(document))

    def command(self, tmp_path, *arguments):
        path = tmp_path / "outputs.json"
        path.write_text(json.dumps(self.outputs))
        environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        command = [SHARDLIFT, "--local", "--local-outputs", path, "events", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def deployed(server, name, cls=Deployment, **arguments):
    deployment = cls(server.endpoint_url, name=name, starts_on_events=True, **arguments)
    pair = EventPair(deployment, deployment.deploy())
    # Messages that fail come again after a second, not after six minutes.
    pair.client("sqs").set_queue_attributes(
        QueueUrl=pair.outputs["events_queue_url"], Attributes={"VisibilityTimeout": "1"}
    )
    return pair


@pytest.fixture(scope="module")
def pair(recorded_server):
    """A mirror, with a prefix and a filter."""
    parameters = {"RunMode": "mirror", "RunDeleteMaxObjects": 1_000, "RunFilters": '{"exclude": ["**.tmp"]}'}
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
    time.sleep(2)
    pair.settle()
    assert pair.runs_of_events() == before


def test_one_object_costs_few_requests_and_little_time(pair, recorded_server):
    pair.put("warm")
    pair.settle()
    time.sleep(1)
    before = len(recorded_server.requests_path.read_text().splitlines())
    pair.put("one", b"1")
    pair.wait_until(lambda: "one" in pair.target(), "the object")
    pair.settle()
    report = pair.report(pair.runs_of_events()[0])
    requests = recorded_server.requests_path.read_text().splitlines()[before:]
    lag = instant(report["ended_at"]) - instant(report["events"]["oldest_at"])
    print(f"one object: {len(requests)} requests, {lag.total_seconds():.2f} s from the event to the report")
    assert len(requests) < REQUESTS_MAX
    assert report["started_by"] == "events"
    assert report["events"]["objects"] == 1
    assert lag.total_seconds() < RUN_SECONDS_MAX


def test_dead_letters_come_through_once_the_permission_is_back(pair, tmp_path):
    pair.settle()
    with pair.without("StartRuns"):
        pair.put("late")
        pair.wait_until(lambda: pair.depth("events_dead_letters_url") > 0, "dead letters")
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
    status = pair.command(tmp_path)
    assert status.returncode == 0, status.stdout + status.stderr


@pytest.mark.parametrize(
    "sid", ["WriteTheRunsDocuments", "TellMissingFromForbidden", "ReadTheLedger", "WriteTheLedger", "StartRuns"]
)
def test_without_a_permission_of_the_intake_nothing_starts_and_nothing_is_lost(pair, tmp_path, sid):
    pair.settle()
    key = f"without/{sid}"
    with pair.without(sid):
        pair.put(key)
        pair.wait_until(lambda: pair.depth("events_dead_letters_url") > 0, f"dead letters without {sid}")
        assert key not in pair.target()
    assert pair.command(tmp_path, "redrive").returncode == 0
    pair.wait_until(lambda: key in pair.target(), f"{key} after all")
    pair.settle()


def test_the_command_switches_the_buckets_events_and_keeps_what_else_is_there(pair, tmp_path):
    pair.settle()
    s3, bucket = pair.client("s3"), pair.deployment.source_bucket
    sqs = pair.client("sqs")
    other = sqs.create_queue(QueueName="somebody-elses")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=other, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    document = json.dumps({"Version": "2012-10-17", "Statement": [policy]})
    sqs.set_queue_attributes(QueueUrl=other, Attributes={"Policy": document})
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
