"""The operator's command in its first minute: what it says where something is missing."""

import json
import os
import subprocess

from shardlift_local.accounts import source_account, target_account
from shardlift_local.deployment import ROOT

SHARDLIFT = ROOT / "target" / "release" / "shardlift"


def said(server, *arguments, **variables):
    """What the command says, which is a usage error."""
    account = source_account(server.endpoint_url)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
    }
    ran = subprocess.run([SHARDLIFT, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0
    assert ran.stdout == ""
    # A sentence, not the debug form of a response.
    assert len(ran.stderr) < 400, ran.stderr
    assert not any(sign in ran.stderr for sign in ("SdkBody", "Error(", "{", "\n\n")), ran.stderr
    return ran.stderr


def test_a_stack_that_does_not_exist_is_named_with_its_region(server):
    text = said(server, "--stack", "no-such", "--region", "us-east-1", "status")
    assert "no stack no-such in us-east-1" in text


def test_a_missing_region_is_named_with_what_to_do(server):
    assert "--region" in said(server, "--stack", "no-such", "status")


def test_a_refused_call_says_what_aws_said(server):
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
    text = said(server, "--stack", "no-such", "--region", "us-east-1", "status", **wrong)
    assert "cloudformation:DescribeStacks failed: " in text
    assert "(SignatureDoesNotMatch)" in text


def test_a_control_bucket_of_another_account_is_not_read(server, real, tmp_path):
    """Somebody took the bucket's name, and lets us read a report of their own making."""
    s3, us = target_account(server.endpoint_url).client("s3"), source_account(server.endpoint_url).account_id
    s3.create_bucket(Bucket="taken-name")
    trap = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{us}:root"}, "Action": "s3:GetObject"}
    trap["Resource"] = "arn:aws:s3:::taken-name/*"
    s3.put_bucket_policy(Bucket="taken-name", Policy=json.dumps({"Version": "2012-10-17", "Statement": [trap]}))
    s3.put_object(Bucket="taken-name", Key="runs/planted/report.json", Body=b"{}")
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({**real.outputs, "control_bucket": "taken-name"}))
    text = said(server, "--local", "--local-outputs", outputs, "report", "--json", "planted")
    assert f"taken-name does not belong to the account {us}" in text
