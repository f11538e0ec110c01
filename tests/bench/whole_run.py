"""Measures a whole run through the real state machine on the local stack: planned, copied, proven, reported.

    python tests/bench/whole_run.py [--objects N] [--copier-memory-mb MB] [--copiers N]

Objects of 64 KiB, none of which stands at the target. The S3 model answers copies and listings after 40 ms and takes
3,500 writes a second, so that no run can be faster than the floor that is printed. The data are compared by provenance
afterwards. Needs the functions' packages (`make package-local`). Figures go to target/bench/whole_run.json.
"""

from __future__ import annotations

import argparse

from machine_stand import LIMIT_PER_S, keep, key_space, machine_stand


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=int, default=100_000)
    parser.add_argument("--copier-memory-mb", type=int)
    parser.add_argument("--copiers", type=int)
    arguments = parser.parse_args()
    chosen = {"CopierMemoryMb": arguments.copier_memory_mb, "CopierConcurrency": arguments.copiers}
    chosen = {name: value for name, value in chosen.items() if value}
    objects = arguments.objects
    with machine_stand("whole", **chosen) as stand:
        stand.hold(key_space(objects))
        ended = stand.run({"mode": "sync"})
        stand.assert_identical(objects)
    assert ended.report["copied"]["objects"] == objects
    floor_s = objects / LIMIT_PER_S
    note = ended.note() | {
        "objects": objects,
        "parameters": chosen,
        "floor_s": round(floor_s, 1),
        "of_the_floor": round(ended.seconds["run"] / floor_s, 3),
        "ours_usd_per_million": round(ended.usd()["ours"] * 1e6 / objects, 4),
    }
    for name, value in note.items():
        print(f"{name}: {value}", flush=True)
    keep("whole_run", note)


if __name__ == "__main__":
    main()
