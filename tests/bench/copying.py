"""Measures the copier against s5cmd, rclone, the AWS CLI and a boto3 loop on the S3 model server, all in one run.

    python tests/bench/copying.py [--objects N] [ONLY ...]

Objects of 64 KiB; every copy answers after 40 ms and a listing at once; the target's one partition takes 3,500 writes a
second. Each program runs alone, on the same machine as the server, with a fresh server, from its start to its end. Our
copier finds a plan in a folder, made before it starts; the peers list the source themselves. Figures go to
target/bench/copying.json and, as a table, to the standard output.

Of our own copier, one and fifty at once, it is also told what they sustain: the server's counters are read every
second, and what counts is the time after the ramp, which is the first 20 seconds of copying. Both figures are given:
with everything, and sustained.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import NamedTuple

import copier_fleet
import planning
from copying_stand import COPIER, ROOT, SHARD_OBJECTS, Sample, Stand, Watch, plan, rclone_remote, s5cmd, stretch

RESULTS = ROOT / "target/bench/copying.json"
LIMIT_PER_S = 3500
# What is promised of it after the ramp.
SHARE_MIN = 0.95
THROTTLED_SHARE_MAX = 0.01
# How many objects each program copies, and those that also copy more.
FEW = 2_500
MANY = 50_000
QUICK = ("s5cmd, 256 workers", "rclone, 256 transfers")
FLEET = 50
# As the simulation of the pacer counts it (lambdas/core/src/copy/pacer.rs).
RAMP_S = 20.0
# A limit that can double without the processor ending it, a partition that splits early, and how soon the rate follows.
SPLIT_OBJECTS = 150_000
SPLIT_COPIERS = 10
SPLIT_LIMIT_PER_S = 600
SPLIT_AFTER_S = 60.0
FOLLOWED_S = (50.0, 60.0)
SIZES = {"empty": 0, "five GiB": 5 << 30, "five GiB and a byte": (5 << 30) + 1, "largest": 10_000 * (5 << 30)}
FIXED_SIZES = {"kind": "fixed", "bytes": 65_536}
WEATHER = {
    "latency": {"CopyObject": {"base_ms": 40.0}, "ListObjectsV2": {"base_ms": 0.0}},
    "latency_default": {"base_ms": 20.0},
    "partition_limits": {"writes_per_s": LIMIT_PER_S},
}
BOTO3_LOOP = """
import boto3, os, sys
s3 = boto3.client("s3", endpoint_url=os.environ["DATA_S3_ENDPOINT_URL"])
for page in s3.get_paginator("list_objects_v2").paginate(Bucket="source-bucket"):
    for found in page["Contents"]:
        source = {"Bucket": "source-bucket", "Key": found["Key"]}
        s3.copy_object(Bucket="target-bucket", Key=found["Key"], CopySource=source)
"""


class Measured(NamedTuple):
    """What one program did."""

    name: str
    note: dict[str, object]
    samples: list[Sample]
    told: dict[str, float]


def flat(objects: int) -> dict[str, object]:
    """A key space of so many objects."""
    return {"shape": {"kind": "flat"}, "objects": objects, "sizes": FIXED_SIZES}


class Bench:
    """One server a scenario, one program at a time."""

    def __init__(self, objects: int) -> None:
        self.objects = objects
        self.stand = Stand()
        # Those of scenarios that are not run this time are kept.
        self.results: dict[str, object] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}

    def measure_sizes(self) -> None:
        """One object of each size that decides how it is copied, compared by where its bytes came from."""
        server = self.stand.start_server(WEATHER, None)
        try:
            for key, size_bytes in SIZES.items():
                self.stand.control("POST", "objects/source-bucket", {"key": key, "size_bytes": size_bytes, "seed": 7})
            told = self.run_copier(len(SIZES), 1)["told"]
            same = self.stand.assert_identical(len(SIZES))
        finally:
            server.terminate()
            server.wait()
        print(f"sizes: {same['identical_bytes']:,} bytes identical in {told['elapsed_s']:.1f} s, {told['requests']}")

    def run_copier(self, objects: int, copiers: int, shard_objects: int = SHARD_OBJECTS) -> dict[str, object]:
        with tempfile.TemporaryDirectory() as folder:
            plan(folder, self.stand.environment, objects, shard_objects=shard_objects)
            self.stand.control("DELETE", "counters")
            command = [str(COPIER), "copy", folder, str(copiers)]
            figures = planning.run(command, self.stand.environment, subprocess.PIPE)
        return figures | {"told": json.loads(str(figures["printed"]))}

    def run_fleet(self, objects: int) -> dict[str, object]:
        """A directory of the source for each copier of the fleet; all of them begin when all are ready."""
        with tempfile.TemporaryDirectory() as folder:
            parts = [f"directory-{number:02}/" for number in range(FLEET)]
            folders = [f"{folder}/{number}" for number in range(FLEET)]
            for part, into in zip(parts, folders, strict=True):
                os.mkdir(into)
                shards = objects // SHARD_OBJECTS
                plan(into, self.stand.environment, objects // FLEET, part, run_shards=shards)
            with copier_fleet.ready(folders, self.stand.environment) as copiers:
                self.stand.control("DELETE", "counters")
                told = copier_fleet.copy(copiers)
        return told | {"wall_s": told["elapsed_s"], "told": told}

    def measure(
        self,
        name: str,
        objects: int,
        work: Callable[[], dict[str, object]],
        weather: dict[str, object] = WEATHER,
        key_space: dict[str, object] | None = None,
    ) -> Measured:
        """Lets a program copy everything, and looks whether it did."""
        server = self.stand.start_server(weather, key_space or flat(objects))
        try:
            watch = Watch(self.stand)
            try:
                figures = work()
            finally:
                samples = watch.end()
            self.stand.assert_identical(objects)
        finally:
            server.terminate()
            server.wait()
        _, copied, throttled, _ = samples[-1]
        note = {
            "objects": objects,
            "copied": copied,
            "objects_per_s": round(copied / figures["wall_s"]),
            "throttled_share": round(throttled / (copied + throttled), 5),
            "seconds": round(figures["wall_s"], 1),
            "processor_us_per_object": round(1e6 * figures["processor_s"] / copied),
            "peak_mib": figures["peak_mib"],
            "load": round(os.getloadavg()[0], 1),
        } | {key: figures[key] for key in ("files_max",) if key in figures}
        print(
            f"| {name} | {objects:,} | {note['seconds']} | {note['objects_per_s']:,} "
            f"| {100 * note['throttled_share']:.2f} % | {note['processor_us_per_object']} | {note['peak_mib']} "
            f"| {note['load']} |",
            flush=True,
        )
        measured = Measured(name, note, samples, figures.get("told", {}))
        self.note(measured)
        return measured

    def note(self, measured: Measured) -> None:
        samples = [list(sample) for sample in measured.samples]
        self.results[measured.name] = measured.note | {"samples": samples}
        RESULTS.parent.mkdir(parents=True, exist_ok=True)
        RESULTS.write_text(json.dumps(self.results))

    def measure_one(self) -> None:
        """One copier at the limit, with and without the ramp."""
        work = lambda: self.run_copier(self.objects, 1)  # noqa: E731
        self.judge_sustained(self.measure("one copier, long", self.objects, work))

    def measure_fleet(self) -> None:
        """Fifty cold copiers at one limit, in fifty processes, with and without the ramp."""
        shape = {"kind": "hierarchical", "directories": FLEET, "subdirectories": 1}
        key_space = {"shape": shape, "objects": self.objects, "sizes": FIXED_SIZES}
        work = lambda: self.run_fleet(self.objects)  # noqa: E731
        measured = self.measure("fifty copiers, long", self.objects, work, key_space=key_space)
        print(f"  at most {measured.note['files_max']} files open and {measured.note['peak_mib']} MiB in one of them")
        self.judge_sustained(measured)

    def measure_many(self) -> None:
        """As many cold copiers in one process, each with its own pace: without what fifty processes cost."""
        work = lambda: self.run_copier(self.objects, FLEET, self.objects // FLEET // 5)  # noqa: E731
        self.judge_sustained(self.measure("fifty copiers in one process, long", self.objects, work))

    def judge_sustained(self, measured: Measured) -> None:
        """What of the limit was used after the ramp, while all had something to copy."""
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
        assert share >= SHARE_MIN, f"{share:.4f} of the limit is below {SHARE_MIN}"
        throttled = sustained["throttled_share"]
        assert throttled <= THROTTLED_SHARE_MAX, f"{throttled} throttled is above {THROTTLED_SHARE_MAX}"

    def measure_split(self) -> None:
        """A partition that splits under ten copiers, and how soon they use both halves."""
        limits = {"writes_per_s": SPLIT_LIMIT_PER_S, "split_after_s": SPLIT_AFTER_S}
        weather = WEATHER | {"partition_limits": limits}
        work = lambda: self.run_copier(SPLIT_OBJECTS, SPLIT_COPIERS, SPLIT_OBJECTS // SPLIT_COPIERS)  # noqa: E731
        measured = self.measure("ten copiers, a partition splits", SPLIT_OBJECTS, work, weather)
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

    def peers(self) -> dict[str, list[str]]:
        endpoint = self.stand.endpoint
        remote = rclone_remote(endpoint)
        rclone = ["rclone", "copy", "--transfers", "256", "--checkers", "64", "--ignore-times"]
        aws = ["aws", "--endpoint-url", endpoint, "s3", "sync", "--only-show-errors"]
        return {
            "s5cmd, 256 workers": [*s5cmd(endpoint), "cp", "s3://source-bucket/*", "s3://target-bucket/"],
            "rclone, 256 transfers": [*rclone, f"{remote}source-bucket", f"{remote}target-bucket"],
            "aws s3 sync": [*aws, "s3://source-bucket", "s3://target-bucket"],
            "boto3 loop": [sys.executable, "-c", BOTO3_LOOP],
        }

    def scenarios(self) -> dict[str, Callable[[], object]]:
        scenarios: dict[str, Callable[[], object]] = {"sizes": self.measure_sizes}
        peers = self.peers()
        # Every program with the same number of objects; those that are quick also with one that lasts.
        for objects, names in ((FEW, tuple(peers)), (MANY, QUICK)):
            works: dict[str, Callable[[], dict[str, object]]] = {
                "copier": lambda objects=objects: self.run_copier(objects, 1)
            }
            for name in names:
                works[name] = lambda command=peers[name]: planning.run(command, self.stand.environment, subprocess.PIPE)
            for name, work in works.items():
                title = f"{name}, {objects:,} objects"
                scenarios[title] = lambda title=title, objects=objects, work=work: self.measure(title, objects, work)
        return scenarios | {
            "one copier, long": self.measure_one,
            "fifty copiers in one process, long": self.measure_many,
            "fifty copiers, long": self.measure_fleet,
            "split": self.measure_split,
        }


# Fifty processes at the limit need more than the two cores that the figures of PERFORMANCE.md are from.
ON_REQUEST = ("fifty copiers, long",)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("only", nargs="*")
    arguments = parser.parse_args()
    bench = Bench(arguments.objects)
    print("| What | Objects | Seconds | Objects/s | Throttled | us/object | Peak MiB | Load |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, scenario in bench.scenarios().items():
        is_named = any(part in name for part in arguments.only)
        if is_named or not (arguments.only or name in ON_REQUEST):
            scenario()


if __name__ == "__main__":
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    main()
