"""Mode audit: both sides are compared, and nothing is written at the target."""

import json
from contextlib import contextmanager

import pytest
from shardlift_local.sample import Item

from .pair import TestPair

WRITES = ["s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject", "s3:AbortMultipartUpload"]


@pytest.fixture
def pair(real, request):
    return TestPair(real, f"{request.node.name.removeprefix('test_')}/")


@contextmanager
def read_only(pair):
    """A target bucket that denies every write of everybody else but its owner's administrator."""
    s3, bucket, _prefix = pair.target
    role = pair.machine.deployment.target_role_arn
    statement = {"Sid": "ReadOnly", "Effect": "Deny", "Principal": {"AWS": role}, "Action": WRITES}
    statement["Resource"] = f"arn:aws:s3:::{bucket}/*"
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    try:
        yield
    finally:
        s3.delete_bucket_policy(Bucket=bucket)


def state_of(pair):
    s3, bucket, prefix = pair.target
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return {item["Key"]: (item["ETag"], item["LastModified"]) for item in listed}


def test_an_audit_names_each_key_that_differs_and_writes_nothing(pair):
    pair.upload([Item(f"file-{number:03}", generated_bytes=number) for number in range(50)])
    assert pair.report(pair.run())["verdict"] == "COMPLETE"
    with read_only(pair):
        same = pair.run(mode="audit")
    assert (same.status, same.error) == ("SUCCEEDED", "")
    report = pair.report(same)
    assert report["audit"]["source"] == report["audit"]["target"]
    assert report["audit"]["source"]["objects"] == 50
    assert report["audit"]["source"]["digest"] == report["proof"]["digest"]

    s3, bucket, prefix = pair.target
    s3.delete_object(Bucket=bucket, Key=f"{prefix}file-007")
    s3.put_object(Bucket=bucket, Key=f"{prefix}file-008", Body=b"x" * 8)
    s3.put_object(Bucket=bucket, Key=f"{prefix}file-009", Body=b"x" * 99)
    s3.put_object(Bucket=bucket, Key=f"{prefix}extra, =1", Body=b"x")
    before = state_of(pair)
    with read_only(pair):
        execution = pair.run(mode="audit", compare="etag")
    assert (execution.status, execution.error) == ("FAILED", "TargetDiffers")
    assert state_of(pair) == before
    differences = {row["key"]: row["difference"] for row in pair.rows(execution, "differences.csv")}
    expected = {"file-007": "missing", "file-008": "content", "file-009": "size", "extra, =1": "extra"}
    assert differences == expected
    report = pair.report(execution)
    assert report["verified"]["missing"] == 1
    assert (report["verified"]["different"], report["verified"]["foreign"]) == (2, 1)
    assert report["copied"]["objects"] == report["deleted"]["objects"] == 0
    again = pair.machine.run({"rerun_of": execution.run_id})
    assert (again.status, again.error) == ("FAILED", "InvalidRun")
    assert "was an audit" in again.cause


def test_an_audit_of_an_empty_target_is_no_empty_source(pair):
    pair.upload([Item(f"file-{number}", generated_bytes=number) for number in range(3)])
    execution = pair.run(mode="audit", verify="none")
    assert execution.error == "TargetDiffers"
    report = pair.report(execution)
    assert [warning["code"] for warning in report["warnings"]] == []
    assert (report["verified"]["method"], report["verified"]["missing"]) == ("relist", 3)
    assert {row["difference"] for row in pair.rows(execution, "differences.csv")} == {"missing"}


def test_a_run_that_writes_nothing_is_proven_by_its_plan(pair):
    pair.upload([Item(f"file-{number:03}", generated_bytes=64) for number in range(30)])
    first = pair.report(pair.run())["proof"]
    assert (first["objects"], first["method"]) == (30, "listing")
    again = pair.report(pair.run())["proof"]
    assert again["method"] == "plan"
    assert again["digest"] == first["digest"]
