"""The adapters against the local stack: the suites that `cargo test` leaves out, since they need it."""

import json
import os
import subprocess
from pathlib import Path

from shardlift_local.accounts import source_account

ROOT = Path(__file__).parents[2]
# The whole workspace, so that the AWS SDK is not built a second time with other features.
SUITES = ["cargo", "test", "--release", "--locked", "--quiet", "--workspace", "--test", "local_stack"]


def test_the_adapters_keep_the_promises_of_their_ports(server):
    make_machine_role(server.endpoint_url)
    ran = subprocess.run(
        SUITES,
        cwd=ROOT,
        env={**os.environ, "SHARDLIFT_LOCAL_ENDPOINT": server.endpoint_url, "SHARDLIFT_LOCAL_SECRET": server.secret},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 passed" in ran.stdout, ran.stdout


def make_machine_role(endpoint_url):
    """The role that the suite's state machine names; the adapters themselves never touch IAM."""
    iam = source_account(endpoint_url).client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps(trust))
