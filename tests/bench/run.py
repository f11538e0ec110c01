"""`make bench`: every benchmark, or the one that ONLY names, one after the other on this machine.

Each writes its raw figures to target/bench/<name>.json; all of them end up in target/bench/results.json.
"""

import json
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIGURES = HERE.parents[1] / "target" / "bench"


def names():
    """The benchmarks: every other program of this folder. What is no program is what they have in common."""
    programs = (path for path in HERE.glob("*.py") if "__main__" in path.read_text())
    return sorted(path.stem for path in programs if path.stem != Path(__file__).stem)


def main(only):
    """Runs them. A benchmark that fails ends it, with the figures of those before it and its own kept."""
    chosen = [only] if only else names()
    unknown = sorted(set(chosen) - set(names()))
    if unknown:
        sys.exit(f"there is no benchmark {unknown[0]!r}; ONLY= takes one of {', '.join(names())}")
    FIGURES.mkdir(parents=True, exist_ok=True)
    for name in chosen:
        print(f"== {name}", flush=True)
        ended = subprocess.run([sys.executable, str(HERE / f"{name}.py")], check=False)
        found = {path.stem: json.loads(path.read_text()) for path in FIGURES.glob("*.json") if path.stem in names()}
        (FIGURES / "results.json").write_text(json.dumps(found, indent=2) + "\n")
        if ended.returncode != 0:
            sys.exit(f"{name} ended with {ended.returncode}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
