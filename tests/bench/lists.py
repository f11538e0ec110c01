"""Measures plans from lists against the plan from a listing of the same objects, all in one run.

    python tests/bench/lists.py [--keys N] [--turns N] [--memory-keys N ...] [ONLY ...]

The model answers every listing page after 40 ms, and each range of a list comes after 40 ms, too. The sources of a copy
are planned in turns, and the median of each is told; then each is planned once more to sum what it planned, which must
be the sum of the listing's plan. With the defaults that takes some eight minutes of a
quiet machine. Figures go to target/bench/lists.json and, as a table, to the standard output.
"""

from __future__ import annotations

import argparse
import datetime
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

from planning import LISTERS, PLANNER, ROOT, Bench, run

WRITER = ROOT / "target/release/examples/write_lists"
RESULTS = ROOT / "target/bench/lists.json"
# The folder that `write_lists` writes, the file that is the list, its format, and what it is in words.
LISTS = {
    "csv": ("list", "csv", "CSV in order, all columns"),
    "csv-shuffled": ("list", "csv", "CSV shuffled, all columns"),
    "csv-versions-shuffled": ("list", "csv", "CSV shuffled, all columns and versions"),
    "csv-keys": ("list", "csv", "CSV in order, keys alone"),
    "csv-keys-shuffled": ("list", "csv", "CSV shuffled, keys alone"),
    "parquet": ("list", "parquet", "Parquet in order"),
    "inventory-csv": ("manifest.json", "inventory", "inventory in order, 40 files of CSV"),
    "inventory-parquet": ("manifest.json", "inventory", "inventory in order, 40 files of Parquet"),
}
# An inventory in order is planned at least as fast as the listing, within what runs of one plan differ by.
SLOWEST_OF_LISTING = 0.9
# Of keys alone each is looked up, neighbors together.
KEYS_ALONE = 100_000
# The sources that are compared with each other.
COMPARED = ["csv", "csv-versions-shuffled", "parquet", "inventory-csv", "inventory-parquet"]
SYNCED = ["csv", "inventory-csv", "inventory-parquet"]
MEMORY_LISTS = ["inventory-csv", "csv", "csv-shuffled"]
PEAK_MIB_MAX = 512


class ListBench(Bench):
    """A bucket of so many keys, the lists of them, and their plans."""

    def __init__(self, folder: pathlib.Path) -> None:
        super().__init__(0, 0, 0)
        self.folder, self.figures = folder, RESULTS
        self.failures: list[str] = []

    def write(self, bucket: str, formats: list[str]) -> None:
        command = [str(WRITER), bucket, str(self.folder / bucket), *formats]
        subprocess.run(command, env=self.environment, check=True)

    def bucket(self, keys: int) -> str:
        name = f"keys-{keys}"
        space = {"shape": {"kind": "uuid"}, "objects": keys}
        self.put_bucket(name, "111111111111", space)
        self.put_bucket(f"{name}-same", "222222222222", space)
        return name

    def plan_once(self, sides: list[str], mode: str, keys: int, source: list[str]) -> dict[str, object]:
        command = [str(PLANNER), *sides, mode, str(LISTERS), *source]
        figures = run(command, self.environment, subprocess.PIPE)
        told = json.loads(str(figures.pop("printed")).splitlines()[-1])
        assert told["planned"] + told["same"] == keys, told
        return figures | {"told": told}

    def note_median(self, name: str, keys: int, turns: list[dict[str, object]]) -> None:
        """The median of time and of processor time, and the most memory."""
        seconds = [turn["told"]["seconds"] for turn in turns]
        processor = [turn["processor_s"] for turn in turns]
        figures = {
            "processor_s": statistics.median(processor),
            "peak_mib": max(turn["peak_mib"] for turn in turns),
            "turns": [{"seconds": s, "processor_s": p} for s, p in zip(seconds, processor, strict=True)],
            "told": turns[-1]["told"],
        }
        self.note(name, keys, statistics.median(seconds), figures)

    def measure(self, name: str, sides: list[str], mode: str, keys: int, source: list[str]) -> None:
        self.note_median(name, keys, [self.plan_once(sides, mode, keys, source)])

    def sum_of(self, sides: list[str], mode: str, source: list[str]) -> str:
        command = [str(PLANNER), *sides, mode, str(LISTERS), *source]
        summed = run(command, self.environment | {"SUM_PLAN": "1"}, subprocess.PIPE)
        return json.dumps(json.loads(str(summed["printed"]).splitlines()[-1])["sum"])

    def list_arguments(self, bucket: str, name: str) -> list[str]:
        key, kind, _ = LISTS[name]
        return [str(self.folder / bucket / name), key, kind]

    def compare(self, keys: int, turns: int) -> None:
        """Every list, and an instant, against the listing, copy and sync."""
        bucket = self.bucket(keys)
        self.write(bucket, COMPARED)
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        listed = {LISTS[name][2]: self.list_arguments(bucket, name) for name in COMPARED}
        self.take_turns(keys, turns, "copy", [bucket, "empty-target"], {"listing": [], "as_of": [now]} | listed)
        listed = {LISTS[name][2]: self.list_arguments(bucket, name) for name in SYNCED}
        self.take_turns(keys, 1, "sync", [bucket, f"{bucket}-same"], {"listing": []} | listed)

    def take_turns(self, keys: int, turns: int, mode: str, sides: list[str], sources: dict[str, list[str]]) -> None:
        taken: dict[str, list[dict[str, object]]] = {name: [] for name in sources}
        for _ in range(turns):
            for name, source in sources.items():
                taken[name].append(self.plan_once(sides, mode, keys, source))
        for name in sources:
            self.note_median(f"{mode}, {name}", keys, taken[name])
        listing = self.results[f"{mode}, listing"]
        for name in (name for name in sources if name != "listing"):
            row = self.results[f"{mode}, {name}"]
            rate = float(str(row["keys_per_s"])) / float(str(listing["keys_per_s"]))
            processor = float(str(row["processor_s"])) / float(str(listing["processor_s"]))
            row |= {"rate_of_listing": round(rate, 2), "processor_of_listing": round(processor, 2)}
            print(
                f"{mode}, {name}: {rate:.2f} of the listing's rate, {processor:.2f} of its processor time", flush=True
            )
            if name.startswith("inventory") and rate < SLOWEST_OF_LISTING:
                self.failures.append(f"{mode}, {name}: {rate:.2f} of the listing's rate")
        if mode == "copy":
            sums = {name: self.sum_of(sides, mode, source) for name, source in sources.items()}
            assert set(sums.values()) == {sums["listing"]}, sums
            print(f"the same sum from {len(sums)} sources: {sums['listing']}", flush=True)
            listing["sum_of_all"] = sums["listing"]
        self.figures.write_text(json.dumps(self.results, indent=1))

    def compare_lookups(self) -> None:
        """Keys alone in no order, each looked up, against the listing of the same number."""
        bucket = self.bucket(KEYS_ALONE)
        self.write(bucket, ["csv-keys-shuffled"])
        sides = [bucket, "empty-target"]
        self.measure("copy, listing, few", sides, "copy", KEYS_ALONE, [])
        listed = self.list_arguments(bucket, "csv-keys-shuffled")
        self.measure(f"copy, {LISTS['csv-keys-shuffled'][2]}", sides, "copy", KEYS_ALONE, listed)
        assert self.sum_of(sides, "copy", listed) == self.sum_of(sides, "copy", [])

    def compare_memory(self, counts: list[int]) -> None:
        """The same list of more and more keys."""
        for keys in counts:
            bucket = self.bucket(keys)
            self.write(bucket, MEMORY_LISTS)
            for name in MEMORY_LISTS:
                row = f"memory, copy, {LISTS[name][2]}, {keys:,}"
                listed = self.list_arguments(bucket, name)
                self.measure(row, [bucket, "empty-target"], "copy", keys, listed)
                peak = float(str(self.results[row]["peak_mib"]))
                assert peak <= PEAK_MIB_MAX, f"{row}: {peak} MiB"
            shutil.rmtree(self.folder / bucket)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--memory-keys", type=int, nargs="*", default=[100_000])
    parser.add_argument("only", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = ListBench(pathlib.Path(folder))
        server = bench.start_server()
        steps = {
            "compare": lambda: bench.compare(arguments.keys, arguments.turns),
            "lookups": bench.compare_lookups,
            "memory": lambda: bench.compare_memory(arguments.memory_keys),
        }
        try:
            print("| What | Keys | Seconds | Keys/s | Processor s | Peak MiB | Load |")
            print("| --- | --- | --- | --- | --- | --- | --- |")
            for name, step in steps.items():
                if not arguments.only or name in arguments.only:
                    step()
        finally:
            server.terminate()
            server.wait()
    if bench.failures:
        sys.exit("; ".join(bench.failures))


if __name__ == "__main__":
    main()
