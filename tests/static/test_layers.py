"""Dependencies point one way, and the core is pure."""

import json
import re
import subprocess

import pytest

from .project import ROOT

LIBRARIES = {
    "shardlift-core",
    "shardlift-aws",
    "shardlift-proof",
    "shardlift-lists",
    "shardlift-lock",
    "shardlift-worker",
    "shardlift-images",
}
OURS = LIBRARIES | {"shardlift-planner", "shardlift-copier", "shardlift-renderer", "shardlift-reporter", "shardlift"}
# Those that decide, or read what comes in: the same bytes give the same answer, wherever they run.
PURE = ["core", "lists", "images"]
# `parquet` takes hash maps from `ahash`, which draws their seeds; the order of none of them is visible.
CHANCE_OF_PARQUET = {"getrandom"}
# Crates that would bring AWS, a runtime, the network or chance into them.
IMPURE_CRATES = re.compile(r"^(aws-|lambda|tokio|hyper|http|reqwest|rustls|mio|rand|getrandom|fastrand|uuid|rayon)")
# What reads the clock, the environment or the outside world.
IMPURE_CALLS = re.compile(
    r"SystemTime|Instant::now|Timestamp::now|Zoned::now|std::(env|fs|net|process|thread)\b"
    r"|\bio::std(in|out|err)\b|\btracing::"
)


@pytest.fixture(scope="module")
def dependencies():
    """The direct dependencies of each of our crates, those of tests apart."""
    command = ["cargo", "metadata", "--format-version", "1", "--no-deps", "--locked"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    packages = json.loads(result.stdout)["packages"]
    return {p["name"]: {d["name"] for d in p["dependencies"] if d["kind"] is None} for p in packages}


def test_dependencies_point_one_way(dependencies):
    ours = {name: found & set(dependencies) for name, found in dependencies.items() if name in OURS}
    assert ours["shardlift-core"] == ours["shardlift-images"] == set()
    assert ours["shardlift-aws"] == ours["shardlift-proof"] == ours["shardlift-lists"] == {"shardlift-core"}
    assert ours["shardlift-lock"] == {"shardlift-aws", "shardlift-core"}
    assert ours["shardlift-worker"] == {"shardlift-aws", "shardlift-core", "shardlift-lock"}
    # The copier does not learn about images.
    assert [name for name, found in ours.items() if "shardlift-images" in found] == ["shardlift-renderer"]
    for name in OURS - LIBRARIES:
        assert ours[name] <= LIBRARIES, name


@pytest.mark.parametrize("crate", PURE)
def test_nothing_impure_is_linked_into_a_pure_crate(crate):
    package = f"shardlift-{crate}"
    command = ["cargo", "tree", "--locked", "-p", package, "-e", "normal", "--prefix", "none", "-f", "{p}"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    crates = {line.split()[0] for line in result.stdout.splitlines() if line}
    assert package in crates
    expected = CHANCE_OF_PARQUET if "parquet" in crates else set()
    assert {found for found in crates if IMPURE_CRATES.match(found)} == expected


@pytest.mark.parametrize("crate", PURE)
def test_a_pure_crate_reads_no_clock_and_no_environment(crate):
    sources = sorted((ROOT / "lambdas" / crate / "src").rglob("*.rs"))
    assert sources
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in sources
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if IMPURE_CALLS.search(line.partition("//")[0])
    ]
    assert found == []
