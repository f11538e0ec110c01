"""shardlift verify on the local stack: a target is what a run proved, or is not."""

import csv
import json
import os
import subprocess
import sys

import pytest
from shardlift_local.deployment import ROOT
from shardlift_local.sample import AWKWARD_KEYS, Item

from .pair import TestPair

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
DIGEST = ROOT / "examples" / "digest.py"


@pytest.fixture
def pair(real, request):
    return TestPair(real, f"{request.node.name.removeprefix('test_')}/")


@pytest.fixture
def verify(real, tmp_path):
    """Runs the command on a run. Returns its exit code, what it prints, and what it says beside that."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(real.outputs))

    def run(execution, *arguments):
        command = [SHARDLIFT, "--local", "--local-outputs", outputs, "verify", execution.run_id, *arguments]
        environment = {"PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        return ran.returncode, ran.stdout, ran.stderr

    return run


def proof_of(pair, execution):
    report = pair.report(execution)
    assert report["verdict"] == "COMPLETE"
    return report["proof"]


def digest_of_listing(pair):
    """What the program of the docs says of the target."""
    s3, bucket, prefix = pair.target
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": 7})
    fields = ("Key", "ETag", "Size")
    contents = [[{name: entry[name] for name in fields} for entry in page.get("Contents", [])] for page in pages]
    text = "\n".join(json.dumps({"Contents": page}) for page in contents)
    ran = subprocess.run([sys.executable, DIGEST, prefix], input=text, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.strip()


def in_words(total):
    return f"{total['objects']} objects, {total['bytes']} bytes, digest {total['digest']}"


def test_the_command_names_what_changed(pair, verify, tmp_path):
    items = [Item(key, generated_bytes=7 * number) for number, key in enumerate(AWKWARD_KEYS)]
    items = [item for item in items if len((pair.prefix + item.key).encode()) <= 1024]
    pair.upload([*items, Item("overwritten", generated_bytes=9), Item("deleted", generated_bytes=9)])
    execution = pair.run(mode="sync")
    proof = proof_of(pair, execution)

    code, text, beside = verify(execution)
    assert (code, proof["method"]) == (0, "listing"), beside
    assert text.startswith("AS PROVEN"), text
    assert proof["digest"] in text
    assert digest_of_listing(pair) == in_words(proof)

    s3, bucket, prefix = pair.target
    s3.put_object(Bucket=bucket, Key=f"{prefix}overwritten", Body=b"same size")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}deleted")
    s3.put_object(Bucket=bucket, Key=f"{prefix}=added", Body=b"new")
    path = tmp_path / "differences.csv"
    code, text, beside = verify(execution, "--csv", path, "--json")
    assert code == 1, beside
    answer = json.loads(text)
    expected = {"overwritten": "content", "deleted": "missing", "=added": "foreign"}
    assert {row["key"]: row["difference"] for row in answer["differences"]} == expected
    assert (answer["missing"], answer["different"], answer["foreign"]) == (1, 1, 1)
    assert digest_of_listing(pair) == in_words(answer["seen"])
    with path.open(newline="") as file:
        rows = {row["key"]: row["difference"] for row in csv.DictReader(file)}
    assert rows == {"overwritten": "content", "deleted": "missing", "'=added": "foreign"}

    before = path.read_bytes()
    code, text, beside = verify(execution, "--csv", path)
    assert (code, text) == (2, "")
    assert "was not overwritten" in beside
    assert path.read_bytes() == before

    code, text, beside = verify(execution)
    assert (code, text.splitlines()[0].split()[0]) == (1, "DIFFERS"), beside
    assert "1 missing, 1 different, 1 unknown to the run" in text
    assert "deleted: " in text


def test_a_rerun_of_a_mirror_vouches_for_all(pair, verify):
    """What was the same, what was copied, and what stands beside, after two runs."""
    pair.upload([Item(f"file-{number}", generated_bytes=number) for number in range(30)])
    pair.run(mode="sync")
    s3, bucket, prefix = pair.target
    s3.put_object(Bucket=bucket, Key=f"{prefix}beside", Body=b"left alone")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}file-7")
    execution = pair.run(mode="sync")
    proof = proof_of(pair, execution)
    assert (proof["objects"], proof["beside"]["objects"]) == (30, 1)
    assert verify(execution)[0] == 0
    rerun = pair.machine.run({"rerun_of": execution.run_id})
    again = proof_of(pair, rerun)
    assert (again["digest"], again["runs"]) == (proof["digest"], [execution.run_id])
    assert verify(rerun)[0] == 0
    s3.put_object(Bucket=bucket, Key=f"{prefix}file-7", Body=b"seven b")
    code, text, beside = verify(rerun)
    assert code == 1, beside
    assert "content" in text
    assert "file-7: " in text


def test_a_run_that_cannot_be_compared_is_told_so(pair, verify):
    pair.upload([Item("file", generated_bytes=3)])
    execution = pair.run(mode="sync", dry_run=True)
    code, text, beside = verify(execution)
    assert (code, text) == (2, "")
    assert "does not say what the run vouches for" in beside


def test_a_target_that_is_bent_while_it_is_copied_is_not_complete(real, pair):
    """Every copy is followed by somebody else's write until the run reports."""
    pair.upload([Item(f"file-{number:04}", generated_bytes=10) for number in range(400)])
    s3, bucket, prefix = pair.target
    places = {"source": {"prefix": prefix}, "target": {"prefix": prefix}}
    run_id = real.new_run_id()
    arn = real.start({**places, "mode": "sync"}, run_id)
    while not s3.list_objects_v2(Bucket=bucket, Prefix=f"{prefix}file-0000").get("Contents"):
        assert real.states.describe_execution(executionArn=arn)["status"] == "RUNNING"
    s3.put_object(Bucket=bucket, Key=f"{prefix}file-0000", Body=b"other byte")
    execution = real.wait(arn)
    assert (execution.status, execution.error) == ("FAILED", "TargetDiffers")
    report = pair.report(execution)
    assert (report["verdict"], report["verified"]["different"]) == ("INCOMPLETE", 1)
    rows = list(csv.DictReader(pair.document(execution, "differences.csv").decode().splitlines()))
    assert [(row["key"], row["difference"]) for row in rows] == [("file-0000", "content")]
    assert all("(10 bytes)" in row[side] for row in rows for side in ("expected", "found"))
