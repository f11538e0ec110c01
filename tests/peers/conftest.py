"""An S3 model server for the session, and what the peers need to reach it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.model_server import running_model

KEYS = [
    "plain.txt",
    "a/b/c/deep.txt",
    "space and +plus.txt",
    "per%cent.txt",
    "amp&quot<angle>.txt",
    "ünï/中文/😀.txt",
]
LARGE_BYTES = 20 * 1024 * 1024


@pytest.fixture(scope="session")
def server():
    """The model, for all peers."""
    with running_model() as model:
        yield model


@pytest.fixture
def model(server):
    """The model with a filled source bucket and an empty target bucket."""
    server.control("POST", "reset")
    for bucket in ("source-bucket", "target-bucket"):
        server.control("PUT", f"buckets/{bucket}")
    for seed, key in enumerate(KEYS):
        document = {"key": key, "size_bytes": 1000 + seed, "seed": seed, "metadata": {"origin": "model"}}
        server.control("POST", "objects/source-bucket", document)
    server.control("POST", "objects/source-bucket", {"key": "many/", "size_bytes": 10, "count": 1200})
    server.control("POST", "objects/source-bucket", {"key": "large.bin", "size_bytes": LARGE_BYTES, "seed": 99})
    server.control("DELETE", "counters")
    return server


@pytest.fixture
def environment(tmp_path):
    """The environment of a peer: its credentials, and nothing of the machine's own configuration."""
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "peer",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
    }


@pytest.fixture
def run(environment):
    """Runs a peer's command to its end."""

    def run_peer(*command, **more_environment):
        executable = shutil.which(command[0], path=environment["PATH"])
        assert executable, f"{command[0]} is not installed: make venv-tests"
        completed = subprocess.run(
            [executable, *command[1:]],
            env={**environment, **more_environment},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert completed.returncode == 0, completed.stdout + completed.stderr
        return completed

    return run_peer
