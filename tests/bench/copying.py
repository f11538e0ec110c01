"""Measures the copier against s5cmd, rclone, the AWS CLI and a boto3 loop on the S3 model server, all in one run.

    python tests/bench/copying.py [--objects N] [ONLY ...]

Objects of 64 KiB; every copy answers after 40 ms; the target's one partition takes 3,500 writes a second. Each program
runs alone, on the same machine as the server, with a fresh server. Figures go to target/bench/copying.json and, as a
table, to the standard output.

Of our own copier it is also told what it sustains: the server's counters are read every second, and what counts is the
time after the ramp, which is the first 20 seconds of copying. Both figures are given: with everything, and sustained.
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
import time
import urllib.request
from collections.abc import Callable
from typing import NamedTuple

import planning

ROOT = planning.ROOT
COPIER = ROOT / "target/release/examples/copy_bench"
RESULTS = ROOT / "target/bench/copying.json"
LIMIT_PER_S = 3500
# How many objects each program copies, and those that also copy more.
FEW = 2_500
MANY = 50_000
QUICK = ("s5cmd, 256 workers", "rclone, 256 transfers")
# As the simulation of the pacer counts it (lambdas/core/src/copy/pacer.rs).
RAMP_S = 20.0
# A limit that can double without the processor ending it, a partition that splits early, and how soon the rate follows.
SPLIT_LIMIT_PER_S = 600
SPLIT_AFTER_S = 60.0
FOLLOWED_S = (50.0, 60.0)
SIZES = {"empty": 0, "five GiB": 5 << 30, "five GiB and a byte": (5 << 30) + 1, "largest": 10_000 * (5 << 30)}
ACCOUNT = "111111111111"
WEATHER = {
    "latency": {"CopyObject": {"base_ms": 40.0}, "ListObjectsV2": {"base_ms": 40.0}},
    "latency_otherwise": {"base_ms": 20.0},
    "partition_limits": {"changes_per_s": LIMIT_PER_S},
}
# Where the listing comes before what is measured.
COPIES_ONLY = WEATHER | {"latency": {"CopyObject": {"base_ms": 40.0}, "ListObjectsV2": {"base_ms": 0.0}}}
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


class StsServer(http.server.ThreadingHTTPServer):
    """Takes many copiers that come at once."""

    request_queue_size = 128


class Recorder:
    """Keeps what is written to it."""

    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    def flush(self) -> None:
        pass


class Sample(NamedTuple):
    """What the server had counted at a moment."""

    at_s: float
    copied: int
    throttled: int
    partitions: int


class Measured(NamedTuple):
    """What one program did."""

    name: str
    note: dict[str, object]
    samples: list[Sample]
    told: dict[str, float]


class Watch:
    """Reads the server's counters every second."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.samples = [self.sample()]
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def sample(self) -> Sample:
        copies = self.bench.control("GET", "counters")["requests"].get("CopyObject", {})
        partitions = self.bench.control("GET", "buckets/target-bucket")["partitions"]
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


class Bench:
    """One server a scenario, one program at a time."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        sts = StsServer(("127.0.0.1", 0), Sts)
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
        # Those of scenarios that are not run this time are kept.
        self.results: dict[str, object] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}

    def start_server(self, objects: int, weather: dict[str, object] = WEATHER) -> subprocess.Popen[bytes]:
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
        server = self.start_server(0)
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

    def measure(self, name: str, objects: int, command: list[str], weather: dict[str, object] = WEATHER) -> Measured:
        server = self.start_server(objects, weather)
        try:
            watch = Watch(self)
            try:
                figures = planning.run(command, self.environment, subprocess.PIPE)
            finally:
                samples = watch.end()
            printed = str(figures.pop("printed"))
            source, target = ({"bucket": f"{side}-bucket"} for side in ("source", "target"))
            same = self.control("POST", "compare", {"source": source, "target": target})
        finally:
            server.terminate()
            server.wait()
        assert (same["identical"], same["different"], same["missing"]) == (objects, 0, 0), same
        told = json.loads(printed.splitlines()[-1]) if command[0] == str(COPIER) else {}
        seconds = told.get("elapsed_s", figures["wall_s"])
        processor_s = told.get("processor_s", figures["processor_s"])
        _, copied, throttled, _ = samples[-1]
        note = {
            "objects": objects,
            "copied": copied,
            "objects_per_s": round(copied / seconds),
            "throttled_share": round(throttled / (copied + throttled), 5),
            "seconds": round(seconds, 1),
            "processor_us_per_object": round(1e6 * processor_s / copied),
            "peak_mib": figures["peak_mib"],
            "load": round(os.getloadavg()[0], 1),
        }
        print(
            f"| {name} | {objects:,} | {note['seconds']} | {note['objects_per_s']:,} "
            f"| {100 * note['throttled_share']:.2f} % | {note['processor_us_per_object']} | {note['peak_mib']} "
            f"| {note['load']} |",
            flush=True,
        )
        measured = Measured(name, note, samples, told)
        self.note(measured)
        return measured

    def note(self, measured: Measured) -> None:
        samples = [list(sample) for sample in measured.samples]
        self.results[measured.name] = measured.note | {"samples": samples}
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(self.results))

    def measure_sustained(self) -> None:
        """One copier at the limit, with and without the ramp."""
        measured = self.measure("one copier, long", self.objects, self.copier(self.objects, 1), COPIES_ONLY)
        assert measured.told["busy_s"] > 2 * RAMP_S, "too few objects to tell what is sustained"
        sustained = stretch(measured.samples, RAMP_S, measured.told["busy_s"])
        share = sustained["copies_per_s"] / LIMIT_PER_S
        measured.note["sustained"] = sustained | {"share_of_limit": round(share, 4)}
        self.note(measured)
        print(
            f"  sustained from {sustained['begin_s']:.0f} to {sustained['end_s']:.0f} s: {100 * share:.1f} % of "
            f"{LIMIT_PER_S:,}/s, {100 * sustained['throttled_share']:.2f} % throttled",
            flush=True,
        )

    def measure_split(self) -> None:
        """A partition that splits under ten copiers, and how soon they use both halves."""
        objects, copiers = 150_000, 10
        limits = {"changes_per_s": SPLIT_LIMIT_PER_S, "split_after_s": SPLIT_AFTER_S}
        command = [*self.copier(objects, copiers), str(objects // copiers)]
        weather = COPIES_ONLY | {"partition_limits": limits}
        measured = self.measure("ten copiers, a partition splits", objects, command, weather)
        samples = measured.samples
        split_s = next(sample.at_s for sample in samples if sample.partitions > 1)
        before = stretch(samples, RAMP_S, split_s)
        after = stretch(samples, split_s + FOLLOWED_S[0], split_s + FOLLOWED_S[1])
        partitions = max(sample.partitions for sample in samples if sample.at_s <= split_s + FOLLOWED_S[1])
        assert partitions == 2, f"{partitions} partitions: another one has split in the minute that is measured"
        reached_s = next(
            later.at_s - split_s
            for earlier, later in zip(samples, samples[5:], strict=False)
            if earlier.at_s > split_s
            and stretch(samples, earlier.at_s, later.at_s)["copies_per_s"] >= 0.95 * 2 * SPLIT_LIMIT_PER_S
        )
        measured.note.update(split_s=split_s, before=before, after=after, reached_95_percent_s=reached_s)
        self.note(measured)
        print(
            f"  split after {split_s:.0f} s: {before['copies_per_s']:,.0f}/s before; {reached_s:.0f} s later 95 % of "
            f"twice the limit for five seconds; {after['copies_per_s']:,.0f}/s from {FOLLOWED_S[0]:.0f} to "
            f"{FOLLOWED_S[1]:.0f} s later",
            flush=True,
        )

    def copier(self, objects: int, copiers: int) -> list[str]:
        return [str(COPIER), "source-bucket", "target-bucket", str(objects), str(copiers)]

    def scenarios(self) -> dict[str, Callable[[], None]]:
        remote = f":s3,provider=Other,env_auth,endpoint='{self.endpoint}',list_version=2,no_check_bucket:"
        s5cmd = ["s5cmd", "--log", "error", "--endpoint-url", self.endpoint, "--numworkers", "256", "cp"]
        rclone = ["rclone", "copy", "--transfers", "256", "--checkers", "64", "--ignore-times"]
        aws = ["aws", "--endpoint-url", self.endpoint, "s3", "sync", "--only-show-errors"]
        buckets = ["s3://source-bucket", "s3://target-bucket"]
        peers: dict[str, list[str]] = {
            "s5cmd, 256 workers": [*s5cmd, "s3://source-bucket/*", "s3://target-bucket/"],
            "rclone, 256 transfers": [*rclone, f"{remote}source-bucket", f"{remote}target-bucket"],
            "aws s3 sync": [*aws, *buckets],
            "boto3 loop": [sys.executable, "-c", BOTO3_LOOP],
        }
        scenarios: dict[str, Callable[[], object]] = {"sizes": self.measure_sizes}
        # Every program with the same number of objects; those that are quick also with one that lasts.
        for objects, programs in ((FEW, peers), (MANY, {name: peers[name] for name in QUICK})):
            for name, command in ({"copier": self.copier(objects, 1)} | programs).items():
                title = f"{name}, {objects:,} objects"
                scenarios[title] = lambda title=title, objects=objects, command=command: self.measure(
                    title, objects, command
                )
        return scenarios | {"one copier, long": self.measure_sustained, "split": self.measure_split}


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
