"""Every command that prints something writes a JSON document, too, and docs/JSON.md has its fields."""

import json
import re
import subprocess

import pytest
from shardlift_local.deployment import ROOT, Deployment
from shardlift_local.sample import Item

from .execution import Machine
from .operator_command import BROKEN, INCOMPLETE, SHARDLIFT, OperatorCommand

PAGE = ROOT / "docs" / "JSON.md"
# Those that print no result of their own.
WITHOUT_DOCUMENT = {"completions"}


@pytest.fixture(scope="module")
def machine(server):
    deployment = Deployment(server.endpoint_url, name="documented", starts_on_events=True)
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def command(machine, tmp_path_factory):
    return OperatorCommand.on(machine, tmp_path_factory.mktemp("documented"))


@pytest.fixture(scope="module")
def run(machine, command):
    """A run that ended COMPLETE."""
    s3, bucket = machine.deployment.source.client("s3"), machine.outputs["source_bucket"]
    for item in (Item("d/a", generated_bytes=3), Item("d/b\x1b[2J", generated_bytes=4)):
        s3.put_object(Bucket=bucket, Key=item.key, Body=item.body())
    # Everything, since a run of events may have been faster.
    places = json.dumps({"source": {"prefix": "d/"}, "target": {"prefix": "d/"}, "mode": "copy"})
    document = command.json("start", "--name", "documented", "--input", places)
    assert document.keys() == documented("start")
    watched = command.json("watch", "documented")
    assert watched["command"] == "watch"
    assert watched["verdict"] == "COMPLETE"
    return "documented"


def documented(command):
    """The names of the fields that the page has for a command, and those of every document."""
    rows = re.findall(r"^\| `([^`|]+)` \| (.+) \|$", PAGE.read_text(), re.MULTILINE)
    (fields,) = [fields for names, fields in rows if command in names.split(", ")]
    return {"version", "command", *re.findall(r"`([a-z_]+)`", fields)}


CASES = {
    "status": ["status"],
    "report": ["report", "RUN"],
    "watch": ["watch", "RUN"],
    "failures": ["failures", "RUN"],
    "shards": ["shards", "RUN"],
    "verify": ["verify", "RUN"],
    "console": ["console", "RUN"],
    "policy": ["policy"],
    "plan": ["plan", "--source", "s3://documented-source/d/", "--target", "s3://documented-target/d/"],
    "stop": ["stop", "RUN"],
    "events status": ["events"],
    "events on": ["events", "on"],
    "events redrive": ["events", "redrive"],
    "events retry": ["events", "retry"],
}


@pytest.mark.parametrize("name", CASES)
def test_a_document_has_the_fields_of_the_page(command, run, name):
    line = [run if word == "RUN" else word for word in CASES[name]]
    document = command.json(*line)
    assert document["command"] == name.split()[0]
    assert document.keys() == documented(name)


def test_a_manifest_is_a_document_with_its_keys_as_they_are(command, run):
    (shard,) = command.json("shards", run)["shards"]
    document = command.json("manifest", run, shard["shard_id"])
    assert document.keys() == documented("manifest")
    assert [one["key"] for one in document["objects"]] == ["d/a", "d/b\x1b[2J"]


def test_the_doctor_writes_a_document_with_what_fixes_a_problem(command):
    document = command.json("doctor", code=INCOMPLETE)
    assert document.keys() == documented("doctor")
    (problem,) = [one for one in document["findings"] if one["level"] == "problem"]
    assert problem["check"] == "notifications"
    assert problem["fix"][0].startswith("aws sns subscribe")


def test_a_run_without_a_report_is_a_document_too(machine, command):
    machine.start({"source": {"prefix": "d/"}, "target": {"prefix": "d/"}}, "cut-off")
    assert command.json("stop", "cut-off").keys() == documented("stop")
    document = command.json("watch", "cut-off", code=BROKEN)
    assert document.keys() == documented("watch (without a report)")
    assert (document["report"], document["status"]) == (None, "ABORTED")
    started = command.json("rerun", "cut-off")
    assert started.keys() == documented("rerun")
    command("watch", started["run_id"])


def test_manual_pages_are_named_in_a_document(command, tmp_path):
    document = command.json("man", "--dir", tmp_path)
    assert document.keys() == documented("man")
    assert str(tmp_path / "shardlift.1") in document["pages"]


def test_an_error_is_a_sentence_beside_an_empty_result(command):
    told, beside = command("report", "nix", "--output", "json", code=BROKEN)
    assert told == ""
    assert "there is no run nix" in beside
    _told, beside = command("status", "--output", "csv", code=BROKEN)
    assert "--output csv is for shardlift failures" in beside


def test_every_command_is_on_the_page():
    told = subprocess.run([SHARDLIFT, "--help"], capture_output=True, text=True, check=True).stdout
    commands = re.findall(r"^  ([a-z]+)  ", told.split("Commands:")[1].split("\n\n")[0], re.MULTILINE)
    assert len(commands) > 14
    for name in set(commands) - WITHOUT_DOCUMENT:
        assert documented(f"{name} status" if name == "events" else name)
