"""Several pairs on one stack: each runs by its own schedule, and what happens to one does not happen to another."""

import json

import pytest
from botocore.exceptions import ClientError
from shardlift_local.deployment import Deployment

from .execution import Inbox, Machine
from .further_pair import FurtherPair
from .operator_command import BROKEN, OperatorCommand

STACK = "paired"
ARCHIVE = "paired-archive"
NAMES = ("logs", "photos")


@pytest.fixture(scope="module")
def machine(server):
    """A stack with the template's own ceilings, and what its pairs need beyond them."""
    account = Deployment(server.endpoint_url).target.account_id
    further = {
        # The stack's own bucket too: the pair `logs` is in it, outside of the stack's own prefix.
        "FurtherSourceBucketArns": f"arn:aws:s3:::{STACK}-source,arn:aws:s3:::{ARCHIVE}",
        "FurtherTargetBucketNames": ",".join(f"{STACK}-{name}" for name in NAMES),
        "FurtherTargetRoleArns": ",".join(f"arn:aws:iam::{account}:role/{STACK}-{name}-role" for name in NAMES),
        "RunFilters": '{"exclude":["**.tmp"]}',
    }
    deployment = Deployment(
        server.endpoint_url,
        name=STACK,
        source_prefix="data/",
        target_prefix="copy/",
        parameters=further,
        has_widest_ceilings=False,
    )
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def command(machine, tmp_path_factory):
    return OperatorCommand.on(machine, tmp_path_factory.mktemp("paired"))


@pytest.fixture(scope="module")
def inbox(machine):
    return Inbox(machine, "paired-inbox")


@pytest.fixture(scope="module")
def pairs(machine, command, tmp_path_factory):
    """Two further pairs, whose roles the source buckets' policies let in as `shardlift policy` prints it."""
    s3 = machine.deployment.source.client("s3")
    s3.create_bucket(Bucket=ARCHIVE)
    schedule = {"ScheduleState": "ENABLED", "ScheduleExpression": "cron(30 3 * * ? *)"}
    pairs = {
        "logs": FurtherPair(machine, "logs", f"{STACK}-source", "logs/", {**schedule, "RunExclude": "**.gz,**.old"}),
        "photos": FurtherPair(machine, "photos", ARCHIVE, "", schedule),
    }
    folder = tmp_path_factory.mktemp("policies")
    for pair in pairs.values():
        pair.deploy()
        path = folder / pair.name
        path.write_text(json.dumps(pair.source_policy()))
        place = ["--source-bucket", pair.source_bucket, "--source-prefix", pair.source_prefix]
        options = ["--role-arn", pair.role_arn, "--merge", path]
        policy, _beside = command("policy", "source-bucket", *place, *options)
        s3.put_bucket_policy(Bucket=pair.source_bucket, Policy=policy)
    return pairs


def put_own(machine, *keys):
    s3 = machine.deployment.source.client("s3")
    for key in keys:
        s3.put_object(Bucket=machine.deployment.source_bucket, Key=f"data/{key}", Body=key.encode())


def report(machine, run_id):
    s3 = machine.deployment.source.client("s3")
    found = s3.get_object(Bucket=machine.outputs["control_bucket"], Key=f"runs/{run_id}/report.json")
    return json.loads(found["Body"].read())


def test_each_pair_runs_by_the_input_of_its_schedule(machine, pairs):
    put_own(machine, "a", "b.tmp")
    pairs["logs"].put("one", "two.gz", "three.tmp")
    pairs["photos"].put("p/1.jpg")
    for run_id, run_input in (
        ("own-1", {}),
        ("logs-1", pairs["logs"].input()),
        ("photos-1", pairs["photos"].input()),
    ):
        execution = machine.run(run_input, run_id)
        assert execution.status == "SUCCEEDED", execution
        assert report(machine, run_id)["verdict"] == "COMPLETE"
    # The filters are the pair's own: what the stack leaves out, this pair copies.
    assert pairs["logs"].target_keys() == {"one", "three.tmp"}
    assert pairs["photos"].target_keys() == {"p/1.jpg"}


def test_a_pair_whose_role_is_broken_breaks_alone_and_the_notice_says_which(machine, pairs, inbox):
    iam = machine.deployment.target.client("iam")
    role = pairs["logs"].role_name
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    refusing = {**trust, "Statement": [{**statement, "Effect": "Deny"} for statement in trust["Statement"]]}
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(refusing))
    inbox.drain()
    try:
        pairs["logs"].put("four")
        pairs["photos"].put("p/2.jpg")
        started = {name: machine.start(pairs[name].input(), f"{name}-2") for name in NAMES}
        ended = {name: machine.wait(arn) for name, arn in started.items()}
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    assert {name: execution.status for name, execution in ended.items()} == {"logs": "FAILED", "photos": "SUCCEEDED"}
    assert pairs["photos"].target_keys() == {"p/1.jpg", "p/2.jpg"}
    told = {message["Subject"]: message["Message"] for message in inbox.drain()}
    (broken,) = [text for subject, text in told.items() if "logs-2" in subject]
    (complete,) = [text for subject, text in told.items() if "photos-2" in subject]
    # It broke before there was a record of it: the role is what names the pair.
    assert pairs["logs"].role_arn in broken, broken
    assert ARCHIVE in complete, complete
    assert f"{STACK}-logs" not in complete, complete


def locks(machine):
    dynamodb = machine.deployment.source.client("dynamodb")
    found = dynamodb.scan(TableName=machine.outputs["ledger_table"])["Items"]
    return [item["pk"]["S"] for item in found if item["pk"]["S"].startswith("LOCKS#")]


def test_a_run_of_one_pair_holds_no_lock_of_another(machine, pairs):
    """Runs of the other pairs start while one holds its lock; a run that met a lock would fail with `RunOverlap`."""
    pairs["logs"].put(*(f"many/{number}" for number in range(300)))
    first = machine.start(pairs["logs"].input(), "logs-3")
    while not locks(machine):
        assert machine.states.describe_execution(executionArn=first)["status"] == "RUNNING"
    others = [machine.start({}, "own-3"), machine.start(pairs["photos"].input(), "photos-3")]
    for arn in (first, *others):
        assert machine.wait(arn).status == "SUCCEEDED"
    assert locks(machine) == []


def test_an_input_beyond_what_the_stack_allows_to_pairs_is_refused(machine, pairs):
    for change, field in (
        ({"source": {"bucket": "elsewhere"}}, "source.bucket"),
        ({"target": {"bucket": "elsewhere"}}, "target.bucket"),
        ({"mode": "mirror"}, "mode"),
    ):
        run_input = pairs["photos"].input()
        for name, value in change.items():
            run_input[name] = {**run_input[name], **value} if isinstance(value, dict) else value
        execution = machine.run(run_input)
        assert (execution.status, execution.error) == ("FAILED", "InvalidRun")
        assert f"`{field}`" in report(machine, execution.run_id)["problem"]["message"]


def heartbeats(machine, run_id):
    """The metrics of a report, of each line that the reporter has printed, by its dimensions."""
    logs = machine.deployment.source.client("logs")
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=f"/aws/lambda/{STACK}-reporter")
    lines = [event["message"] for page in pages for event in page["events"]]
    found = [json.loads(line) for line in lines if line.startswith("{") and '"CloudWatchMetrics"' in line]
    return [line for line in found if line["run.id"] == run_id]


def test_the_heartbeat_of_a_pair_is_not_that_of_another(machine, pairs):
    assert pairs
    (own,) = heartbeats(machine, "own-1")
    assert own["RunsComplete"] == 1
    assert "Target" not in own
    for_all, for_pair = sorted(heartbeats(machine, "logs-1"), key=lambda line: "Target" in line)
    assert "RunsComplete" not in for_all
    assert (for_pair["RunsComplete"], for_pair["Target"]) == (1, f"{STACK}-logs/")
    alarms = machine.deployment.source.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"{STACK}-pair-logs-")
    (silence,) = [one for one in alarms["MetricAlarms"] if one["MetricName"] == "RunsComplete"]
    named = {dimension["Name"]: dimension["Value"] for dimension in silence["Dimensions"]}
    assert named == {name: for_pair[name] for name in ("StateMachine", "Target")}


def test_the_status_shows_every_pair_with_its_next_and_its_last_run(command, pairs):
    document = command.json("status")
    assert document["pair"]["source"] == f"s3://{STACK}-source/data/"
    assert document["last_run"]["run_id"] == "own-3"
    shown = {pair["name"]: pair for pair in document["further_pairs"]}
    assert list(shown) == list(NAMES)
    for name, pair in shown.items():
        expected = pairs[name]
        assert pair["pair"] == {
            "source": f"s3://{expected.source_bucket}/{expected.source_prefix}",
            "target": f"s3://{expected.target_bucket}/",
            "mode": "sync",
        }
        assert pair["problem"] is None
        assert pair["schedule"]["enabled"] is True
        assert "T03:30:00Z" in pair["schedule"]["next_run_at"]
        assert (pair["last_run"]["run_id"], pair["last_run"]["verdict"]) == (f"{name}-3", "COMPLETE")
    by_run = {run["run_id"]: run["pair"] for run in document["runs"]}
    assert (by_run["own-3"], by_run["logs-3"], by_run["photos-3"]) == (None, "logs", "photos")
    told = " ".join(command("status", "--count", "2")[0].split())
    for name in NAMES:
        assert f"Pair {name}: s3://" in told or f"Pair {name} s3://" in told, told
        assert f"Last run: COMPLETE {name}-3" in told, told
    assert "Last run: COMPLETE own-3" in told, told


def test_a_run_of_a_pair_is_started_and_planned_by_its_name(command, pairs):
    pairs["logs"].put("by-hand")
    told, _beside = command("plan", "--pair", "logs")
    assert "PLANNED" in told
    assert "by-hand" not in pairs["logs"].target_keys()
    started = command.json("start", "--pair", "logs", "--name", "logs-by-hand", "--rounds-max", "1")
    scheduled = pairs["logs"].input()
    assert scheduled.pop("started_by") == "schedule"
    assert started["input"] == {**scheduled, "rounds_max": 1}, "a person started it"
    told, _beside = command("watch", "logs-by-hand")
    assert told.lstrip().startswith("COMPLETE"), told
    assert "by-hand" in pairs["logs"].target_keys()
    _told, beside = command("start", "--pair", "nix", code=BROKEN)
    assert "there is no schedule paired-pair-nix" in beside
    _told, beside = command("start", "--pair", "logs", "--input", "{}", code=BROKEN)
    assert "cannot be used with" in beside


def test_a_merge_leaves_the_statements_of_the_other_pairs_role(machine, pairs):
    """The stack's own role and that of `logs` read the same bucket."""
    statements = pairs["logs"].source_policy()["Statement"]
    readers = {s["Sid"]: s["Principal"]["AWS"] for s in statements if "Read" in s["Sid"]}
    assert readers == {
        "ShardliftReadSource": machine.outputs["target_role_arn"],
        "ShardliftReadSource2": pairs["logs"].role_arn,
    }


def test_a_schedule_that_somebody_broke_is_told_and_the_others_are_shown(machine, command, pairs):
    scheduler = machine.deployment.source.client("scheduler")
    found = scheduler.get_schedule(Name=pairs["logs"].schedule_name)
    kept = {name: found[name] for name in ("Name", "ScheduleExpression", "FlexibleTimeWindow", "State", "Target")}
    try:
        scheduler.update_schedule(**{**kept, "Target": {**kept["Target"], "Input": '{"no_field": 1}'}})
        shown = {pair["name"]: pair for pair in command.json("status")["further_pairs"]}
    finally:
        scheduler.update_schedule(**kept)
    assert "no_field" in shown["logs"]["problem"]
    assert (shown["logs"]["pair"], shown["photos"]["problem"]) == (None, None)


def test_what_a_pair_left_of_the_stack_is_as_it_was(machine, command, pairs):
    """The last test: it deletes a pair."""
    cloudformation = machine.deployment.source.client("cloudformation")

    def resources():
        found = cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
        return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}

    before = resources()
    cloudformation.delete_stack(StackName=pairs["logs"].schedule_name)
    scheduler = machine.deployment.source.client("scheduler")
    with pytest.raises(ClientError, match="does not exist"):
        scheduler.get_schedule(Name=pairs["logs"].schedule_name)
    assert resources() == before
    document = command.json("status")
    assert [pair["name"] for pair in document["further_pairs"]] == ["photos"]
    for run_input in ({}, pairs["photos"].input()):
        assert machine.run(run_input).status == "SUCCEEDED"
