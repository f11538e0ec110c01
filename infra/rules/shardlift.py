"""Rules of this project for its templates, beside those of cfn-lint and checkov: `cfn-lint --append-rules infra/rules`.

A rule is broken by intent only with a reason: in the resource's Metadata, under cfn-lint's ignore_checks.
"""

import json
from typing import ClassVar, NamedTuple

from cfnlint.rules import CloudFormationLintRule, RuleMatch

# A bucket that is closed to the public: what is left out is open.
CLOSED = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)


def listed(value):
    return value if isinstance(value, list) else [value]


def branches(node):
    """A list's items, those that a condition chooses (Fn::If) with every branch of it."""
    for item in listed(node):
        if isinstance(item, dict) and "Fn::If" in item:
            yield from branches(item["Fn::If"][1:])
        elif not (isinstance(item, dict) and item.get("Ref") == "AWS::NoValue"):
            yield item


def allowing(document):
    """The statements of a policy document that allow something."""
    return [s for s in branches(document.get("Statement", [])) if s.get("Effect") == "Allow"]


def statements_of(role):
    return [s for policy in role["Properties"].get("Policies", []) for s in allowing(policy["PolicyDocument"])]


class Found(NamedTuple):
    """A resource in its template."""

    name: str
    resource: dict
    cfn: object

    @property
    def properties(self):
        return self.resource["Properties"]


class ShardliftRule(CloudFormationLintRule):
    """A rule that finds what is wrong with each resource of its kinds."""

    tags: ClassVar = ["shardlift"]
    kinds = ()

    def match(self, cfn):
        """Asks each resource of the kinds."""
        resources = [
            Found(name, resource, cfn) for kind in self.kinds for name, resource in cfn.get_resources(kind).items()
        ]
        return [
            RuleMatch(["Resources", found.name], f"{found.name}: {problem}")
            for found in resources
            for problem in self.problems(found)
        ]

    def problems(self, found):
        """What is wrong with one resource, in words."""
        raise NotImplementedError


class NoWildcardAction(ShardliftRule):
    id = "E9001"
    shortdesc = "No role is allowed an action by a wildcard"
    description = "A wildcard allows what AWS adds tomorrow."
    kinds = ("AWS::IAM::Role",)

    def problems(self, found):
        for statement in statements_of(found.resource):
            for action in branches(statement["Action"]):
                if "*" in str(action):
                    yield f"{statement.get('Sid')} allows {action}"


class BucketsOfOneAccount(ShardliftRule):
    id = "E9002"
    shortdesc = "Whoever is allowed something in a bucket is allowed it in a bucket of one account"
    description = "A bucket's name says nothing about whose it is: aws:ResourceAccount does."
    kinds = ("AWS::IAM::Role",)

    def problems(self, found):
        for statement in statements_of(found.resource):
            on_s3 = any(str(action).startswith("s3:") for action in branches(statement["Action"]))
            owner = statement.get("Condition", {}).get("StringEquals", {}).get("aws:ResourceAccount")
            if on_s3 and not owner:
                yield f"{statement.get('Sid')} does not say whose the bucket is (aws:ResourceAccount)"


class TrustIsConditional(ShardliftRule):
    id = "E9003"
    shortdesc = "A role lets nobody in without a condition"
    description = (
        "Roles of others give an external id, services act for this account alone; Lambda offers no condition."
    )
    kinds = ("AWS::IAM::Role",)

    def problems(self, found):
        for statement in allowing(found.properties["AssumeRolePolicyDocument"]):
            principal, condition = statement["Principal"], json.dumps(statement.get("Condition", {}))
            if "AWS" in principal and "sts:ExternalId" not in condition:
                yield "another role may enter without an external id (sts:ExternalId)"
            services = set(listed(principal.get("Service", []))) - {"lambda.amazonaws.com"}
            if services and "aws:SourceAccount" not in condition:
                yield f"{', '.join(sorted(services))} may enter for any account (aws:SourceAccount)"


class BucketsRefusePlainHttp(ShardliftRule):
    id = "E9004"
    shortdesc = "Every bucket has a policy that refuses plain HTTP"
    description = "Nothing else keeps a client from reading or writing in the clear."
    kinds = ("AWS::S3::Bucket",)

    def problems(self, found):
        for policy in found.cfn.get_resources("AWS::S3::BucketPolicy").values():
            if json.dumps({"Ref": found.name}) in json.dumps(policy["Properties"]["Bucket"]) and any(
                self._refuses(statement) for statement in branches(policy["Properties"]["PolicyDocument"]["Statement"])
            ):
                return
        yield "no bucket policy refuses every action without TLS (aws:SecureTransport)"

    def _refuses(self, statement):
        condition = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        everything = (statement["Effect"], statement.get("Principal"), statement["Action"]) == ("Deny", "*", "s3:*")
        return everything and str(condition).lower() == "false"


class BucketsAreClosedAndSwept(ShardliftRule):
    id = "E9005"
    shortdesc = "Every bucket is private, owner-enforced, encrypted, swept and kept"
    description = (
        "Closed to the public, no ACLs, encryption by default, stale uploads aborted, and not deleted with a stack."
    )
    kinds = ("AWS::S3::Bucket",)

    def problems(self, found):
        properties = found.properties
        if properties.get("PublicAccessBlockConfiguration") != CLOSED:
            yield "it is not closed to the public"
        if properties.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
            yield "its objects may have other owners, or ACLs"
        if not properties.get("BucketEncryption"):
            yield "it has no encryption by default"
        if "AbortIncompleteMultipartUpload" not in json.dumps(properties.get("LifecycleConfiguration", {})):
            yield "nothing aborts stale uploads"
        kept = found.resource.get("DeletionPolicy") in ("Retain", "RetainExceptOnCreate")
        if not kept or found.resource.get("UpdateReplacePolicy") != "Retain":
            yield "it goes when the stack goes, with what is in it"
        if "BucketName" in properties and found.resource.get("DeletionPolicy") == "Retain":
            yield "a failed first deployment keeps it, and its name is in the way of the second (RetainExceptOnCreate)"


class FunctionsAreWatched(ShardliftRule):
    id = "E9006"
    shortdesc = "Every function has a log that ends and an alarm on its errors"
    description = "A log group of its own with a retention, and an alarm on any error that reaches somebody."
    # As it is written, and as SAM makes it.
    kinds = ("AWS::Serverless::Function", "AWS::Lambda::Function")

    def problems(self, found):
        group = found.properties.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref")
        groups = found.cfn.get_resources("AWS::Logs::LogGroup")
        if group not in groups or not groups[group]["Properties"].get("RetentionInDays"):
            yield "its log has no end"
        alarms = found.cfn.get_resources("AWS::CloudWatch::Alarm").values()
        if not any(self._watches(alarm, found.name) for alarm in alarms):
            yield "no alarm tells of its errors"

    def _watches(self, alarm, name):
        properties = alarm["Properties"]
        is_errors = (properties.get("MetricName"), properties.get("Threshold")) == ("Errors", 0)
        watched = [dimension["Value"] for dimension in properties.get("Dimensions", [])]
        return is_errors and {"Ref": name} in watched and properties.get("AlarmActions")


class TrailsCanBeTrusted(ShardliftRule):
    id = "E9007"
    shortdesc = "Every trail validates its files and records data events"
    description = "A trail without validation can be edited unnoticed, one without data events shows no object."
    kinds = ("AWS::CloudTrail::Trail",)

    def problems(self, found):
        properties = found.properties
        if properties.get("EnableLogFileValidation") is not True:
            yield "its log files are not validated"
        if "AWS::S3::Object" not in json.dumps(properties.get("EventSelectors", [])):
            yield "it records no data events of objects"
