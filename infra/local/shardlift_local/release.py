"""`python -m shardlift_local.release`: collects what a deployment needs, so that it needs no Rust.

`target/dist/shardlift-<version>-linux-<architecture>/` has the layout of the project, so that the README's commands
are the same in both: the zips in `target/lambda`, templates, state machine, Terraform modules, docs, the command
in `bin`, and its manual pages and completions in `share`. `SHA256SUMS` lists every file. The archive beside it, with a
checksum of its own, is ready to be attached to a release: the same files always make the same bytes.
"""

import argparse
import gzip
import hashlib
import io
import re
import shutil
import sys
import tarfile
from pathlib import Path

from .deployment import ROOT
from .package import FUNCTIONS, MODE_EXECUTABLE

MODE_READABLE = 0o644
COMMAND = "bin/shardlift"
SUMS = "SHA256SUMS"
# Files and folders of the project that go into a release as they are.
TAKEN = (
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs",
    "examples",
    "infra/pair.yaml",
    "infra/source-bucket-policy.json",
    "infra/target-account.yaml",
    "infra/template.yaml",
    "infra/terraform",
    "statemachine",
)
# Of the project's own development.
LEFT_OUT = ("__pycache__", ".terraform", "generate.py")


def version():
    """The version of the workspace."""
    (found,) = re.findall(r'^version = "(.+)"$', (ROOT / "Cargo.toml").read_text("utf-8"), re.MULTILINE)
    return found


def files(target, command):
    """Where each file of a release comes from, by its path in it."""
    found = {f"target/lambda/{name}.zip": target / "lambda" / f"{name}.zip" for name in FUNCTIONS}
    found[COMMAND] = command
    shared = [path for path in (target / "share").rglob("*") if path.is_file()]
    found |= {str(path.relative_to(target)): path for path in shared}
    for taken in TAKEN:
        path = ROOT / taken
        inside = [path] if path.is_file() else [entry for entry in path.rglob("*") if entry.is_file()]
        kept = [entry for entry in inside if not set(entry.parts) & set(LEFT_OUT)]
        found |= {str(entry.relative_to(ROOT)): entry for entry in kept}
    return dict(sorted(found.items()))


def release(target, command, architecture):
    """Writes the folder and the archive. Returns the path of the archive."""
    name = f"shardlift-{version()}-linux-{architecture}"
    dist_dir = target / "dist"
    folder = dist_dir / name
    shutil.rmtree(folder, ignore_errors=True)
    sums = []
    for inside, source in files(target, command).items():
        path = folder / inside
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(source.read_bytes())
        path.chmod(MODE_EXECUTABLE if inside == COMMAND else MODE_READABLE)
        sums.append(f"{digest(path)}  {inside}\n")
    (folder / SUMS).write_text("".join(sums), "utf-8")
    archive = dist_dir / f"{name}.tar.gz"
    archive.write_bytes(packed(folder))
    (dist_dir / f"{name}.tar.gz.sha256").write_text(f"{digest(archive)}  {archive.name}\n", "utf-8")
    return archive


def packed(folder):
    """The folder as an archive whose bytes depend on names, contents and permissions alone."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(entry for entry in folder.rglob("*") if entry.is_file()):
            inside = path.relative_to(folder)
            entry = tarfile.TarInfo(f"{folder.name}/{inside}")
            entry.size = path.stat().st_size
            entry.mode = MODE_EXECUTABLE if str(inside) == COMMAND else MODE_READABLE
            archive.addfile(entry, io.BytesIO(path.read_bytes()))
    return gzip.compress(plain.getvalue(), mtime=0)


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(arguments=None, target=ROOT / "target"):
    parser = argparse.ArgumentParser(prog="shardlift_local.release", description=__doc__)
    parser.add_argument("--architecture", default="x86_64", help="of the packaged functions")
    parser.add_argument("--command", type=Path, default=target / "release" / "shardlift", help="the operator's command")
    options = parser.parse_args(arguments)
    if not options.command.exists():
        sys.exit(f"shardlift: {options.command} is missing: cargo build --release --locked -p shardlift")
    archive = release(target, options.command, options.architecture)
    print(f"{archive.relative_to(target.parent)}: {archive.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
