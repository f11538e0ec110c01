"""Each peer copies a bucket of the S3 model into another one, unmodified.

The model compares both buckets by provenance afterwards, so "copied" means the same keys with
the same bytes, and its counters tell whether the bytes were copied inside the server.
"""

import boto3
import pytest
from botocore.config import Config

from tests.model_server import successes

from .conftest import KEYS, LARGE_BYTES

OBJECTS = len(KEYS) + 1200 + 1


def assert_copied(model):
    """The target holds what the source holds, exactly."""
    comparison = model.compare("source-bucket", "target-bucket")
    assert (comparison["missing"], comparison["different"], comparison["extra"]) == (0, 0, 0), comparison
    assert comparison["identical"] == OBJECTS


def test_s5cmd_copies_a_bucket(model, run):
    run("s5cmd", "--endpoint-url", model.endpoint_url, "cp", "s3://source-bucket/*", "s3://target-bucket/")
    assert_copied(model)
    assert successes(model.counters(), "CopyObject") == OBJECTS


def test_rclone_syncs_a_bucket(model, run):
    remote = {
        "RCLONE_CONFIG_MODEL_TYPE": "s3",
        "RCLONE_CONFIG_MODEL_PROVIDER": "AWS",
        "RCLONE_CONFIG_MODEL_ENDPOINT": model.endpoint_url,
        "RCLONE_CONFIG_MODEL_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_MODEL_ENV_AUTH": "true",
        "RCLONE_CONFIG_MODEL_REGION": "us-east-1",
        "RCLONE_CONFIG_MODEL_NO_CHECK_BUCKET": "true",
        "RCLONE_S3_COPY_CUTOFF": "10Mi",
    }
    run(
        "rclone",
        "sync",
        "--checkers",
        "16",
        "--transfers",
        "16",
        "model:source-bucket",
        "model:target-bucket",
        **remote,
    )
    assert_copied(model)
    counters = model.counters()
    assert successes(counters, "CopyObject") == OBJECTS - 1
    assert successes(counters, "UploadPartCopy") >= 2, "the large object is copied by parts"
    run("rclone", "check", "model:source-bucket", "model:target-bucket", **remote)


def test_aws_s3_sync_syncs_a_bucket_and_then_finds_nothing_to_do(model, run):
    sync = ["aws", "--endpoint-url", model.endpoint_url, "s3", "sync", "--only-show-errors"]
    run(*sync, "s3://source-bucket", "s3://target-bucket")
    assert_copied(model)
    counters = model.counters()
    assert successes(counters, "UploadPartCopy") == 3, "20 MiB in parts of 8 MiB"
    model.control("DELETE", "counters")
    run(*sync, "s3://source-bucket", "s3://target-bucket")
    assert successes(model.counters(), "CopyObject") == 0


@pytest.fixture
def s3(model):
    return boto3.client(
        "s3",
        endpoint_url=model.endpoint_url,
        aws_access_key_id="peer",
        aws_secret_access_key="secret",
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 1}),
    )


def test_boto3_copies_a_bucket(model, s3):
    copied = 0
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="source-bucket"):
        for listed in page["Contents"]:
            s3.copy({"Bucket": "source-bucket", "Key": listed["Key"]}, "target-bucket", listed["Key"])
            copied += 1
    assert copied == OBJECTS
    assert_copied(model)
    head = s3.head_object(Bucket="target-bucket", Key=KEYS[2])
    assert head["Metadata"] == {"origin": "model"}


def test_boto3_reads_what_it_wrote(s3):
    for key in [*KEYS, "control\x01character"]:
        s3.put_object(Bucket="target-bucket", Key=key, Body=key.encode())
        assert s3.get_object(Bucket="target-bucket", Key=key)["Body"].read() == key.encode()
    listed = s3.list_objects_v2(Bucket="target-bucket")["Contents"]
    assert [entry["Key"] for entry in listed] == sorted([*KEYS, "control\x01character"], key=str.encode)


def test_a_denied_listing_is_an_error_to_every_peer(model, run, s3):
    """The negative of the copies above: a peer that cannot list must not report success."""
    policy = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:ListBucket", "Resource": "*"}]}
    model.control("PUT", "buckets/source-bucket", {"policy": policy})
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.list_objects_v2(Bucket="source-bucket")
    with pytest.raises(AssertionError, match="AccessDenied"):
        run("aws", "--endpoint-url", model.endpoint_url, "s3", "sync", "s3://source-bucket", "s3://target-bucket")


def test_large_objects_have_the_size_that_was_seeded(s3):
    assert s3.head_object(Bucket="source-bucket", Key="large.bin")["ContentLength"] == LARGE_BYTES
