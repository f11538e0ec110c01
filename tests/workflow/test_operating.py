"""What failed, what is started after it, and how a run is stopped: the command from the cause to the rerun."""

import csv
import io
import json
import subprocess
import threading
import time

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.sample import Item

from tests.security.mutations import Cut, Mutation, Policies

from .execution import Machine
from .modelled import take_over_buckets
from .operator_command import BROKEN, INCOMPLETE, OperatorCommand
from .pair import TestPair
from .test_rerun import RerunPair

KEYS = {"a", "b", "c"}
WAIT_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def machine(server):
    deployment = Deployment(server.endpoint_url, name="operated")
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def command(machine, tmp_path_factory):
    return OperatorCommand.on(machine, tmp_path_factory.mktemp("operated"))


@pytest.fixture
def pair(machine, request):
    pair = TestPair(machine, f"{request.node.name.removeprefix('test_')}/")
    pair.upload([Item(key, generated_bytes=10) for key in sorted(KEYS)])
    return pair


def places(pair, **more):
    return json.dumps({"source": {"prefix": pair.prefix}, "target": {"prefix": pair.prefix}, **more})


def refusing(machine, pair, key):
    """The policies, and the source bucket's with one that refuses to read an object."""
    policies = Policies(machine.deployment, machine.outputs, {})
    allowed = policies.read("source-bucket")
    _s3, bucket, prefix = pair.source
    deny = {"Sid": "RefuseOne", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    deny["Resource"] = f"arn:aws:s3:::{bucket}/{prefix}{key}"
    return policies, allowed, {**allowed, "Statement": [*allowed["Statement"], deny]}


def test_from_an_incomplete_run_to_its_cause_its_fix_and_its_rerun(machine, command, pair):
    policies, allowed, refused = refusing(machine, pair, "b")
    policies.write("source-bucket", refused)
    command("start", "--name", "incomplete", "--input", places(pair, rounds_max=1), "--watch", code=INCOMPLETE)
    told, _beside = command("failures", code=INCOMPLETE)
    for said in ("AccessDenied: 1 object", f"{pair.prefix}b", "What to do:", "--rerun-of incomplete"):
        assert said in told, told
    document = command.json("failures", "incomplete", code=INCOMPLETE)
    assert [one["key"] for one in document["failures"]] == [f"{pair.prefix}b"]
    (reason,) = document["reasons"]
    assert (reason["code"], reason["objects"], reason["work"]) == ("AccessDenied", 1, "copy")
    assert document["next_steps"][-1]["input"] == {"rerun_of": "incomplete"}
    table, _beside = command("failures", "incomplete", "--output", "csv", code=INCOMPLETE)
    (row,) = csv.DictReader(io.StringIO(table))
    assert row["reason"] == "AccessDenied"
    policies.write("source-bucket", allowed)
    told, _beside = command("rerun", "incomplete", "--name", "its-rerun", "--watch")
    assert told.lstrip().startswith("COMPLETE  its-rerun"), told
    assert pair.target_keys() == KEYS
    # Nothing is left to be done, and nothing is started for it.
    told, beside = command("rerun", "its-rerun", code=BROKEN)
    assert "left nothing undone" in beside
    assert command("failures", "its-rerun")[0].count("Nothing failed.") == 1


def test_a_dry_run_is_not_rerun_and_the_command_that_copies_is_named(command, pair):
    command("start", "--name", "dry", "--input", places(pair, dry_run=True), "--watch")
    _told, beside = command("rerun", "dry", code=BROKEN)
    assert "run dry is not rerun" in beside
    assert "shardlift --local start" in beside
    assert pair.target_keys() == set()


def test_a_run_that_broke_in_planning_starts_again_with_its_own_input(machine, command, pair):
    policies = Policies(machine.deployment, machine.outputs, {})
    with policies.without(Mutation((Cut("source-bucket", "ShardliftReadSource", "statement"),))):
        command("start", "--name", "broke", "--input", places(pair, mode="copy"), "--watch", code=INCOMPLETE)
    started = command.json("rerun", "broke")
    assert started["command"] == "rerun"
    assert started["input"]["mode"] == "copy"
    command("watch", started["run_id"])
    assert pair.target_keys() == KEYS


def test_a_run_is_stopped_once_however_often_that_is_asked(machine, command, pair):
    machine.start(json.loads(places(pair)), "to-be-stopped")
    document = command.json("stop")
    assert (document["run_id"], document["status"], document["stopped"]) == ("to-be-stopped", "ABORTED", True)
    assert document["uploads"] == {"aborted": 0, "left": 0, "why": None}
    told, _beside = command("stop", "to-be-stopped")
    assert "ABORTED  run to-be-stopped had already ended" in told
    assert "No run" not in told
    assert "shardlift --local start" in told
    _told, beside = command("stop", code=BROKEN)
    assert "no run is in progress" in beside
    _told, beside = command("stop", "nix", code=BROKEN)
    assert "there is no run nix" in beside


def test_a_run_with_a_report_is_left_as_it_is(command, pair):
    command("start", "--name", "complete", "--input", places(pair), "--watch")
    told, _beside = command("stop", "complete")
    assert told.startswith("COMPLETE  run complete had already ended"), told


def test_a_stop_aborts_the_uploads_of_the_run_and_no_others(machine, command, pair):
    """Nobody could report the run, so nobody has aborted what it left."""
    policies = Policies(machine.deployment, machine.outputs, {})
    with policies.without(Mutation((Cut("reporter-role", "ReadTheLedger", "statement"),))):
        machine.run(json.loads(places(pair)), run_id="unreported")
    s3, bucket, prefix = pair.target
    begun = {
        name: s3.create_multipart_upload(Bucket=bucket, Key=prefix + name)["UploadId"]
        for name in ("a", "c", "somebody else's", "a b+ü")
    }

    def left():
        uploads = s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
        return {upload["Key"].removeprefix(prefix) for upload in uploads}

    objects = pair.target_keys()
    assert left() == begun.keys()
    document = command.json("stop", "unreported")
    assert document["uploads"] == {"aborted": 2, "left": 0, "why": None}
    assert left() == {"somebody else's", "a b+ü"}
    assert command.json("stop", "unreported")["uploads"]["aborted"] == 0
    assert pair.target_keys() == objects
    for name in left():
        s3.abort_multipart_upload(Bucket=bucket, Key=prefix + name, UploadId=begun[name])


def test_a_stop_aborts_no_upload_where_another_run_writes(server, tmp_path):
    """It may be the other run's own. Once that has ended, the same command aborts it."""
    slow = {"CopierConcurrency": 1, "WritesPerSecondMax": 2}
    deployment = Deployment(server.endpoint_url, name="crowded", parameters=slow)
    machine = Machine(deployment, deployment.deploy())
    command = OperatorCommand.on(machine, tmp_path)
    pair = TestPair(machine, "crowded/")
    pair.upload([Item(key, generated_bytes=10) for key in sorted(KEYS)])
    policies = Policies(deployment, machine.outputs, {})
    with policies.without(Mutation((Cut("reporter-role", "ReadTheLedger", "statement"),))):
        machine.run(json.loads(places(pair)), run_id="unreported")
    s3, bucket, prefix = pair.target
    s3.create_multipart_upload(Bucket=bucket, Key=f"{prefix}a")
    pair.upload([Item(f"more-{number:02}", generated_bytes=10) for number in range(30)])
    writing = machine.start(json.loads(places(pair)), "writing")
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while pair.target_keys() == KEYS:
        assert time.monotonic() < deadline, "the other run never writes"
        time.sleep(0.1)
    uploads = command.json("stop", "unreported", code=INCOMPLETE)["uploads"]
    assert (uploads["aborted"], uploads["left"]) == (0, 1)
    assert "left alone: run writing is writing there now" in uploads["why"]
    assert machine.wait(writing).status == "SUCCEEDED"
    assert command.json("stop", "unreported")["uploads"] == {"aborted": 1, "left": 0, "why": None}


def test_a_stop_waits_for_the_copiers_and_then_the_run_can_be_rerun(server, model, tmp_path, request):
    parameters = {"DataS3EndpointUrl": model.endpoint_url}
    deployment = Deployment(server.endpoint_url, name="stopped", parameters=parameters)
    machine = Machine(deployment, deployment.deploy())
    take_over_buckets(model, deployment)
    command = OperatorCommand.on(machine, tmp_path)
    pair = RerunPair(machine, "stopped/", model)
    request.addfinalizer(pair.let_copy)
    pair.fill()
    pair.begin("copying")
    _told, beside = command("rerun", "copying", code=BROKEN)
    assert "is still in progress" in beside
    stopping = subprocess.Popen(command.line("stop"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(120, stopping.kill)
    watchdog.start()
    noted = []
    for line in stopping.stderr:
        noted.append(line)
        if "copiers may still be working" in line:
            break
    _told, beside = command("rerun", "copying", code=BROKEN)
    assert "a rerun before that is refused" in beside
    pair.let_copy()
    told = stopping.communicate()[0]
    watchdog.cancel()
    assert stopping.returncode == 0, (noted, told)
    assert "ABORTED  run copying was stopped" in told
    assert "--rerun-of copying" in told
    told, _beside = command("rerun", "copying", "--watch")
    assert "COMPLETE" in told
    assert not pair.compared()["missing"]
