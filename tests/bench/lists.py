"""Measures plans from lists against the plan from a listing of the same objects, all in one run.

    python tests/bench/lists.py [--keys N] [--memory-keys N ...] [ONLY ...]

The model answers every listing page after 40 ms, and each range of a list comes after 40 ms, too. Every copy is planned
twice: once measured, and once to sum what it planned, which must be the sum of the listing's plan. Figures go to
target/bench/lists.json and, as a table, to the standard output.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import shutil
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
    "csv-keys": ("list", "csv", "CSV in order, keys alone"),
    "csv-keys-shuffled": ("list", "csv", "CSV shuffled, keys alone"),
    "parquet": ("list", "parquet", "Parquet in order"),
    "inventory-csv": ("manifest.json", "inventory", "inventory in order, 40 files of CSV"),
    "inventory-parquet": ("manifest.json", "inventory", "inventory in order, 40 files of Parquet"),
}
# An inventory in order is planned at least as fast as the listing, within what runs of one plan differ by.
SLOWEST_OF_LISTING = 0.9
# Looking up keys in no order takes a request for each: fewer of them, so that the run ends.
SHUFFLED_KEYS = 20_000
MEMORY_LIST = "inventory-csv"
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

    def measure(self, name: str, sides: list[str], mode: str, keys: int, listed: list[str]) -> str:
        """Plans once for the figures and once for the sum, which it gives."""
        command = [str(PLANNER), *sides, mode, str(LISTERS), *listed]
        figures = run(command, self.environment, subprocess.PIPE)
        told = json.loads(str(figures.pop("printed")).splitlines()[-1])
        assert told["planned"] + told["same"] == keys, told
        self.note(name, keys, told["seconds"], figures | {"told": told})
        if mode == "sync":
            return ""
        summed = run(command, self.environment | {"SUM_PLAN": "1"}, subprocess.PIPE)
        return json.dumps(json.loads(str(summed["printed"]).splitlines()[-1])["sum"])

    def list_arguments(self, bucket: str, name: str) -> list[str]:
        key, kind, _ = LISTS[name]
        return [str(self.folder / bucket / name), key, kind]

    def compare(self, keys: int) -> None:
        """Every list against the listing, copy and sync."""
        bucket = self.bucket(keys)
        in_order = [name for name in LISTS if name != "csv-keys-shuffled"]
        self.write(bucket, in_order)
        for mode, target in (("copy", "empty-target"), ("sync", f"{bucket}-same")):
            sides = [bucket, target]
            listing = f"{mode}, listing"
            expected = self.measure(listing, sides, mode, keys, [])
            names = in_order if mode == "copy" else [name for name in in_order if "shuffled" not in name]
            for name in names:
                row = f"{mode}, {LISTS[name][2]}"
                found = self.measure(row, sides, mode, keys, self.list_arguments(bucket, name))
                assert found == expected, f"{row}: the sum is {found}, that of the listing {expected}"
            listed = float(str(self.results[listing]["keys_per_s"]))
            for name in (name for name in names if name.startswith("inventory")):
                rate = float(str(self.results[f"{mode}, {LISTS[name][2]}"]["keys_per_s"])) / listed
                print(f"{mode}, {LISTS[name][2]}: {rate:.2f} times the listing's keys per second", flush=True)
                if rate < SLOWEST_OF_LISTING:
                    self.failures.append(f"{mode}, {LISTS[name][2]}: {rate:.2f} of the listing's rate")

    def compare_lookups(self) -> None:
        """Keys alone in no order, each looked up, against the listing of the same number."""
        bucket = self.bucket(SHUFFLED_KEYS)
        self.write(bucket, ["csv-keys-shuffled"])
        sides = [bucket, "empty-target"]
        expected = self.measure("copy, listing, few", sides, "copy", SHUFFLED_KEYS, [])
        listed = self.list_arguments(bucket, "csv-keys-shuffled")
        row = f"copy, {LISTS['csv-keys-shuffled'][2]}"
        assert self.measure(row, sides, "copy", SHUFFLED_KEYS, listed) == expected

    def compare_memory(self, counts: list[int]) -> None:
        """The same list of more and more keys."""
        for keys in counts:
            bucket = self.bucket(keys)
            self.write(bucket, [MEMORY_LIST, "csv"])
            for name in (MEMORY_LIST, "csv"):
                row = f"memory, copy, {LISTS[name][2]}, {keys:,}"
                listed = self.list_arguments(bucket, name)
                self.measure(row, [bucket, "empty-target"], "copy", keys, listed)
                peak = float(str(self.results[row]["peak_mib"]))
                assert peak <= PEAK_MIB_MAX, f"{row}: {peak} MiB"
            shutil.rmtree(self.folder / bucket)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--keys", type=int, default=1_000_000)
    parser.add_argument("--memory-keys", type=int, nargs="*", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("only", nargs="*")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = ListBench(pathlib.Path(folder))
        server = bench.start_server()
        steps = {
            "compare": lambda: bench.compare(arguments.keys),
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
