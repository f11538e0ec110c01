"""Measures the reporter of a run of ten million objects: failed, copied, and listed again on both sides.

    python tests/bench/reporting.py [failed] [few] [relist]

`lambdas/reporter/examples/ten_million` says what each of them is. For `relist` the S3 model answers every listing
page after 40 ms. Figures go to target/bench/reporting.json and, as a table, to the standard output. It fails when one
of them takes longer than an invocation may, or more memory than the smallest function has.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

from planning import ROOT, Bench, run

REPORTER = ROOT / "target/release/examples/ten_million"
RESULTS = ROOT / "target/bench/reporting.json"
OBJECTS = 10_000_000
# The time of a Lambda invocation, and the least memory that docs/LIMITS.md speaks of.
SECONDS_MAX, PEAK_MIB_MAX = 900.0, 256.0
STORIES = ("failed", "few", "relist")


def main(only: list[str]) -> None:
    bench = Bench(OBJECTS, 1, 1)
    server = bench.start_server()
    results: dict[str, dict[str, object]] = {}
    try:
        for name, owner in (("source", "111111111111"), ("target", "222222222222")):
            bench.put_bucket(name, owner, {"shape": {"kind": "uuid"}, "objects": OBJECTS})
        print("| What | Seconds | Processor s | Peak MiB | Load |")
        print("| --- | --- | --- | --- | --- |")
        for story in only or STORIES:
            figures = run([str(REPORTER), story], bench.environment, subprocess.PIPE)
            results[story] = {"load": os.getloadavg()[0]} | figures
            cells = [story, *(results[story][name] for name in ("wall_s", "processor_s", "peak_mib", "load"))]
            print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)
            print(str(figures["printed"]).splitlines()[-1], file=sys.stderr)
            RESULTS.parent.mkdir(parents=True, exist_ok=True)
            RESULTS.write_text(json.dumps(results, indent=1))
    finally:
        server.terminate()
        server.wait()
    if excesses := [line for story, figures in results.items() for line in excesses_of(story, figures)]:
        sys.exit("\n".join(excesses))


def excesses_of(story: str, figures: dict[str, object]) -> list[str]:
    """What of a story exceeds its bound, a line each."""
    bounds = {"wall_s": SECONDS_MAX, "peak_mib": PEAK_MIB_MAX}
    return [
        f"{story}: {name} is {figures[name]}, above {bound}"
        for name, bound in bounds.items()
        if float(str(figures[name])) > bound
    ]


if __name__ == "__main__":
    main(sys.argv[1:])
