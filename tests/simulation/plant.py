"""Plants faults in the code, one at a time, and says which seed of the simulation finds each.

The faults are in planted.json: a piece of a file, and what stands there instead. All of them are planted in a copy of
the tree, each behind a switch (PLANTED), so that one build serves for all and the product has no trace of them. Faults
of the ports and of the state machine need no build: simulate --faults.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "target" / "planted"
TREE = PLACE / "tree"
# As everywhere: a build of one package alone would select other features, and compile the AWS SDK anew.
BUILD = ["cargo", "build", "--release", "--locked", "--workspace", "--bin", "simulate", "--quiet"]

SWITCH = """
/// Whether the fault of this number is planted.
#[allow(missing_docs)]
pub fn planted(number: u32) -> bool {
    static PLANTED: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
    *PLANTED.get_or_init(|| std::env::var("PLANTED").ok()?.parse().ok()) == Some(number)
}
"""


def copy_tree(faults):
    """The files that git knows, or would add, with the faults in them. Only what differs is written."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    planted = planted_files(faults)
    for name in listed:
        source, copy = ROOT / name, TREE / name
        if not source.is_file():
            continue
        content = planted.get(name) or source.read_bytes()
        if not copy.is_file() or copy.read_bytes() != content:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(content)


def seed_build():
    """What other crates are built to is the same: it is linked instead of built again."""
    build, own = PLACE / "build" / "release", ROOT / "target" / "release"
    if build.exists() or not own.exists():
        return
    build.mkdir(parents=True)
    for folder in ("deps", "build", ".fingerprint"):
        subprocess.run(["cp", "-al", str(own / folder), str(build / folder)], check=True)


def build():
    environment = os.environ | {"CARGO_TARGET_DIR": str(PLACE / "build")}
    return subprocess.run(BUILD, cwd=TREE, env=environment, capture_output=True, text=True)


def first_seed(number, seeds):
    """What the first seed that fails says; nothing when none does."""
    command = [str(PLACE / "build" / "release" / "simulate"), "--first", "--seeds", str(seeds)]
    environment = os.environ | {"PLANTED": str(number)}
    played = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if played.returncode == 0:
        return None
    lines = [line for line in played.stderr.splitlines() if line and not line.startswith(("thread", "note"))]
    return f"seed {int(lines[-2]) - 1}: {lines[-1]}" if len(lines) > 1 and lines[-2].isdigit() else "a crash"


def planted_files(faults):
    """The files with all faults in them, each behind a switch that is set when the program starts."""
    library = "lambdas/core/src/lib.rs"
    texts = {library: (ROOT / library).read_text("utf-8") + SWITCH}
    for number, fault in enumerate(faults):
        name = fault["file"]
        text = texts.get(name) or (ROOT / name).read_text("utf-8")
        if text.count(fault["old"]) != 1:
            sys.exit(f"{name} does not have what is to be replaced: {fault['name']}")
        root = "crate" if name.startswith("lambdas/core/") else "shardlift_core"
        new = fault["new"].replace("PLANTED", f"{root}::planted({number})")
        texts[name] = text.replace(fault["old"], new)
    return {name: text.encode() for name, text in texts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3_000)
    parser.add_argument("--only", default="", help="a part of the names of the faults to plant")
    arguments = parser.parse_args()
    faults = json.loads((Path(__file__).parent / "planted.json").read_text("utf-8"))
    copy_tree(faults)
    seed_build()
    built = build()
    if built.returncode != 0:
        sys.exit(built.stderr)
    for number, fault in enumerate(faults):
        if arguments.only in fault["name"]:
            said = first_seed(number, arguments.seeds) or f"NOT FOUND by {arguments.seeds} seeds"
            print(f"| code | {fault['name']} | {said} |", flush=True)


if __name__ == "__main__":
    main()
