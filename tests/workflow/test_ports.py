"""The adapters against the local stack: the suites that `cargo test` leaves out, since they need it."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The whole workspace, so that the AWS SDK is not built a second time with other features.
SUITES = ["cargo", "test", "--release", "--locked", "--quiet", "--workspace", "--test", "local_stack"]


def test_the_adapters_keep_the_promises_of_their_ports(server):
    ran = subprocess.run(
        SUITES,
        cwd=ROOT,
        env={**os.environ, "SHARDLIFT_LOCAL_ENDPOINT": server.endpoint_url},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "6 passed" in ran.stdout, ran.stdout
