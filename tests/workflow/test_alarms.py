"""Alarms of the local stack are judged as CloudWatch documents it: by their own metric, over their periods, and where
data is missing as they say (https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html). Time
passes a hundred times faster."""

import time
from dataclasses import dataclass, field

import pytest
from shardlift_local.accounts import source_account

from .execution import Inbox

SECONDS_MAX = 30
# Of the alarms here: their period, as told to CloudWatch and as it passes.
PERIOD, PERIOD_PASSES = 60, 0.6
ALARM = {
    "Namespace": "AWS/SQS",
    "MetricName": "ApproximateNumberOfMessagesVisible",
    "Statistic": "Maximum",
    "Period": PERIOD,
    "EvaluationPeriods": 1,
    "Threshold": 0,
    "ComparisonOperator": "GreaterThanThreshold",
}


@dataclass(frozen=True)
class Watched:
    """A queue, and alarms on it that notify a topic."""

    deployment: object
    outputs: dict = field(default_factory=dict)

    def client(self, service):
        return self.deployment.source.client(service)

    def queue(self, name):
        return self.client("sqs").create_queue(QueueName=name)["QueueUrl"]

    def put_alarm(self, name, queue, **changes):
        arguments = {**ALARM, "Dimensions": [{"Name": "QueueName", "Value": queue}], **changes}
        arguments |= {"AlarmName": name, "AlarmActions": [self.outputs["topic_arn"]]}
        self.client("cloudwatch").put_metric_alarm(**arguments)

    def state(self, name):
        return self.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"]

    def becomes(self, name, state):
        deadline = time.monotonic() + SECONDS_MAX
        while self.state(name) != state:
            assert time.monotonic() < deadline, f"{name} is {self.state(name)}, not {state}"
            time.sleep(0.02)


@dataclass(frozen=True)
class Account:
    """What an inbox needs of a deployment."""

    source: object


@pytest.fixture
def watched(server):
    account = source_account(server.endpoint_url)
    topic = account.client("sns").create_topic(Name="alarms")["TopicArn"]
    return Watched(Account(account), {"topic_arn": topic})


def test_an_alarm_hears_of_its_own_queue_alone_and_is_over_when_that_is_empty(watched):
    inbox = Inbox(watched, "alarms-heard")
    full, _ = watched.queue("full"), watched.queue("empty")
    watched.put_alarm("of-full", "full")
    watched.put_alarm("of-empty", "empty")
    watched.becomes("of-full", "OK")
    watched.becomes("of-empty", "OK")
    inbox.drain()
    sqs = watched.client("sqs")
    sqs.send_message(QueueUrl=full, MessageBody="x")
    watched.becomes("of-full", "ALARM")
    time.sleep(3 * PERIOD_PASSES)
    assert watched.state("of-empty") == "OK"
    assert [notice["Subject"].split('"')[1] for notice in inbox.drain()] == ["of-full"]
    sqs.purge_queue(QueueUrl=full)
    watched.becomes("of-full", "OK")


def test_the_age_of_a_message_is_told(watched):
    queue = watched.queue("aging")
    watched.put_alarm("of-age", "aging", MetricName="ApproximateAgeOfOldestMessage", Threshold=120)
    watched.becomes("of-age", "OK")
    sent = time.monotonic()
    watched.client("sqs").send_message(QueueUrl=queue, MessageBody="x")
    watched.becomes("of-age", "ALARM")
    assert time.monotonic() - sent > 1.2


@pytest.mark.parametrize(
    ("treatment", "state"),
    [("breaching", "ALARM"), ("notBreaching", "OK"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_what_is_missing_is_treated_as_the_alarm_says(watched, treatment, state):
    name = f"of-nothing-{treatment}"
    watched.put_alarm(name, "no-such-queue", TreatMissingData=treatment, EvaluationPeriods=3)
    watched.becomes(name, state)
    time.sleep(3 * PERIOD_PASSES)
    assert watched.state(name) == state


def test_metrics_below_the_threshold_raise_nothing_and_those_above_it_must_last(watched):
    cloudwatch = watched.client("cloudwatch")
    own = {"Namespace": "Test", "MetricName": "Value", "TreatMissingData": "notBreaching"}
    watched.put_alarm("of-one", "any", **own, EvaluationPeriods=1, Threshold=5)
    watched.put_alarm("of-three", "any", **own, EvaluationPeriods=3, Threshold=5)
    dimensions = [{"Name": "QueueName", "Value": "any"}]
    point = {"MetricName": "Value", "Dimensions": dimensions}
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{**point, "Value": 5}])
    watched.becomes("of-one", "OK")
    cloudwatch.put_metric_data(Namespace="Test", MetricData=[{**point, "Value": 6}])
    watched.becomes("of-one", "ALARM")
    watched.becomes("of-one", "OK")
    assert watched.state("of-three") == "OK"
    deadline = time.monotonic() + SECONDS_MAX
    while watched.state("of-three") != "ALARM":
        assert time.monotonic() < deadline
        cloudwatch.put_metric_data(Namespace="Test", MetricData=[{**point, "Value": 6}])
        time.sleep(0.1)
