"""What `shardlift doctor` finds before a run does, and that what it prints fixes it."""

import json
import shlex
import subprocess
import sys

import pytest
from shardlift_local.accounts import REGION
from shardlift_local.deployment import Deployment

from tests.security.mutations import Cut, Mutation, Policies

from .execution import Inbox, Machine
from .operator_command import INCOMPLETE, OperatorCommand


@pytest.fixture(scope="module")
def machine(server):
    deployment = Deployment(server.endpoint_url, name="examined")
    machine = Machine(deployment, deployment.deploy())
    # Somebody hears of the runs.
    Inbox(machine, "examined-inbox")
    return machine


@pytest.fixture(scope="module")
def command(machine, tmp_path_factory):
    return OperatorCommand.on(machine, tmp_path_factory.mktemp("examined"))


def found(command, check, code=0):
    """What is found by a check."""
    document = command.json("doctor", code=code)
    (finding,) = [one for one in document["findings"] if one["check"] == check]
    return finding


def test_a_stack_that_works_has_no_problem(command):
    document = command.json("doctor")
    levels = {one["check"]: one["level"] for one in document["findings"]}
    assert document["problems"] == 0
    assert document["unknown"] == 0, document
    # The local stack sets no lifecycle, and the schedule is off by default.
    assert {check for check, level in levels.items() if level != "ok"} == {"schedule", "target bucket's uploads"}
    told, _beside = command("doctor")
    assert told.rstrip().endswith("shardlift --local plan")


CUTS = {
    "source bucket policy": Cut("source-bucket", "ShardliftReadSource", "statement"),
    "target role's permissions": Cut("target-role", "WriteTarget", "statement"),
    "target role's trust": Cut("target-trust", "LetTheFunctionsEnter", "principal", "Copier"),
}


@pytest.mark.parametrize("check", CUTS)
def test_what_a_policy_lacks_is_a_problem(machine, command, check):
    policies = Policies(machine.deployment, machine.outputs, {})
    cut = CUTS[check]
    sids = [statement["Sid"] for statement in policies.read(cut.document)["Statement"]]
    if cut.sid not in sids:
        cut = Cut(cut.document, sids[-1], cut.kind, cut.what)
    with policies.without(Mutation((cut,))):
        problem = found(command, check, INCOMPLETE)
        assert problem["level"] == "problem"
        assert problem["fix"]
    assert found(command, check)["level"] == "ok"


def test_the_printed_commands_give_the_source_bucket_its_policy_back(machine, command, tmp_path):
    """As a person pastes them, one after the other."""
    s3, bucket = machine.deployment.source.client("s3"), machine.outputs["source_bucket"]
    theirs = {"Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketAcl"}
    theirs["Resource"] = f"arn:aws:s3:::{bucket}"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy)
    problem = found(command, "source bucket policy", INCOMPLETE)
    assert "ShardliftListSource, ShardliftReadSource" in problem["what"]
    paste(machine, command, problem["fix"], tmp_path)
    assert found(command, "source bucket policy")["level"] == "ok"
    kept = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert theirs in kept
    # And where there was none.
    s3.delete_bucket_policy(Bucket=bucket)
    paste(machine, command, found(command, "source bucket policy", INCOMPLETE)["fix"], tmp_path)
    assert found(command, "source bucket policy")["level"] == "ok"


def paste(machine, command, lines, folder):
    """Runs commands in a shell that knows both programs."""
    account = machine.deployment.source
    local = shlex.join(map(str, command.line()[:1])), shlex.quote(str(command.outputs_path))
    functions = f'shardlift() {{ {local[0]} --local-outputs {local[1]} "$@"; }}\n'
    functions += f'aws() {{ {shlex.quote(sys.executable)} -m awscli "$@"; }}\n'
    environment = {
        "PATH": "/usr/bin:/bin",
        "AWS_ENDPOINT_URL": account.endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
    }
    script = functions + "set -e\n" + "\n".join(lines)
    ran = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, (script, ran.stdout, ran.stderr)


def test_versions_that_are_not_kept_are_a_note(machine, command):
    s3, bucket = machine.deployment.target.client("s3"), machine.outputs["target_bucket"]
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    note = found(command, "target bucket's versions")
    assert (note["level"], len(note["fix"])) == ("note", 1)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert found(command, "target bucket's versions")["level"] == "ok"


def test_a_default_key_is_a_note_with_the_statement_for_it(machine, command):
    s3, bucket = machine.deployment.target.client("s3"), machine.outputs["target_bucket"]
    key = f"arn:aws:kms:{REGION}:{machine.outputs['target_account_id']}:key/1234"
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    note = found(command, "target bucket's encryption")
    s3.delete_bucket_encryption(Bucket=bucket)
    assert note["level"] == "note"
    assert f"--target-key {key}" in note["fix"][0]


def test_a_role_that_is_gone_is_a_problem_with_the_command_that_makes_it(machine, tmp_path):
    """By a stack whose parameter names another role."""
    deployment = machine.deployment
    other = Deployment(deployment.endpoint_url, name="without-role")
    other.source.client("s3").create_bucket(Bucket=other.source_bucket)
    outputs = other._outputs(other._deploy_source_stack())
    bare = OperatorCommand.on(Machine(other, outputs), tmp_path)
    document = bare.json("doctor", code=INCOMPLETE)
    problems = {one["check"]: one for one in document["findings"] if one["level"] == "problem"}
    assert problems.keys() == {"notifications", "source bucket policy", "target role", "target bucket"}
    assert "aws cloudformation deploy" in problems["target role"]["fix"][0]
    assert "there is no bucket" in problems["target bucket"]["what"]
