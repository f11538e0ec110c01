"""Measures the night that users have most of: many objects on both sides, of which a thousandth changed, through the
real state machine on the local stack, and the peers on the same data.

    python tests/bench/nightly.py [--objects N] [--only ours|s5cmd|rclone]

The S3 model answers copies and listings after 40 ms. Our run plans, copies, proves and reports; the peers list and
copy. Each has a fresh pair of buckets. Needs the functions' packages (`make package-local`). Figures go to
target/bench/nightly.json.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import planning
from copying_stand import ACCOUNT, Stand, rclone_remote, s5cmd
from machine_stand import ROOT, WEATHER, keep, key_space, machine_stand

CHANGED_EVERY = 1_000
# The copies were made after their sources: 2026-02-01T00:00:00Z, a month later.
COPIED_S = 1_769_904_000


def copied(objects: int) -> dict[str, object]:
    """The target as last night left it: one of so many has another size since."""
    return key_space(objects, differing_every=CHANGED_EVERY, modified_s=COPIED_S)


def ours(objects: int) -> dict[str, object]:
    with machine_stand("nightly") as stand:
        stand.hold(key_space(objects), copied(objects))
        ended = stand.run({"mode": "sync"})
        stand.assert_identical(objects)
    assert ended.report["copied"]["objects"] == objects // CHANGED_EVERY, ended.report["copied"]
    return ended.note() | {"copied": ended.report["copied"]["objects"]}


def peer(name: str, objects: int) -> dict[str, object]:
    """A peer syncs the same; how many of the objects are the same afterwards is counted, not asserted."""
    stand = Stand()
    endpoint = stand.endpoint
    remote = rclone_remote(endpoint)
    rclone = ["rclone", "sync", "--transfers", "256", "--checkers", "64", "--fast-list", "--checksum"]
    command = {
        "s5cmd": [*s5cmd(endpoint), "sync", "s3://source-bucket/*", "s3://target-bucket/"],
        "rclone": [*rclone, f"{remote}source-bucket", f"{remote}target-bucket"],
    }[name]
    server = stand.start_server(WEATHER, key_space(objects))
    try:
        lagging = {"owner": ACCOUNT, "key_space": copied(objects)}
        stand.control("PUT", "buckets/target-bucket", lagging)
        figures = planning.run(command, stand.environment, subprocess.PIPE)
        sides = {side: {"bucket": f"{side}-bucket"} for side in ("source", "target")}
        same = stand.control("POST", "compare", sides)
    finally:
        server.terminate()
        server.wait()
    return {
        "seconds": round(figures["wall_s"], 1),
        "processor_s": round(figures["processor_s"], 1),
        "peak_mib": figures["peak_mib"],
        "identical": same["identical"],
        "different": same["different"],
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--only", choices=("ours", "s5cmd", "rclone"))
    arguments = parser.parse_args()
    path = ROOT / "target/bench/nightly.json"
    figures = json.loads(path.read_text()) if path.exists() else {}
    figures["objects"] = arguments.objects
    for name in (arguments.only,) if arguments.only else ("ours", "s5cmd", "rclone"):
        figures[name] = ours(arguments.objects) if name == "ours" else peer(name, arguments.objects)
        print(f"{name}: {json.dumps(figures[name])}", flush=True)
        keep("nightly", figures)


if __name__ == "__main__":
    main()
