"""Running the state machine and reading what happened."""

import itertools
import json
import time
from dataclasses import dataclass, field

POLL_SECONDS = 0.05
RUN_SECONDS_MAX = 180


@dataclass(frozen=True)
class Execution:
    """An execution that ended."""

    status: str
    error: str
    cause: str
    output: dict
    states: list
    run_id: str
    started_at: object


@dataclass(frozen=True)
class Machine:
    """A deployed state machine."""

    deployment: object
    outputs: dict
    seconds_max: float = RUN_SECONDS_MAX
    poll_seconds: float = POLL_SECONDS
    _numbers: itertools.count = field(default_factory=itertools.count)

    @property
    def states(self):
        return self.deployment.source.client("stepfunctions")

    def new_run_id(self):
        return f"run-{next(self._numbers)}"

    def run(self, run_input, run_id=None):
        """Starts a run and waits for its end."""
        run_id = run_id or self.new_run_id()
        return self.wait(self.start(run_input, run_id))

    def start(self, run_input, run_id):
        """Starts a run. Returns its execution's ARN."""
        arn = self.outputs["state_machine_arn"]
        started = self.states.start_execution(stateMachineArn=arn, name=run_id, input=json.dumps(run_input))
        return started["executionArn"]

    def wait(self, execution_arn):
        """Waits for an execution's end."""
        deadline = time.monotonic() + self.seconds_max
        while time.monotonic() < deadline:
            seen = self.states.describe_execution(executionArn=execution_arn)
            if seen["status"] != "RUNNING":
                return Execution(
                    status=seen["status"],
                    error=seen.get("error", ""),
                    cause=seen.get("cause", ""),
                    output=json.loads(seen.get("output") or "null"),
                    states=self._states_entered(execution_arn),
                    run_id=seen["name"],
                    started_at=seen["startDate"],
                )
            time.sleep(self.poll_seconds)
        raise AssertionError(f"{execution_arn} did not end within {self.seconds_max} s")

    def wait_for_errors(self, execution_arn, error, count):
        """Waits until a task of the execution or of its children has failed with this error so often."""
        deadline = time.monotonic() + RUN_SECONDS_MAX
        while self._errors(execution_arn).count(error) < count:
            assert time.monotonic() < deadline, f"{execution_arn}: not {count} times {error}"
            time.sleep(POLL_SECONDS)

    def _errors(self, execution_arn):
        arns = [execution_arn]
        for run in self.states.list_map_runs(executionArn=execution_arn)["mapRuns"]:
            arns += [c["executionArn"] for c in self.states.list_executions(mapRunArn=run["mapRunArn"])["executions"]]
        events = [event for arn in arns for event in self._events(arn)]
        return [e["taskFailedEventDetails"].get("error") for e in events if "taskFailedEventDetails" in e]

    def children(self, execution_arn):
        """The Map's child executions of a run, as (status, error) in no order."""
        found = []
        for run in self.states.list_map_runs(executionArn=execution_arn)["mapRuns"]:
            for child in self.states.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
                seen = self.states.describe_execution(executionArn=child["executionArn"])
                found.append((seen["status"], seen.get("error", "")))
        return found

    def copier_calls(self, execution):
        """How often the copier was called for a run, over all its shards."""
        calls = 0
        for run in self.states.list_map_runs(executionArn=self.execution_arn(execution.run_id))["mapRuns"]:
            for child in self.states.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
                # The local engine records the tasks of a child, not the states.
                events = self._events(child["executionArn"])
                calls += sum(1 for event in events if event["type"] == "TaskScheduled")
        return calls

    def execution_arn(self, run_id):
        return self.outputs["state_machine_arn"].replace(":stateMachine:", ":execution:") + f":{run_id}"

    def _states_entered(self, execution_arn):
        events = self._events(execution_arn)
        return [e["stateEnteredEventDetails"]["name"] for e in events if "stateEnteredEventDetails" in e]

    def _events(self, execution_arn):
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        return [event for page in pages for event in page["events"]]


class Inbox:
    """A queue that is subscribed to a topic, so that a test reads the notifications that people would get."""

    def __init__(self, machine, name):
        self._sqs = machine.deployment.source.client("sqs")
        sns = machine.deployment.source.client("sns")
        self._url = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        queue = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        arn, topic = queue["Attributes"]["QueueArn"], machine.outputs["topic_arn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)

    def drain(self):
        """Every message since the last call: the notification's Subject and Message."""
        found = []
        while True:
            page = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
            if not page.get("Messages"):
                return found
            for message in page["Messages"]:
                found.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])
