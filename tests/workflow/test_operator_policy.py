"""A user with the printed policy and nothing else operates runs; without one of its statements, a sentence says so."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from shardlift_local.accounts import REGION
from shardlift_local.deployment import Deployment
from shardlift_local.sample import Item

from .execution import Machine
from .operator_command import OperatorCommand, UserCommand
from .pair import TestPair

USER, STACK = "an-operator", "with-operators"
PLACES = json.dumps({"source": {"prefix": "o/"}, "target": {"prefix": "o/"}})
RUN_NAME = "by-an-operator"
# Statements without which a command shows the rest, and the words with which it says what it could not show.
SHOWS_THE_REST = {"ReadTheSchedule": "Next run: not known. ", "FindThePairs": "Further pairs: not known. "}
# Each statement with a command that needs it, and what the command says without it.
NEEDED = {
    "FindTheStack": (["status"], "cloudformation:DescribeStacks"),
    "ReadTheSchedule": (["status"], "scheduler:GetSchedule"),
    "FindThePairs": (["status"], "scheduler:ListSchedules"),
    "StartAndListRuns": (["start", "--input", PLACES], "states:StartExecution"),
    "WatchAndStopRuns": (["watch", RUN_NAME], "states:DescribeExecution"),
    "ReadTheLedger": (["shards", RUN_NAME], "dynamodb:"),
    "ReadTheRunsDocuments": (["report", RUN_NAME], "s3:GetObject"),
    "TellMissingFromForbidden": (["report", "no-such-run"], "s3:GetObject"),
    "UploadLists": (["start", "--list", "LIST", "--input", PLACES], "s3:PutObject"),
}


@pytest.fixture(scope="module")
def machine(server):
    deployment = Deployment(server.endpoint_url, name=STACK)
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def policy(machine, tmp_path_factory):
    command = OperatorCommand.on(machine, tmp_path_factory.mktemp("operators"))
    return json.loads(command("policy", "operator")[0])


@pytest.fixture(scope="module")
def iam(machine):
    iam = machine.deployment.source.client("iam")
    iam.create_user(UserName=USER)
    return iam


@pytest.fixture(scope="module")
def user(server, iam, policy):
    allow(iam, policy)
    return UserCommand(server.endpoint_url, STACK, iam.create_access_key(UserName=USER)["AccessKey"])


def allow(iam, policy):
    iam.put_user_policy(UserName=USER, PolicyName="operator", PolicyDocument=json.dumps(policy))


@pytest.fixture(scope="module")
def run(machine, user):
    TestPair(machine, "o/").upload([Item("a", generated_bytes=5)])
    ran = user.run("start", "--name", RUN_NAME, "--input", PLACES, "--watch")
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.lstrip().startswith("COMPLETE")
    return RUN_NAME


def test_an_operator_starts_watches_stops_and_reads(machine, user, run, tmp_path):
    path = tmp_path / "keys.csv"
    path.write_text(f"{machine.outputs['source_bucket']},o/a\n")
    shards = json.loads(user.run("shards", run, "--output", "json").stdout)["shards"]
    for arguments in (
        ["status"],
        ["report", run],
        ["report", run, "--save", tmp_path / "saved"],
        ["failures", run],
        ["shards", run],
        ["manifest", run, shards[0]["shard_id"]],
        ["plan", "--source", f"s3://{machine.outputs['source_bucket']}/o/"],
        ["start", "--list", path, "--input", PLACES, "--watch"],
        ["stop", run],
        ["console", run],
    ):
        ran = user.run(*arguments)
        assert ran.returncode == 0, (arguments, ran.stdout, ran.stderr)
    machine.start(json.loads(PLACES), "to-be-stopped")
    ran = user.run("stop", "to-be-stopped")
    assert "ABORTED  run to-be-stopped was stopped" in ran.stdout, ran.stderr
    ran = user.run("rerun", "to-be-stopped", "--watch")
    assert ran.returncode == 0, ran.stderr


def test_an_operator_reads_and_writes_no_object_of_the_pair(machine, user, run):
    key = user.access_key
    s3 = boto3.client(
        "s3",
        endpoint_url=user.endpoint_url,
        region_name=REGION,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    for bucket in (machine.outputs["source_bucket"], machine.outputs["target_bucket"]):
        with pytest.raises(ClientError, match=r"AccessDenied|403"):
            s3.get_object(Bucket=bucket, Key="o/a")
        with pytest.raises(ClientError, match=r"AccessDenied|403"):
            s3.put_object(Bucket=bucket, Key="o/a", Body=b"")
    with pytest.raises(ClientError, match=r"AccessDenied|403"):
        s3.delete_object(Bucket=machine.outputs["control_bucket"], Key=f"runs/{run}/report.json")


def test_every_statement_is_tried(policy):
    assert [statement["Sid"] for statement in policy["Statement"]] == list(NEEDED)


@pytest.fixture
def ran_without(user, iam, policy, tmp_path):
    """Runs the command that needs a statement without it."""

    def run_it(sid):
        path = tmp_path / "keys.csv"
        path.write_text("any,o/a\n")
        arguments = [str(path) if word == "LIST" else word for word in NEEDED[sid][0]]
        left = [statement for statement in policy["Statement"] if statement["Sid"] != sid]
        allow(iam, {**policy, "Statement": left})
        try:
            return user.run(*arguments)
        finally:
            allow(iam, policy)

    return run_it


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("sid", [sid for sid in NEEDED if sid not in SHOWS_THE_REST])
def test_without_a_statement_a_sentence_says_what_is_refused(ran_without, sid):
    ran = ran_without(sid)
    assert ran.returncode == 2, (ran.stdout, ran.stderr)
    assert ran.stdout == ""
    assert NEEDED[sid][1] in ran.stderr
    assert "shardlift policy operator" in ran.stderr, ran.stderr
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize("sid", SHOWS_THE_REST)
def test_runs_are_shown_to_whoever_may_not_read_the_schedules(ran_without, sid):
    ran = ran_without(sid)
    assert ran.returncode == 0, (ran.stdout, ran.stderr)
    told = " ".join(ran.stdout.split())
    assert SHOWS_THE_REST[sid] in told
    assert NEEDED[sid][1] in told
    assert "shardlift policy operator" in told
    assert RUN_NAME in told
