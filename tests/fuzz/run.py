"""Lets libFuzzer look for bytes that break a promise, on each target for some seconds, two targets at a time.

What it finds is kept in target/fuzz: inputs that reach new code in `corpus`, those that break a promise in `artifacts`.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SEEDS = Path(__file__).parent / "corpus"
# Those in the AWS adapters: a binary of its own runs them, since the AWS SDK is not instrumented.
AWS_TARGETS = {"listing_page", "version_page", "error_document", "refusal_text"}
# A list is read in pieces, so a line longer than any buffer needs some length.
LENGTH_MAX = 65_536
# More than the largest bound of a reader, the images' of 64 MiB, with libFuzzer's own memory.
MEMORY_MIB = 512
SECONDS_AN_INPUT = 20


def fuzz(target: str, binary: Path, seconds: int, folder: Path) -> bool:
    """Runs one target; whether no promise was broken."""
    corpus, artifacts = folder / "corpus" / target, folder / "artifacts" / target
    corpus.mkdir(parents=True, exist_ok=True)
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [
        binary,
        corpus,
        SEEDS / target,
        f"-max_total_time={seconds}",
        f"-max_len={LENGTH_MAX}",
        f"-rss_limit_mb={MEMORY_MIB}",
        f"-timeout={SECONDS_AN_INPUT}",
        f"-artifact_prefix={artifacts}/",
    ]
    environment = os.environ | {"SHARDLIFT_FUZZ_TARGET": target}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace")
    if ended.returncode == 0:
        runs = re.findall(r"^#(\d+)\s+DONE\s+cov: (\d+)", ended.stderr, re.MULTILINE)
        inputs, reached = runs[-1] if runs else ("?", "?")
        print(f"{target}: {inputs} inputs, {reached} places of the code reached, no promise broken", flush=True)
        return True
    print(f"{target}: a promise is broken\n{ended.stderr[-3_000:]}", flush=True)
    for artifact in sorted(artifacts.iterdir()):
        print(f"  keep it for `make test`: cp {artifact} {SEEDS / target}/", flush=True)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--aws-binary", type=Path, required=True)
    parser.add_argument("--seconds", type=int, default=30, help="for each target")
    parser.add_argument("--only", help="one target")
    given = parser.parse_args()
    targets = sorted(folder.name for folder in SEEDS.iterdir())
    if given.only:
        if given.only not in targets:
            parser.error(f"{given.only} is none of {', '.join(targets)}")
        targets = [given.only]
    folder = Path("target/fuzz")

    def of(target: str) -> bool:
        binary = given.aws_binary if target in AWS_TARGETS else given.binary
        return fuzz(target, binary.resolve(), given.seconds, folder)

    with ThreadPoolExecutor(2) as pool:
        return 0 if all(list(pool.map(of, targets))) else 1


if __name__ == "__main__":
    sys.exit(main())
