"""The S3 model server as a process, and its control API."""

import json
import os
import subprocess
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Model:
    """A running server."""

    endpoint_url: str

    def control(self, method, path, document=None):
        """Sends a request to the control API."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.endpoint_url}/_model/{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=30) as response:
            return json.load(response)

    def counters(self):
        """Returns the counters since the last reset."""
        return self.control("GET", "counters")

    def compare(self, source, target):
        """Compares two buckets by provenance."""
        return self.control("POST", "compare", {"source": {"bucket": source}, "target": {"bucket": target}})


def successes(counters, operation):
    """Returns how often an operation succeeded."""
    return counters["requests"].get(operation, {}).get("200", 0)


@contextmanager
def running_model():
    """Runs the model on a free port, from MODEL_BINARY or the release build."""
    binary = os.environ.get("MODEL_BINARY", str(ROOT / "target/release/shardlift-s3-model"))
    process = subprocess.Popen([binary, "--port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline()
        assert "listens on http://127.0.0.1:" in line, line
        yield Model(line.split()[-1])
    finally:
        process.terminate()
        process.wait(timeout=10)
