"""A deployed pair whose source starts runs, and what tests ask of it."""

import contextlib
import json
import os
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime

from shardlift_local.comparison import listing
from shardlift_local.deployment import Deployment

from .test_command import SHARDLIFT

SECONDS_MAX = 120
# Of the stack's two queues.
COUNTS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]


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

    def put_quietly(self, keys):
        """Writes objects of which no event tells."""
        notify, bucket = self.client("s3").put_bucket_notification_configuration, self.deployment.source_bucket
        notify(Bucket=bucket, NotificationConfiguration={})
        for key in keys:
            self.put(key)
        notify(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})

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
        """The lists that wait for a run."""
        return [key for key in self._waiting_objects() if not key.endswith(".held")]

    def is_held(self):
        """Whether the last run of events left its mark."""
        return any(key.endswith(".held") for key in self._waiting_objects())

    def _waiting_objects(self):
        found = self.client("s3").list_objects_v2(Bucket=self.outputs["control_bucket"], Prefix="lists/events/waiting/")
        return [item["Key"] for item in found.get("Contents", [])]

    def depth(self, queue="events_queue_url"):
        found = self.client("sqs").get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=COUNTS)
        return sum(int(found["Attributes"][name]) for name in COUNTS)

    def send(self, body):
        self.client("sqs").send_message(QueueUrl=self.outputs["events_queue_url"], MessageBody=json.dumps(body))

    def event(self, key, sequencer, kind="Object Created", at="2026-11-22T12:00:00Z"):
        """An event as EventBridge sends it."""
        key = self.deployment.source_prefix + key
        bucket = {"name": self.deployment.source_bucket}
        detail = {"bucket": bucket, "object": {"key": key, "sequencer": f"{sequencer:018X}"}}
        return {"source": "aws.s3", "detail-type": kind, "time": at, "detail": detail}

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

    def alarm(self, name):
        """The state of an alarm of the stack."""
        name = f"{self.deployment.name}-{name}"
        (alarm,) = self.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
        return alarm["StateValue"]

    def intake_log(self):
        """What the intake has logged, and what Lambda about it."""
        name = f"/aws/lambda/{self.outputs['intake_function']}"
        pages = self.client("logs").get_paginator("filter_log_events").paginate(logGroupName=name)
        return [event["message"] for page in pages for event in page["events"]]

    def report(self, run_id):
        s3 = self.client("s3")
        body = s3.get_object(Bucket=self.outputs["control_bucket"], Key=f"runs/{run_id}/report.json")["Body"]
        return json.loads(body.read())

    @contextlib.contextmanager
    def without(self, sid, function="intake", policy="intake"):
        """A function's role while it lacks a statement."""
        iam, role = self.client("iam"), self.outputs[f"{function}_role_arn"].rpartition("/")[2]
        document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        document = document if isinstance(document, dict) else json.loads(document)
        left = [statement for statement in document["Statement"] if statement["Sid"] != sid]
        assert len(left) + 1 == len(document["Statement"])
        write = {"RoleName": role, "PolicyName": policy}
        iam.put_role_policy(**write, PolicyDocument=json.dumps({**document, "Statement": left}))
        try:
            yield
        finally:
            iam.put_role_policy(**write, PolicyDocument=json.dumps(document))

    def command(self, tmp_path, *arguments):
        """`shardlift events`."""
        return self.shardlift(tmp_path, "events", *arguments)

    def shardlift(self, tmp_path, *arguments):
        path = tmp_path / "outputs.json"
        path.write_text(json.dumps(self.outputs))
        environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        command = [SHARDLIFT, "--local", "--local-outputs", path, *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def deployed(server, name, cls=Deployment, **arguments):
    deployment = cls(server.endpoint_url, name=name, starts_on_events=True, **arguments)
    pair = EventPair(deployment, deployment.deploy())
    # Messages that fail come again after a second, not after eleven minutes.
    pair.client("sqs").set_queue_attributes(
        QueueUrl=pair.outputs["events_queue_url"], Attributes={"VisibilityTimeout": "1"}
    )
    return pair
