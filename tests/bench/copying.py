"""Measures the copier against s5cmd, rclone, the AWS CLI and a boto3 loop on the S3 model server, all in one run.

    python tests/bench/copying.py [--objects N] [ONLY ...]

Objects of 64 KiB; every copy answers after 40 ms; the target's one partition takes 3,500 writes a second. Each program
runs alone, on the same machine as the server, with a fresh server. Figures go to target/bench/copying.json and, as a
table, to the standard output.
"""

from __future__ import annotations

import argparse
import http.server
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import urllib.request
from collections.abc import Callable

import planning

ROOT = planning.ROOT
COPIER = ROOT / "target/release/examples/copy_bench"
RESULTS = ROOT / "target/bench/copying.json"
LIMIT_PER_S = 3500
LOW_LIMIT_PER_S = 1000
SIZES = {"empty": 0, "five GiB": 5 << 30, "five GiB and a byte": (5 << 30) + 1, "largest": 10_000 * (5 << 30)}
ACCOUNT = "111111111111"
WEATHER = {
    "latency": {"CopyObject": {"base_ms": 40.0}, "ListObjectsV2": {"base_ms": 40.0}},
    "latency_otherwise": {"base_ms": 20.0},
    "partition_limits": {},
}
BOTO3_LOOP = """
import boto3, os, sys
s3 = boto3.client("s3", endpoint_url=os.environ["DATA_S3_ENDPOINT_URL"])
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="source-bucket"):
    for found in page["Contents"]:
        source = {"Bucket": "source-bucket", "Key": found["Key"]}
        s3.copy_object(Bucket="target-bucket", Key=found["Key"], CopySource=source)
"""


class Sts(planning.Sts):
    """One account for both sides, since the peers have one credential."""

    def do_POST(self) -> None:  # noqa: N802
        replaced = self.wfile
        self.wfile = Recorder()
        super().do_POST()
        answer = self.wfile.data.replace(b"222222222222", ACCOUNT.encode())
        self.wfile = replaced
        self.wfile.write(answer)


class Recorder:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def flush(self) -> None:
        pass


class Bench:
    """One server a scenario, one program at a time."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        sts = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts)
        threading.Thread(target=sts.serve_forever, daemon=True).start()
        self.port = planning.free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{sts.server_address[1]}",
            "DATA_S3_ENDPOINT_URL": self.endpoint,
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
        }
        self.results: dict[str, object] = {}

    def start_server(self, objects: int, limit: int) -> subprocess.Popen[bytes]:
        weather = WEATHER | {"partition_limits": {"changes_per_s": limit}}
        with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as file:
            json.dump(weather, file)
        command = [str(planning.SERVER), "--port", str(self.port), "--weather", file.name]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert server.stdout
        assert b"listens" in server.stdout.readline()
        space = {"shape": {"kind": "flat"}, "objects": objects, "sizes": {"kind": "fixed", "bytes": 65536}}
        source = {"owner": ACCOUNT} | ({"key_space": space} if objects else {})
        self.control("PUT", "buckets/source-bucket", source)
        self.control("PUT", "buckets/target-bucket", {"owner": ACCOUNT})
        return server

    def control(self, method: str, path: str, document: object = None) -> dict[str, object]:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.endpoint}/_model/{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=600) as answer:
            return json.load(answer)

    def measure_sizes(self) -> None:
        """One object of each size that decides how it is copied, compared by where its bytes came from."""
        server = self.start_server(0, LIMIT_PER_S)
        try:
            for key, size_bytes in SIZES.items():
                self.control("POST", "objects/source-bucket", {"key": key, "size_bytes": size_bytes, "seed": 7})
            command = [str(COPIER), "source-bucket", "target-bucket", str(len(SIZES)), "1"]
            told = json.loads(str(planning.run(command, self.environment, subprocess.PIPE)["printed"]))
            source, target = ({"bucket": f"{side}-bucket"} for side in ("source", "target"))
            same = self.control("POST", "compare", {"source": source, "target": target})
        finally:
            server.terminate()
            server.wait()
        assert (same["identical"], same["different"], same["missing"]) == (len(SIZES), 0, 0), same
        print(f"sizes: {same['identical_bytes']:,} bytes identical in {told['elapsed_s']:.1f} s, {told['requests']}")

    def measure(self, name: str, objects: int, command: list[str], limit: int = LIMIT_PER_S) -> None:
        server = self.start_server(objects, limit)
        try:
            figures = planning.run(command, self.environment, subprocess.PIPE)
            printed = str(figures.pop("printed"))
            counters = self.control("GET", "counters")
            source, target = ({"bucket": f"{side}-bucket"} for side in ("source", "target"))
            same = self.control("POST", "compare", {"source": source, "target": target})
        finally:
            server.terminate()
            server.wait()
        told = json.loads(printed.splitlines()[-1]) if command[0] == str(COPIER) else {}
        seconds = told.get("elapsed_s", figures["wall_s"])
        processor_s = told.get("processor_s", figures["processor_s"])
        copies = {int(status): count for status, count in counters["requests"].get("CopyObject", {}).items()}
        throttled = copies.get(503, 0) / max(1, sum(copies.values()))
        done = copies.get(200, 0)
        note = {
            "objects": objects,
            "copies": copies,
            "objects_per_s": round(done / seconds),
            "share_of_limit": round(done / seconds / limit, 4),
            "throttled_share": round(throttled, 5),
            "seconds": round(seconds, 1),
            "processor_us_per_object": round(1e6 * processor_s / max(1, done)),
            "peak_mib": figures["peak_mib"],
            "load": round(os.getloadavg()[0], 1),
            "compared": same,
        }
        self.results[name] = note
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(self.results, indent=1))
        print(
            f"| {name} | {objects:,} | {note['seconds']} | {note['objects_per_s']:,} | {100 * throttled:.2f} % "
            f"| {note['processor_us_per_object']} | {note['peak_mib']} | {note['load']} |",
            flush=True,
        )

    def scenarios(self) -> dict[str, Callable[[], None]]:
        few, one_by_one = 100_000, 1_000

        def copier(objects: int, copiers: int) -> list[str]:
            return [str(COPIER), "source-bucket", "target-bucket", str(objects), str(copiers)]

        remote = f":s3,provider=Other,env_auth,endpoint='{self.endpoint}',list_version=2,no_check_bucket:"
        s5cmd = ["s5cmd", "--log", "error", "--endpoint-url", self.endpoint, "--numworkers", "256", "cp"]
        rclone = ["rclone", "copy", "--transfers", "256", "--checkers", "64", "--ignore-times"]
        aws = ["aws", "--endpoint-url", self.endpoint, "s3", "sync", "--only-show-errors"]
        buckets = ["s3://source-bucket", "s3://target-bucket"]
        low = f"limit {LOW_LIMIT_PER_S}/s"
        peers: dict[str, tuple[int, list[str]] | tuple[int, list[str], int]] = {
            "copier, one shard": (10_000, copier(10_000, 1)),
            "copier": (few, copier(few, 1)),
            "s5cmd, 256 workers": (few, [*s5cmd, "s3://source-bucket/*", "s3://target-bucket/"]),
            "rclone, 256 transfers": (
                20_000,
                [*rclone, f"{remote}source-bucket", f"{remote}target-bucket"],
            ),
            "aws s3 sync": (5_000, [*aws, *buckets]),
            "boto3 loop": (one_by_one, [sys.executable, "-c", BOTO3_LOOP]),
            f"one copier, {low}": (60_000, copier(60_000, 1), LOW_LIMIT_PER_S),
            f"fifty copiers, {low}": (100_000, [*copier(100_000, 50), "500"], LOW_LIMIT_PER_S),
            "one copier, long": (self.objects, copier(self.objects, 1)),
            "fifty copiers, long": (self.objects, copier(self.objects, 50)),
        }
        return {"sizes": self.measure_sizes} | {
            name: lambda name=name, peer=peer: self.measure(name, *peer) for name, peer in peers.items()
        }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("only", nargs="*")
    arguments = parser.parse_args()
    bench = Bench(arguments.objects)
    print("| What | Objects | Seconds | Objects/s | Throttled | us/object | Peak MiB | Load |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, scenario in bench.scenarios().items():
        if not arguments.only or any(part in name for part in arguments.only):
            scenario()


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    main()
