"""Runs from lists on the real machine, started with the command as a person does."""

import json
import os
import subprocess
from urllib.parse import quote_plus

import pytest

from .pair import TestPair
from .test_command import SHARDLIFT

OBJECTS = {f"{folder}/{number:02} +%ü.txt": b"x" * (number + 1) for folder in "ab" for number in range(20)}


@pytest.fixture
def pair(real, request):
    return ListPair(real, f"{request.node.name.removeprefix('test_')}/")


class ListPair(TestPair):
    """A pair whose runs take lists."""

    def fill(self):
        s3, bucket, prefix = self.source
        for key, body in OBJECTS.items():
            s3.put_object(Bucket=bucket, Key=prefix + key, Body=body)

    def start(self, tmp_path, run_id, path, **run_input):
        """Starts a run with a list and waits for its end."""
        outputs = tmp_path / "outputs.json"
        outputs.write_text(json.dumps(self.machine.outputs))
        places = {"source": {"prefix": self.prefix}, "target": {"prefix": self.prefix}}
        command = [SHARDLIFT, "--local", "--local-outputs", outputs, "start", "--name", run_id, "--list", path]
        command += ["--input", json.dumps({**places, **run_input})]
        environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        arn = self.machine.outputs["state_machine_arn"].replace(":stateMachine:", ":execution:")
        return self.machine.wait(f"{arn}:{run_id}")

    def manifest(self, keys):
        """A manifest of S3 Batch Operations."""
        bucket = self.machine.outputs["source_bucket"]
        return "".join(f"{bucket},{quote_plus(self.prefix + key, safe='/')}\n" for key in keys)

    def relative_target_keys(self):
        return {key.removeprefix(self.prefix) for key in self.target_keys()}


def vouched(report):
    """The sum of what a run vouches for."""
    return {name: report["proof"][name] for name in ("digest", "objects", "bytes")}


def test_a_list_is_uploaded_and_copied_and_nothing_else(pair, tmp_path):
    pair.fill()
    listed = [key for key in OBJECTS if key.startswith("b/")]
    path = tmp_path / "keys.csv"
    path.write_text(pair.manifest([*reversed(listed), listed[0]]) + "elsewhere,a\n")
    execution = pair.start(tmp_path, "from-a-list", path, mode="sync")
    report = pair.report(execution)
    assert (execution.status, report["verdict"]) == ("SUCCEEDED", "COMPLETE"), execution.cause
    assert pair.relative_target_keys() == set(listed)
    found = {name: report["list"][name] for name in ("objects", "repeated", "wrong", "looked_up", "gone")}
    assert found == {"objects": 20, "repeated": 1, "wrong": 1, "looked_up": 20, "gone": 0}
    assert [warning["code"] for warning in report["warnings"]] == ["list_problems"]
    # The digest is that of a run that lists the same objects and finds them the same.
    listing = pair.machine.run(
        {"source": {"prefix": pair.prefix}, "target": {"prefix": pair.prefix}, "filters": {"include": ["b/**"]}}
    )
    assert vouched(pair.report(listing)) == vouched(report)
    # Once more: everything is the same.
    again = pair.report(pair.start(tmp_path, "from-a-list-again", path, mode="sync"))
    assert (again["verdict"], again["planned"]["objects"]) == ("COMPLETE", 0)
    assert vouched(again) == vouched(report)


def test_the_failures_of_a_run_are_a_list(pair, tmp_path):
    pair.fill()
    s3, bucket, prefix = pair.source
    archived = [key for key in OBJECTS if "/1" in key]
    for key in archived:
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=OBJECTS[key], StorageClass="GLACIER")
    execution = pair.run()
    assert execution.status == "FAILED"
    assert len(pair.failures(execution)) == len(archived)
    path = tmp_path / "failures.csv"
    path.write_bytes(pair.document(execution, "failures.csv"))
    for key in archived:
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=OBJECTS[key])
    execution = pair.start(tmp_path, "from-failures", path, mode="copy")
    report = pair.report(execution)
    assert (report["verdict"], report["copied"]["objects"]) == ("COMPLETE", len(archived)), execution.cause
    assert pair.relative_target_keys() == set(OBJECTS)


def test_a_list_that_names_nothing_ends_the_run_before_it_copies(pair, tmp_path):
    pair.fill()
    path = tmp_path / "keys.jsonl"
    path.write_text('{"key": "elsewhere/a"}\n')
    execution = pair.start(tmp_path, "from-nothing", path, mode="copy")
    assert (execution.status, execution.error) == ("FAILED", "InvalidRun")
    assert "names no object" in execution.cause
    assert pair.target_keys() == set()
