"""The templates grant exactly what `shardlift policy` prints, whatever the options: one source, held equal."""

import itertools
import json
import subprocess

import pytest
from shardlift_local.deployment import VERSION_READS

from tests.static.project import (
    ROOT,
    SOURCE_POLICY_PATH,
    SOURCE_TEMPLATE_PATH,
    TARGET_TEMPLATE_PATH,
    template,
)

from .rendering import Rendering, canonical

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
REGION, SOURCE_ACCOUNT, TARGET_ACCOUNT = "eu-west-1", "111111111111", "222222222222"
STACK = "shardlift"
PREFIXES = {"source": "data/é/", "target": "copy/"}
ROLE = f"arn:aws:iam::{TARGET_ACCOUNT}:role/shardlift-target"
SOURCE_KEY = f"arn:aws:kms:eu-west-1:{SOURCE_ACCOUNT}:key/source"
TARGET_KEY = f"arn:aws:kms:us-east-1:{TARGET_ACCOUNT}:key/target"
ADMINISTRATOR = f"arn:aws:iam::{TARGET_ACCOUNT}:role/admin/*"
TOPIC = f"arn:aws:sns:{REGION}:{SOURCE_ACCOUNT}:topic"
FUNCTIONS = ("planner", "copier", "renderer", "reporter")

# Option of the command, parameter of target-account.yaml and its value.
OPTIONS = {
    ("--mirror",): ("AllowMirrorDeletes", "true"),
    ("--acls",): ("AllowAcls", "true"),
    ("--versions",): ("AllowVersions", "true"),
    ("--without-tags",): ("AllowTags", "false"),
    ("--without-annotations",): ("AllowAnnotations", "false"),
    ("--source-key", SOURCE_KEY): ("SourceKmsKeyArn", SOURCE_KEY),
    ("--target-key", TARGET_KEY): ("TargetKmsKeyArn", TARGET_KEY),
    ("--administrator", ADMINISTRATOR): ("AdministratorArn", ADMINISTRATOR),
}
MIRROR_OPTION, VERSIONS_OPTION = ("--mirror",), ("--versions",)
SELECTIONS = [selection for count in range(len(OPTIONS) + 1) for selection in itertools.combinations(OPTIONS, count)]


def function_role(name):
    return f"arn:aws:iam::{SOURCE_ACCOUNT}:role/{name}"


def facts():
    """What `make local-up` would write for this stack."""
    return {
        "region": REGION,
        "source_account_id": SOURCE_ACCOUNT,
        "source_bucket": "my-source",
        "source_prefix": PREFIXES["source"],
        "target_bucket": "my-target",
        "target_prefix": PREFIXES["target"],
        "target_role_arn": ROLE,
        "external_id": "the-external-id",
        "state_machine_arn": f"arn:aws:states:{REGION}:{SOURCE_ACCOUNT}:stateMachine:{STACK}-sync",
        "ledger_table": "the-ledger",
        "control_bucket": "the-control-bucket",
        "topic_arn": TOPIC,
        **{f"{name}_role_arn": function_role(name) for name in FUNCTIONS},
    }


# What CloudFormation gives for AWS::Partition and AWS::URLSuffix.
PARTITIONS = {
    "aws": "amazonaws.com",
    "aws-us-gov": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-eusc": "amazonaws.eu",
}


def moved(value, partition):
    """A value with every ARN in another partition."""
    return json.loads(json.dumps(value).replace("arn:aws:", f"arn:{partition}:"))


def printed(outputs_path, *arguments):
    command = [SHARDLIFT, "--local", "--local-outputs", outputs_path, "policy", *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(result.stdout)


def pseudo(account, partition):
    return {
        "AWS::Partition": partition,
        "AWS::Region": REGION,
        "AWS::AccountId": account,
        "AWS::StackName": STACK,
        "AWS::URLSuffix": PARTITIONS[partition],
    }


def source_parameters(options=()):
    return {
        # The one option that concerns the source account's stack too.
        "AllowVersions": "true" if VERSIONS_OPTION in options else "false",
        "SourceBucketName": "my-source",
        "SourcePrefix": PREFIXES["source"],
        "TargetBucketName": "my-target",
        "TargetPrefix": PREFIXES["target"],
        "TargetAccountRoleArn": ROLE,
        "TargetExternalId": "the-external-id",
        "StartOnEvents": "true",
        "EnableTransforms": "true",
    }


def source_rendering(partition="aws", options=(), **further):
    parameters = {**source_parameters(options), **further}
    arn = f"{REGION}:{SOURCE_ACCOUNT}"
    attributes = {
        **pseudo(SOURCE_ACCOUNT, partition),
        "Topic": TOPIC,
        "Ledger.Arn": f"arn:aws:dynamodb:{arn}:table/the-ledger",
        "ControlBucket.Arn": "arn:aws:s3:::the-control-bucket",
        "EventsQueue.Arn": f"arn:aws:sqs:{arn}:{STACK}-events",
        "StateMachine": f"arn:aws:states:{arn}:stateMachine:{STACK}-sync",
        "ReporterRole": "reporter",
    }
    for name in (*FUNCTIONS, "intake"):
        group = f"arn:aws:logs:{arn}:log-group:/aws/lambda/{STACK}-{name}:*"
        attributes[f"{name.title()}LogGroup.Arn"] = group
    return Rendering(template(SOURCE_TEMPLATE_PATH), moved(parameters, partition), moved(attributes, partition))


def target_parameters(options):
    return {
        **{f"{name.title()}RoleArn": function_role(name) for name in FUNCTIONS},
        "ExternalId": "the-external-id",
        "SourceAccountId": SOURCE_ACCOUNT,
        "SourceBucketName": "my-source",
        "SourcePrefix": PREFIXES["source"],
        "TargetBucketName": "my-target",
        "TargetPrefix": PREFIXES["target"],
        **dict(OPTIONS[option] for option in options),
    }


def target_rendering(options, partition="aws"):
    parameters = target_parameters(options)
    attributes = {**pseudo(TARGET_ACCOUNT, partition), "TargetRole.Arn": ROLE}
    return Rendering(template(TARGET_TEMPLATE_PATH), moved(parameters, partition), moved(attributes, partition))


@pytest.mark.parametrize("options", [(), (VERSIONS_OPTION,)], ids=["plain", "versions"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_execution_role_is_the_one_that_is_printed(outputs_path, name, options):
    (policy,) = source_rendering(options=options).resource(f"{name.title()}Role")["Policies"]
    document = printed(outputs_path, f"{name}-role", *itertools.chain(*options))
    assert canonical(policy["PolicyDocument"]) == canonical(document)


@pytest.mark.parametrize("options", [(), (VERSIONS_OPTION,)], ids=["plain", "versions"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_execution_role_of_a_stack_with_further_pairs_is_the_one_that_is_printed(tmp_path, name, options):
    sources = ["arn:aws:s3:::logs", "arn:aws:s3:::photos"]
    roles = [f"arn:aws:iam::{account}:role/further" for account in (TARGET_ACCOUNT, "333333333333")]
    path = tmp_path / "outputs.json"
    further = {"further_source_bucket_arns": sources, "further_target_role_arns": roles}
    path.write_text(json.dumps({**facts(), **further}))
    parameters = {"FurtherSourceBucketArns": ",".join(sources), "FurtherTargetRoleArns": ",".join(roles)}
    (policy,) = source_rendering(options=options, **parameters).resource(f"{name.title()}Role")["Policies"]
    document = printed(path, f"{name}-role", *itertools.chain(*options))
    assert canonical(policy["PolicyDocument"]) == canonical(document)
    assert ("ListFurtherSources" in canonical(document)) == (name == "planner")


@pytest.mark.parametrize("partition", list(PARTITIONS))
def test_the_roles_of_a_stack_that_starts_on_events_are_those_that_are_printed(tmp_path, partition):
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(moved(facts(), partition)))
    (policy,) = source_rendering(partition).resource("IntakeRole")["Policies"]
    assert canonical(policy["PolicyDocument"]) == canonical(printed(path, "intake-role"))
    of_events = source_rendering(partition).resource("ReporterOfEventsPolicy")["PolicyDocument"]
    assert canonical(of_events) == canonical(printed(path, "reporter-of-events"))


@pytest.mark.parametrize("options", SELECTIONS, ids=lambda options: " ".join(o[0] for o in options) or "plain")
def test_the_target_account_is_the_one_that_is_printed(outputs_path, options):
    documents = printed(outputs_path, "--json", *itertools.chain(*options))
    same_as_printed(target_rendering(options), documents)


@pytest.mark.parametrize("partition", list(PARTITIONS))
def test_the_documents_of_every_partition_are_those_that_are_printed(tmp_path, partition):
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps(moved(facts(), partition)))
    options = [*OPTIONS]
    documents = printed(path, "--json", *moved([*itertools.chain(*options)], partition))
    assert f"s3.eu-west-1.{PARTITIONS[partition]}" in json.dumps(documents["source-key"])
    same_as_printed(target_rendering(options, partition), documents)
    for name in FUNCTIONS:
        (policy,) = source_rendering(partition, options).resource(f"{name.title()}Role")["Policies"]
        assert canonical(policy["PolicyDocument"]) == canonical(documents[f"{name}-role"])


def same_as_printed(rendering, documents):
    role = rendering.resource("TargetRole")
    (permissions,) = role["Policies"]
    assert canonical(permissions["PolicyDocument"]) == canonical(documents["target-role"])
    assert canonical(role["AssumeRolePolicyDocument"]) == canonical(documents["target-trust"])
    bucket = rendering.resource("TargetBucketPolicy")["PolicyDocument"]
    assert canonical(bucket) == canonical(documents["target-bucket"])


def test_the_source_bucket_policy_of_the_local_stack_is_the_one_that_is_printed(outputs_path):
    text = SOURCE_POLICY_PATH.read_text()
    values = {
        "Partition": "aws",
        "SourceBucketName": "my-source",
        "SourcePrefix": PREFIXES["source"],
        "TargetRoleArn": ROLE,
    }
    for name, value in values.items():
        text = text.replace("${" + name + "}", value)
    assert canonical(json.loads(text)) == canonical(printed(outputs_path, "source-bucket"))


def test_the_local_stack_lets_versions_be_read_as_it_is_printed(outputs_path):
    plain, versions = (
        canonical(printed(outputs_path, "source-bucket", *options))["ShardliftReadSource"]
        for options in ((), ("--versions",))
    )
    assert set(versions["Action"]) == set(plain["Action"]) | set(VERSION_READS)


def test_merging_keeps_what_others_wrote(outputs_path, tmp_path):
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*"}
    existing = {"Version": "2012-10-17", "Id": "kept", "Statement": [theirs]}
    path = tmp_path / "existing.json"
    path.write_text(json.dumps(existing))
    merged = printed(outputs_path, "source-bucket", "--merge", path)
    assert merged["Id"] == "kept"
    assert merged["Statement"][0] == theirs
    assert merged["Statement"][1:] == printed(outputs_path, "source-bucket")["Statement"]
    path.write_text(json.dumps(merged))
    assert printed(outputs_path, "source-bucket", "--merge", path) == merged
