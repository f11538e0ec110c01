"""The template of further pairs: its input is one of a run, and nothing of it is shared with another pair."""

import json
import re

import pytest

from tests.security.rendering import Rendering

from .project import PAIR_TEMPLATE_PATH, ROOT, SOURCE_TEMPLATE_PATH, by_sid, resources_of, template

PAIR = template(PAIR_TEMPLATE_PATH)
PARAMETERS = {
    "BaseStackName": "shardlift",
    "PairName": "logs",
    "SourceBucketName": "my-source",
    "SourcePrefix": "logs/",
    "TargetBucketName": "my-target",
    "TargetPrefix": "copy/logs/",
    "TargetAccountRoleArn": "arn:aws:iam::222222222222:role/logs",
    "TargetExternalId": "the-external-id",
    "ScheduleState": "ENABLED",
}


def rendering(**parameters):
    attributes = {"AWS::AccountId": "111111111111", "ScheduleRole.Arn": "role", "ScheduleDeadLetters.Arn": "queue"}
    attributes["ScheduleDeadLetters.QueueName"] = "queue"
    attributes |= {f"shardlift-{name}": f"imported:shardlift-{name}" for name in ("StateMachineArn", "TopicArn")}
    return Rendering(PAIR, {**PARAMETERS, **parameters}, attributes)


def run_input(**parameters):
    return json.loads(rendering(**parameters).resource("PairSchedule")["Target"]["Input"])


def test_the_schedule_starts_the_state_machine_of_the_stack_with_the_pair_as_its_input():
    target = rendering().resource("PairSchedule")["Target"]
    assert target["Arn"] == "imported:shardlift-StateMachineArn"
    assert target["DeadLetterConfig"] == {"Arn": "queue"}
    assert run_input() == {
        "started_by": "schedule",
        "source": {"bucket": "my-source", "prefix": "logs/"},
        "target": {
            "bucket": "my-target",
            "prefix": "copy/logs/",
            "role_arn": PARAMETERS["TargetAccountRoleArn"],
            "external_id": "the-external-id",
        },
        "mode": "sync",
        "filters": {"include": ["**"], "exclude": []},
    }


def test_what_a_pair_sets_takes_the_place_of_what_the_stack_sets():
    found = run_input(
        RunMode="mirror",
        RunInclude="**.csv,2026/**",
        RunExclude="**.tmp",
        RunFields='"tags": "ignore","verify":"checksum"',
    )
    assert found["filters"] == {"include": ["**.csv", "2026/**"], "exclude": ["**.tmp"]}
    assert [found[name] for name in ("mode", "tags", "verify")] == ["mirror", "ignore", "checksum"]
    assert run_input(RunExclude="a,b")["filters"]["exclude"] == ["a", "b"]


@pytest.mark.parametrize("name", ["SourcePrefix", "TargetPrefix", "TargetExternalId", "RunInclude", "RunExclude"])
def test_no_value_leaves_its_place_in_the_input(name):
    """Whatever the pattern of a parameter takes is one text of the JSON, or one for each item."""
    pattern = re.compile(PAIR["Parameters"][name]["AllowedPattern"])
    for character in map(chr, range(0x180)):
        text = f"ab{character}cd"
        if pattern.search(text):
            values = list(strings(run_input(**{name: text})))
            parts = text.split(",") if name.startswith("Run") else [text]
            assert all(part in values for part in parts), repr(character)
        else:
            assert not character.isalnum() or not character.isascii(), repr(character)
    for broken in ('a","b', "a\\", "a\nb", '"'):
        assert not pattern.search(broken), broken


def test_fields_come_without_the_braces_of_their_object():
    pattern = PAIR["Parameters"]["RunFields"]["AllowedPattern"]
    for fields in (
        "",
        '"tags":"ignore"',
        '"tags" : "ignore", "delete_max_objects": 5',
        '"transform":{"kind":"thumbnail"}',
    ):
        assert re.search(pattern, fields), fields
    for wrong in ('{"tags":"ignore"}', '"tags":"ignore",', ',"tags":"ignore"', "tags", '"tags":', '"a":1,\n"b":2'):
        assert not re.search(pattern, wrong), wrong


@pytest.mark.parametrize("spaced", [" a", "a ", "a, b", "a ,b", ",", "a,", ",a", "a,,b"])
def test_a_space_that_nobody_means_is_refused(spaced):
    pattern = PAIR["Parameters"]["RunExclude"]["AllowedPattern"]
    assert not re.search(pattern, spaced)
    assert re.search(pattern, "**.tmp,my cache/**,x")


def strings(node):
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for item in node:
            yield from strings(item)
    else:
        yield node


def test_the_schedule_may_start_runs_of_that_one_machine_and_nothing_else():
    role = by_sid({"Properties": rendering().resource("ScheduleRole")})
    assert {sid: (statement["Action"], statement["Resource"]) for sid, statement in role.items()} == {
        "StartARun": ("states:StartExecution", "imported:shardlift-StateMachineArn"),
        "LeaveAMessage": ("sqs:SendMessage", "queue"),
    }
    assert set(resources_of(PAIR, "AWS::IAM::Role")) == {"ScheduleRole"}


def test_what_is_imported_is_exported():
    text = json.dumps(PAIR)
    imported = set(re.findall(r'"Fn::ImportValue": \{"Fn::Sub": "\$\{BaseStackName\}-(\w+)"\}', text))
    outputs = template(SOURCE_TEMPLATE_PATH)["Outputs"]
    exported = {name for name, output in outputs.items() if "Export" in output}
    assert imported == exported
    for name in exported:
        assert outputs[name]["Export"]["Name"] == {"Fn::Sub": f"${{AWS::StackName}}-{name}"}


def test_every_alarm_is_named_so_that_it_may_publish_and_says_whose_it_is():
    pair = rendering()
    for name in resources_of(PAIR, "AWS::CloudWatch::Alarm"):
        alarm = pair.resource(name)
        assert alarm["AlarmActions"] == ["imported:shardlift-TopicArn"]
        assert alarm["AlarmName"].startswith("shardlift-pair-logs-")
        assert "pair logs" in alarm["AlarmDescription"]


def test_silence_of_a_pair_is_an_alarm_of_that_pair():
    """By the dimension that the reporter adds for a target that is not the stack's own."""
    alarm = rendering().resource("DeadMansSwitch")
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    assert dimensions == {"StateMachine": "shardlift-sync", "Target": "my-target/copy/logs/"}
    own = template(SOURCE_TEMPLATE_PATH)["Resources"]["DeadMansSwitch"]["Properties"]
    same = ("Namespace", "MetricName", "Statistic", "Period", "Threshold", "ComparisonOperator", "TreatMissingData")
    assert {name: alarm[name] for name in same} == {name: own[name] for name in same}
    assert alarm["EvaluationPeriods"] == alarm["DatapointsToAlarm"] == 26
    code = (ROOT / "lambdas/reporter/src/metrics.rs").read_text("utf-8")
    assert 'format!("{}/{}", target.bucket, target.prefix.as_str())' in code
    assert '("Target", dimension_of(target))' in code
    for off in ({"ScheduleState": "DISABLED"}, {"DeadMansSwitchHours": 0}):
        assert rendering(**off).resource("DeadMansSwitch") is None


def test_a_pair_has_the_limits_of_the_stacks_parameters_of_the_same_name():
    ours, base = (template(path)["Parameters"] for path in (PAIR_TEMPLATE_PATH, SOURCE_TEMPLATE_PATH))
    for name in ("SourceBucketName", "TargetBucketName", "TargetAccountRoleArn", "TargetExternalId"):
        assert ours[name]["AllowedPattern"] == base[name]["AllowedPattern"], name
    for name in ("ScheduleExpression", "ScheduleTimezone"):
        assert ours[name]["AllowedPattern"] == base[name]["AllowedPattern"], name
    assert ours["ScheduleState"]["Default"] == "DISABLED"
