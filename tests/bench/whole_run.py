"""Measures a whole run through the real state machine on the local stack: planned, copied, proven, reported.

    python tests/bench/whole_run.py [--objects N] [--copier-memory-mb MB] [--copiers N] [--lambda-sizes]

Objects of 64 KiB, none of which stands at the target. The S3 model answers copies and listings after 40 ms and takes
3,500 writes a second, so that no run can be faster than the floor that is printed. The data are compared by provenance
afterwards. Needs the functions' packages (`make package-local`). Figures go to target/bench/whole_run.json.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import subprocess
import tempfile
import time

from machine_stand import LIMIT_PER_S, ROOT, MachineStand, keep, key_space, machine_stand

SHARDLIFT = ROOT / "target" / "release" / "shardlift"


def answers(stand: MachineStand, run_id: str) -> dict[str, float]:
    """How long the command takes to tell about the run, in seconds."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        outputs = pathlib.Path(folder) / "outputs.json"
        outputs.write_text(json.dumps(stand.machine.outputs))
        for arguments in (["status"], ["watch", run_id], ["report", run_id]):
            began = time.monotonic()
            line = [SHARDLIFT, "--local", "--local-outputs", outputs, *arguments]
            subprocess.run(line, check=True, capture_output=True, timeout=60)
            found[arguments[0]] = round(time.monotonic() - began, 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--copier-memory-mb", type=int)
    parser.add_argument("--copiers", type=int)
    parser.add_argument("--lambda-sizes", action="store_true", help="processor time as Lambda gives it (root)")
    arguments = parser.parse_args()
    chosen = {"CopierMemoryMb": arguments.copier_memory_mb, "CopierConcurrency": arguments.copiers}
    chosen = {name: value for name, value in chosen.items() if value}
    objects = arguments.objects
    with machine_stand("whole", has_lambda_sizes=arguments.lambda_sizes, **chosen) as stand:
        stand.hold(key_space(objects))
        ended = stand.run({"mode": "sync"})
        stand.assert_identical(objects)
        answered = answers(stand, ended.execution.run_id)
    assert ended.report["copied"]["objects"] == objects
    floor_s = objects / LIMIT_PER_S
    note = ended.note() | {
        "objects": objects,
        "parameters": chosen,
        "lambda_sizes": arguments.lambda_sizes,
        "floor_s": round(floor_s, 1),
        "command_answers_s": answered,
        "of_the_floor": round(ended.seconds["run"] / floor_s, 3),
        "ours_usd_per_million": round(ended.usd()["ours"] * 1e6 / objects, 4),
    }
    for name, value in note.items():
        print(f"{name}: {value}", flush=True)
    keep("whole_run", note)


if __name__ == "__main__":
    main()
