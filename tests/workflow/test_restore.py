"""A prefix brought back as it was, into a fresh prefix of the same bucket, by the command of OPERATIONS.md."""

import json
import os
import re
import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from shardlift_local.comparison import listing

from tests.static.project import ROOT

from .pair import TestPair
from .restoring import instant_after_the_last_write, restoring_machine
from .test_command import SHARDLIFT

OBJECTS = {f"{number:03}/+ %ü.txt": f"as it was {number}".encode() for number in range(120)}
KEYS = list(OBJECTS)
OVERWRITTEN, DELETED, KEPT = KEYS[:50], KEYS[50:100], KEYS[100:]
NAME = "restoring"


@pytest.fixture(scope="module")
def restoring(server):
    return restoring_machine(server, NAME)


@pytest.fixture(scope="module")
def instant(restoring):
    """The instant after which 100 of 120 objects were overwritten or deleted."""
    s3, bucket = restoring.deployment.source.client("s3"), restoring.outputs["source_bucket"]

    def each(action, keys):
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(action, keys))

    each(lambda key: s3.put_object(Bucket=bucket, Key=f"data/{key}", Body=OBJECTS[key], Tagging="is=wanted"), KEYS)
    instant = instant_after_the_last_write()
    each(lambda key: s3.put_object(Bucket=bucket, Key=f"data/{key}", Body=b"spoilt"), OVERWRITTEN)
    each(lambda key: s3.delete_object(Bucket=bucket, Key=f"data/{key}"), DELETED)
    s3.put_object(Bucket=bucket, Key="data/new", Body=b"since")
    return instant


def documented_command():
    """The command of OPERATIONS.md that starts a restore."""
    text = (ROOT / "docs" / "OPERATIONS.md").read_text()
    (command,) = re.findall(r"^shardlift (?:[^\n]*\\\n)*[^\n]* --as-of (?:[^\n]*\\\n)*[^\n]*$", text, re.MULTILINE)
    return command.replace("\\\n", " ")


def start(machine, tmp_path, run_id, instant, prefix="restored/"):
    """Runs the documented command, with this stack's names in it, and waits for the end of the run."""
    command = documented_command()
    for written, meant in {
        "2026-11-20T02:00:00Z": instant,
        "my-source": machine.outputs["source_bucket"],
        "restored/": prefix,
        "arn:aws:iam::111111111111:role/shardlift-restore": machine.outputs["restore_role_arn"],
    }.items():
        assert written in command
        command = command.replace(written, meant)
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(machine.outputs))
    # The local stack in place of the named one; the test watches by itself.
    named = "shardlift --stack shardlift "
    assert command.startswith(named)
    arguments = [a for a in shlex.split(command.removeprefix(named)) if a != "--watch"]
    place = ["--local", "--local-outputs", outputs]
    ran = subprocess.run(
        [SHARDLIFT, *place, *arguments, "--name", run_id],
        env={"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    arn = machine.outputs["state_machine_arn"].replace(":stateMachine:", ":execution:")
    return machine.wait(f"{arn}:{run_id}")


def bodies(machine, prefix):
    s3, bucket = machine.deployment.source.client("s3"), machine.outputs["source_bucket"]
    keys = list(listing(s3, bucket, prefix))

    def body(key):
        return s3.get_object(Bucket=bucket, Key=prefix + key)["Body"].read()

    with ThreadPoolExecutor(16) as pool:
        return dict(zip(keys, pool.map(body, keys), strict=True))


@contextmanager
def without(machine, role, action):
    """The role's inline policy without an action."""
    iam = machine.deployment.source.client("iam")
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    document = json.loads(document) if isinstance(document, str) else document
    less = json.loads(json.dumps(document))
    for statement in less["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        statement["Action"] = [a for a in actions if a != action] or ["s3:ListAllMyBuckets"]
    assert less != document
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


def test_the_state_of_an_instant_comes_back_into_a_fresh_prefix_of_the_same_bucket(restoring, instant, tmp_path):
    before = bodies(restoring, "data/")
    execution = start(restoring, tmp_path, "restore", instant)
    assert execution.status == "SUCCEEDED", execution.cause
    report = TestPair(restoring, "").report(execution)
    assert (report["verdict"], report["copied"]["objects"]) == ("COMPLETE", len(OBJECTS))
    assert bodies(restoring, "restored/") == OBJECTS
    assert bodies(restoring, "data/") == before, "the source is as it was"
    s3, bucket = restoring.deployment.source.client("s3"), restoring.outputs["source_bucket"]
    for key in (OVERWRITTEN[0], DELETED[0], KEPT[0]):
        tags = s3.get_object_tagging(Bucket=bucket, Key=f"restored/{key}")["TagSet"]
        assert tags == [{"Key": "is", "Value": "wanted"}], key
    # Synced once more: everything is the same.
    places = {
        "source": {"prefix": "data/", "as_of": instant},
        "target": {"bucket": bucket, "prefix": "restored/", "role_arn": restoring.outputs["restore_role_arn"]},
    }
    again = TestPair(restoring, "").report(restoring.run({"mode": "sync", **places}))
    assert (again["verdict"], again["planned"]["objects"]) == ("COMPLETE", 0)
    assert again["proof"]["digest"] == report["proof"]["digest"]


def test_a_rerun_copies_the_versions_that_failed(restoring, instant, tmp_path):
    s3, bucket = restoring.deployment.source.client("s3"), restoring.outputs["source_bucket"]
    refused = [f"arn:aws:s3:::{bucket}/restored/again/{key}" for key in (OVERWRITTEN[1], DELETED[1])]
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": refused}],
    }
    before = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    policy["Statement"] += before["Statement"]
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        execution = start(restoring, tmp_path, "restore-again", instant, "restored/again/")
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(before))
    assert execution.status == "FAILED"
    failures = TestPair(restoring, "").failures(execution)
    assert len(failures) == 2
    assert all(row["version_id"] for row in failures)
    rerun = restoring.run({"rerun_of": "restore-again"})
    assert rerun.status == "SUCCEEDED", rerun.cause
    assert bodies(restoring, "restored/again/") == OBJECTS


@pytest.mark.parametrize(
    ("of", "action"),
    [
        ("planner_role_arn", "s3:ListBucketVersions"),
        ("planner_role_arn", "s3:GetBucketVersioning"),
        ("restore_role_arn", "s3:GetObjectVersion"),
        ("restore_role_arn", "s3:GetObjectVersionTagging"),
    ],
)
def test_a_permission_that_is_missing_is_named_and_nothing_is_copied(restoring, instant, tmp_path, of, action):
    role = restoring.outputs[of].rpartition("/")[2]
    run_id = action.replace(":", "-")
    with without(restoring, role, action):
        execution = start(restoring, tmp_path, run_id, instant, f"restored/{run_id}/")
    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")
    assert action in execution.cause
    assert bodies(restoring, f"restored/{run_id}/") == {}
    table = json.loads(TestPair(restoring, "").document(execution, "preflight.json"))
    (row,) = [row for row in table["rows"] if row["result"] == "refused"]
    assert row["action"] == action
