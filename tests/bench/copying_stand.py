"""What copiers are measured with: the S3 model server with two buckets, a stand-in for STS, and a watch on both."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.request
from typing import NamedTuple

import planning

ROOT = planning.ROOT
COPIER = ROOT / "target/release/examples/copy_bench"
ACCOUNT = "111111111111"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/bench"
SHARD_OBJECTS = 10_000


class Sts(planning.Sts):
    """One account for both sides, since the peers have one credential."""

    def do_POST(self) -> None:  # noqa: N802
        replaced = self.wfile
        self.wfile = Recorder()
        super().do_POST()
        answer = self.wfile.data.replace(b"222222222222", ACCOUNT.encode())
        self.wfile = replaced
        self.wfile.write(answer)


class StsServer(http.server.ThreadingHTTPServer):
    """Takes many copiers that come at once."""

    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Sts)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Recorder:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def flush(self) -> None:
        pass


def environment(endpoint: str, sts: StsServer) -> dict[str, str]:
    """What a program needs to copy at `endpoint` instead of at AWS."""
    return os.environ | {
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{sts.server_address[1]}",
        "DATA_S3_ENDPOINT_URL": endpoint,
        "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
    }


def plan(
    folder: str,
    environment: dict[str, str],
    objects: int,
    prefix: str = "",
    shard_objects: int = SHARD_OBJECTS,
    run_shards: int | None = None,
    **settings: object,
) -> None:
    """Has the copier's bench plan `objects` of source-bucket into `folder`, in a process of its own.

    `run_shards` are those of the whole run where this is a part of it.
    """
    sides = {
        "source": {"bucket": "source-bucket", "prefix": prefix},
        "target": {"bucket": "target-bucket", "prefix": prefix, "role_arn": ROLE_ARN},
    }
    task = {"input": sides | settings, "objects_max": objects, "shard_objects": shard_objects, "run_shards": run_shards}
    subprocess.run([str(COPIER), "plan", folder, json.dumps(task)], env=environment, check=True)


def s5cmd(endpoint: str) -> list[str]:
    """s5cmd at this endpoint, without what it is to do."""
    return [str(planning.S5CMD), "--log", "error", "--endpoint-url", endpoint, "--numworkers", "256"]


def rclone_remote(endpoint: str) -> str:
    """What comes before a bucket's name where rclone is to find it at this endpoint."""
    return f":s3,provider=Other,env_auth,endpoint='{endpoint}',list_version=2,no_check_bucket:"


class Sample(NamedTuple):
    """What the server had counted at a moment, `at_s` seconds after another."""

    at_s: float
    copied: int
    throttled: int
    partitions: int


class Stand:
    """A port for the model server, which is started anew for each program."""

    def __init__(self) -> None:
        self.port = planning.free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment = environment(self.endpoint, StsServer())

    def start_server(self, weather: dict[str, object], key_space: dict[str, object] | None) -> subprocess.Popen[bytes]:
        """A server with this weather, source-bucket with this key space, and target-bucket with nothing."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(weather, file)
        command = [str(planning.SERVER), "--port", str(self.port), "--weather", file.name]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert server.stdout
        assert b"listens" in server.stdout.readline()
        os.unlink(file.name)
        source = {"owner": ACCOUNT} | ({"key_space": key_space} if key_space else {})
        self.control("PUT", "buckets/source-bucket", source)
        self.control("PUT", "buckets/target-bucket", {"owner": ACCOUNT})
        return server

    def control(self, method: str, path: str, document: object = None) -> dict[str, object]:
        """Asks the server's control API."""
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.endpoint}/_model/{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    def assert_identical(self, objects: int) -> dict[str, object]:
        """Compares the two buckets by provenance."""
        source, target = ({"bucket": f"{side}-bucket"} for side in ("source", "target"))
        same = self.control("POST", "compare", {"source": source, "target": target})
        assert (same["identical"], same["different"], same["missing"]) == (objects, 0, 0), same
        return same


class Watch:
    """Reads the server's counters every second."""

    def __init__(self, stand: Stand) -> None:
        self.stand = stand
        self.samples = [self.sample()]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def sample(self) -> Sample:
        copies = self.stand.control("GET", "counters")["requests"].get("CopyObject", {})
        partitions = self.stand.control("GET", "buckets/target-bucket")["partitions"]
        return Sample(time.monotonic(), copies.get("200", 0), copies.get("503", 0), partitions)

    def run(self) -> None:
        while not self.ended.wait(1.0):
            self.samples.append(self.sample())

    def end(self) -> list[Sample]:
        """The samples, with times since copying began."""
        self.ended.set()
        self.thread.join()
        self.samples.append(self.sample())
        began_s = max(sample.at_s for sample in self.samples if sample.copied == 0)
        return [sample._replace(at_s=round(sample.at_s - began_s, 2)) for sample in self.samples]


def stretch(samples: list[Sample], begin_s: float, end_s: float) -> dict[str, float]:
    """Copies a second, and the share of the calls that was throttled, between two moments."""
    first = min(samples, key=lambda sample: abs(sample.at_s - begin_s))
    last = min(samples, key=lambda sample: abs(sample.at_s - end_s))
    copied, throttled = last.copied - first.copied, last.throttled - first.throttled
    return {
        "begin_s": first.at_s,
        "end_s": last.at_s,
        "copies_per_s": round(copied / (last.at_s - first.at_s), 1),
        "throttled_share": round(throttled / max(1, copied + throttled), 5),
    }
