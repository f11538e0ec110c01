"""`python -m shardlift_local.package`: makes the zips, with one file `bootstrap` in each.

Those to deploy are in target/lambda, those for the local stack (`--local`) in target/local: the local
stack runs them on this machine, whose C library may be newer than Lambda's.

The same binary always makes the same zip, byte for byte: times and permissions are fixed. So a
deployment of unchanged code changes nothing.
"""

import argparse
import re
import sys
import zipfile
from pathlib import Path

from .deployment import ROOT

FUNCTIONS = ("planner", "copier", "renderer", "reporter", "intake")
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE_EXECUTABLE = 0o755
# The C library of Amazon Linux 2023, on which provided.al2023 is based
# (https://docs.aws.amazon.com/linux/al2023/ug/libc.html).
LAMBDA_GLIBC = (2, 34)
# The first bytes of a 64-bit ELF file, and Lambda's machines by their number in it.
ELF_64 = b"\x7fELF\x02"
LAMBDA_MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}
WHAT_TO_DO = (
    "Build with zig, which links against Lambda's C library (make package ZIG=1), or on Amazon Linux 2023 or Debian 12,"
    " for example in a container (README, Deploy to two accounts)."
)


def package(binaries_dir, zips_dir):
    """Zips each function's binary. Returns the paths of the zips by function."""
    zips_dir.mkdir(parents=True, exist_ok=True)
    zips = {name: zips_dir / f"{name}.zip" for name in FUNCTIONS}
    for name, path in zips.items():
        binary = binaries_dir / name
        # Compression takes seconds, and an unchanged binary makes the same zip.
        if not path.exists() or path.stat().st_mtime_ns <= binary.stat().st_mtime_ns:
            zip_bootstrap(binary, path)
    return zips


def zip_bootstrap(binary, path, extra=None):
    """Writes a zip with the binary as `bootstrap`, and extra files by name."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"bootstrap": binary.read_bytes(), **(extra or {})}.items():
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.external_attr = MODE_EXECUTABLE << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return path


def needed_glibc(binary):
    """Returns the newest version of the GNU C library that the binary needs, as (major, minor)."""
    versions = re.findall(rb"GLIBC_(\d+)\.(\d+)", binary)
    return max(((int(major), int(minor)) for major, minor in versions), default=(0, 0))


def what_keeps_it_from_lambda(binary, architecture="x86_64"):
    """Returns why Lambda cannot start the binary on this architecture, as a sentence, or None."""
    machine = LAMBDA_MACHINES.get(int.from_bytes(binary[18:20], "little")) if binary.startswith(ELF_64) else None
    if machine is None:
        return "it is not a Linux binary for x86_64 or arm64"
    if machine != architecture:
        return f"it is built for {machine}, but would be deployed for {architecture}"
    needed = needed_glibc(binary)
    if needed > LAMBDA_GLIBC:
        versions = [".".join(map(str, version)) for version in (needed, LAMBDA_GLIBC)]
        return f"it is linked against glibc {versions[0]}, but Lambda has {versions[1]}"
    return None


def _advice(problems):
    built_for = next(
        (machine for machine in LAMBDA_MACHINES.values() if f"is built for {machine}" in problems[0]), None
    )
    if built_for is None:
        return WHAT_TO_DO
    return (
        f"Package them with make package ARCHITECTURE={built_for} and deploy template.yaml with"
        f" Architecture={built_for}, or build on the other architecture."
    )


def refusals(binaries_dir, architecture="x86_64"):
    """Returns why Lambda cannot start the functions on this architecture, a sentence for each that it cannot."""
    binaries = {name: (binaries_dir / name).read_bytes() for name in FUNCTIONS}
    problems = {name: what_keeps_it_from_lambda(binary, architecture) for name, binary in binaries.items()}
    return [f"{binaries_dir / name}: {problem}" for name, problem in problems.items() if problem]


def main(arguments=None, target=ROOT / "target"):
    """Zips the binaries, and prints the size of each zip. Without --local, refuses those that Lambda cannot start."""
    parser = argparse.ArgumentParser(prog="shardlift_local.package", description=__doc__)
    parser.add_argument("--local", action="store_true", help="for the local stack, which runs on this machine")
    parser.add_argument(
        "--architecture",
        choices=LAMBDA_MACHINES.values(),
        default="x86_64",
        help="as the stack's parameter Architecture",
    )
    parser.add_argument("--binaries", type=Path, default=target / "release", help="the folder of the binaries")
    options = parser.parse_args(arguments)
    zips_dir = target / ("local" if options.local else "lambda")
    problems = [] if options.local else refusals(options.binaries, options.architecture)
    if problems:
        # Those of an earlier build would be deployed instead.
        for name in FUNCTIONS:
            (zips_dir / f"{name}.zip").unlink(missing_ok=True)
        lines = [*problems, "No zip was written: every function would die at its start. " + _advice(problems)]
        sys.exit("shardlift: " + "\n".join(lines))
    for path in package(options.binaries, zips_dir).values():
        print(f"{path.relative_to(target.parent)}: {path.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
