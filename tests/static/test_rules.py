"""The project's own rules for templates find nothing in ours, and each finds what it is for."""

import copy
import json

import pytest
from cfnlint.api import lint
from cfnlint.rules import RulesCollection

from .project import PAIR_TEMPLATE_PATH, ROOT, SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH, template

RULES = ROOT / "infra" / "rules"


def our_rules():
    rules = RulesCollection()
    rules.create_from_directory(RULES)
    return rules


def findings(document):
    """The findings of our rules alone, as (rule, message)."""
    matches = lint(json.dumps(document), our_rules(), ["us-east-1"])
    return [(match.rule.id, match.message) for match in matches]


@pytest.fixture(scope="module")
def templates():
    paths = {"source": SOURCE_TEMPLATE_PATH, "target": TARGET_TEMPLATE_PATH, "pair": PAIR_TEMPLATE_PATH}
    return {name: template(path) for name, path in paths.items()}


def statement(role, sid):
    (found,) = [s for s in role["Policies"][0]["PolicyDocument"]["Statement"] if s.get("Sid") == sid]
    return found


def allow_anything(properties):
    statement(properties, "ReadTheLedger")["Action"] = ["dynamodb:GetItem", "dynamodb:*"]


def allow_anything_under_a_condition(properties):
    wide = {"Fn::If": ["HasFurtherRoles", "dynamodb:Put*", {"Ref": "AWS::NoValue"}]}
    statement(properties, "ReadTheLedger")["Action"] = ["dynamodb:GetItem", wide]


def name_any_bucket(properties):
    del statement(properties, "ReadTheRunsDocuments")["Condition"]


def without(*path):
    def cut(properties):
        for step in path[:-1]:
            properties = properties[step]
        del properties[path[-1]]

    return cut


def with_value(value, *path):
    def change(properties):
        for step in path[:-1]:
            properties = properties[step]
        properties[path[-1]] = value

    return change


TRUST = ("AssumeRolePolicyDocument", "Statement", 0)
HTTP = ("PolicyDocument", "Statement", 0)
# Rule, template, resource, what is broken in its properties, and a word of what is found.
BROKEN = [
    ("E9001", "source", "PlannerRole", allow_anything, "dynamodb:*"),
    ("E9001", "source", "PlannerRole", allow_anything_under_a_condition, "dynamodb:Put*"),
    ("E9002", "source", "PlannerRole", name_any_bucket, "ReadTheRunsDocuments"),
    ("E9003", "target", "TargetRole", without(*TRUST, "Condition"), "sts:ExternalId"),
    ("E9003", "source", "ScheduleRole", without(*TRUST, "Condition"), "scheduler.amazonaws.com"),
    ("E9004", "source", "ControlBucketPolicy", with_value("Allow", *HTTP, "Effect"), "without TLS"),
    (
        "E9004",
        "source",
        "ControlBucketPolicy",
        with_value("true", *HTTP, "Condition", "Bool", "aws:SecureTransport"),
        "TLS",
    ),
    ("E9004", "target", "AuditBucketPolicy", with_value("elsewhere", "Bucket"), "AuditBucket"),
    ("E9005", "target", "TargetBucket", without("PublicAccessBlockConfiguration"), "public"),
    (
        "E9005",
        "target",
        "TargetBucket",
        with_value(False, "PublicAccessBlockConfiguration", "BlockPublicPolicy"),
        "public",
    ),
    (
        "E9005",
        "target",
        "TargetBucket",
        with_value({"BlockPublicAcls": True}, "PublicAccessBlockConfiguration"),
        "public",
    ),
    ("E9005", "target", "TargetBucket", without("OwnershipControls"), "owners"),
    ("E9005", "target", "TargetBucket", without("BucketEncryption"), "encryption"),
    ("E9005", "target", "TargetBucket", without("LifecycleConfiguration"), "stale uploads"),
    ("E9006", "source", "CopierLogGroup", without("RetentionInDays"), "no end"),
    ("E9006", "source", "CopierErrorsAlarm", without("AlarmActions"), "no alarm"),
    ("E9006", "source", "CopierErrorsAlarm", with_value(5, "Threshold"), "no alarm"),
    ("E9007", "source", "AuditTrail", with_value(False, "EnableLogFileValidation"), "not validated"),
    ("E9007", "target", "AuditTrail", without("EventSelectors"), "no data events"),
]


@pytest.mark.parametrize("name", ["source", "target", "pair"])
def test_our_templates_keep_our_rules(templates, name):
    assert findings(templates[name]) == []


@pytest.mark.parametrize(
    ("rule", "name", "resource", "broken", "word"), BROKEN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_broken_template_is_found(templates, rule, name, resource, broken, word):
    document = copy.deepcopy(templates[name])
    broken(document["Resources"][resource]["Properties"])
    found = findings(document)
    assert {number for number, _ in found} == {rule}, found
    assert word in " ".join(message for _, message in found)


def test_a_bucket_that_goes_with_its_stack_is_found(templates):
    document = copy.deepcopy(templates["target"])
    del document["Resources"]["TargetBucket"]["DeletionPolicy"]
    assert [number for number, _ in findings(document)] == ["E9005"]


def test_a_named_bucket_that_a_failed_first_deployment_would_keep_is_found(templates):
    document = copy.deepcopy(templates["target"])
    document["Resources"]["TargetBucket"]["DeletionPolicy"] = "Retain"
    ((number, message),) = findings(document)
    assert (number, "RetainExceptOnCreate" in message) == ("E9005", True)


def test_every_rule_has_a_broken_template():
    assert {rule for rule, *_ in BROKEN} == {rule.id for rule in our_rules() if rule.id.startswith("E9")}
