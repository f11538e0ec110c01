"""The part of template.yaml that starts runs from events."""

import json

import pytest

from .project import SOURCE_TEMPLATE_PATH, resources_of, template

INTAKE = "IntakeFunction"


@pytest.fixture(scope="module")
def source():
    return template(SOURCE_TEMPLATE_PATH)


def test_events_are_off_by_default_and_all_that_is_about_them_hangs_on_one_condition(source):
    assert source["Parameters"]["StartOnEvents"]["Default"] == "false"
    of_events = {
        *(name for name in source["Resources"] if name.startswith(("Events", "Intake"))),
        "RunEndedRule",
        "ReporterOfEventsPolicy",
    }
    conditional = {name for name, one in source["Resources"].items() if one.get("Condition") == "StartsOnEvents"}
    assert conditional == of_events
    outputs = {name for name, one in source["Outputs"].items() if one.get("Condition") == "StartsOnEvents"}
    assert outputs == {"IntakeFunctionName", "IntakeRoleArn", "EventsQueueUrl", "EventsDeadLettersUrl"}


def test_a_message_outlives_its_invocation_and_no_batch_is_lost(source):
    """Lambda advises six times the function's timeout
    (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html), and a message is received when the
    window begins."""
    queue = source["Resources"]["EventsQueue"]["Properties"]
    timeout = source["Resources"][INTAKE]["Properties"]["Timeout"]
    window = source["Parameters"]["EventsWindowSeconds"]["MaxValue"]
    assert queue["VisibilityTimeout"] == 6 * timeout + window
    assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5
    assert (
        queue["MessageRetentionPeriod"]
        == source["Resources"]["EventsDeadLetters"]["Properties"]["MessageRetentionPeriod"]
    )
    mapping = source["Resources"]["EventsMapping"]["Properties"]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BatchSize"] == 10_000


def test_the_queue_of_events_takes_messages_of_the_stacks_rules_alone(source):
    rules = {name for name, rule in resources_of(source, "AWS::Events::Rule").items() if "queue" in json.dumps(rule)}
    (allowed, refused) = source["Resources"]["EventsQueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]
    named = allowed["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert {one["Fn::GetAtt"][0] for one in named} == rules == {"EventsRule", "RunEndedRule", "EventsClock"}
    assert allowed["Principal"] == {"Service": "events.amazonaws.com"}
    assert refused["Effect"] == "Deny"
