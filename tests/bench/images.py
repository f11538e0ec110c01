"""Measures renditions of an image of 12 megapixels beside sharp and Pillow, all in one run.

    python tests/bench/images.py [--edge N] [--turns N] [--repeats N]

Each program renders the file some times in one process, on one thread of its own where it lets one say so; a process
that renders once is taken off, and with it the program's start. They take turns, so that what else the machine does
meets all of them. The photograph is the one of 10 megapixels that Pillow's source package has, enlarged. Figures go to
target/bench/images.json and, as a table, to the standard output.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "images"))

import corpus  # noqa: E402

RESULTS = ROOT / "target/bench/images.json"
SIZE = (4000, 3000)
# Qualities that cameras have.
STYLES = {
    "JPEG": ("photograph.jpg", {"quality": 90}),
    "progressive JPEG": ("progressive.jpg", {"quality": 90, "progressive": True}),
    "PNG": ("photograph.png", {}),
    "WebP": ("photograph.webp", {"quality": 85}),
}


def photographs(folder):
    """Writes the same photograph in each format. In a process of its own, whose memory would count for its brothers."""
    corpus.use_pillow()
    from PIL import Image

    with Image.open(corpus.FOLDER / "corpus" / "fujifilm.mpo") as image:
        photograph = image.convert("RGB").resize(SIZE, Image.Resampling.BICUBIC)
    for file, options in STYLES.values():
        photograph.save(folder / file, **options)


def measured(command, path, folder, options, repeats):
    """Seconds that passed, seconds of the processor, and the most memory, of one process."""
    arguments = [*command, str(folder), str(options.edge), "same", "80", str(repeats)]
    started = time.perf_counter()
    process = subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    process.stdin.write(f"{path}\n")
    process.stdin.close()
    problem = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} failed: {problem[-400:]}")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def turn(command, path, folder, options):
    once = measured(command, path, folder, options, 1)
    often = measured(command, path, folder, options, 1 + options.repeats)
    passed, processor = ((often[index] - once[index]) / options.repeats for index in range(2))
    return {"seconds": passed, "processor_seconds": processor, "memory_bytes": often[2]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edge", type=int, default=256)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=6)
    options = parser.parse_args()
    programs = {
        "shardlift": [str(corpus.RENDERER)],
        "sharp": ["node", str(corpus.SHARP)],
        "Pillow": [sys.executable, str(corpus.PILLOW)],
    }
    figures = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        maker = multiprocessing.get_context("spawn").Process(target=photographs, args=(folder,))
        maker.start()
        maker.join()
        for kind, (file, _) in STYLES.items():
            turns = {program: [] for program in programs}
            for _ in range(options.turns):
                for program, command in programs.items():
                    turns[program].append(turn(command, folder / file, folder, options))
            figures[kind] = {
                program: {key: statistics.median(one[key] for one in found) for key in found[0]}
                for program, found in turns.items()
            }
            for program, found in figures[kind].items():
                processor, memory = found["processor_seconds"] * 1000, found["memory_bytes"] / 2**20
                figure = f"{1 / found['seconds']:7.1f} images/s  {processor:7.1f} ms of processor  {memory:6.0f} MiB"
                print(f"{kind:17}{program:10}{figure}", flush=True)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"edge": options.edge, "size": SIZE, "figures": figures}, indent=2))


if __name__ == "__main__":
    main()
