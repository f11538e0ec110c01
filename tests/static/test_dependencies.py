"""What is linked: crates of known licences from crates.io only, pinned, and each of them used.

The ready-made tools for this (cargo-deny, cargo-machete) have no prebuilt binary that reads this
workspace in the registries, and building them takes longer than all other checks together.
"""

import json
import re
import subprocess

import pytest

from .licences import LINKED, is_allowed
from .project import ROOT

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
# Of other licences, and never built: for WebAssembly alone, below the hash maps of `parquet`.
NEVER_BUILT = {"tiny-keccak": "CC0-1.0"}
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu", "x86_64-apple-darwin", "aarch64-apple-darwin"]
# Crates whose library has another name than the package.
LIBRARIES = {"kamadak-exif": "exif", "md-5": "md5"}


@pytest.fixture(scope="module")
def metadata():
    command = ["cargo", "metadata", "--format-version", "1", "--locked"]
    return json.loads(subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=300).stdout)


@pytest.fixture(scope="module")
def members(metadata):
    names = set(metadata["workspace_members"])
    return [package for package in metadata["packages"] if package["id"] in names]


def test_every_crate_comes_from_crates_io(metadata, members):
    ours = {package["id"] for package in members}
    foreign = [p["id"] for p in metadata["packages"] if p["id"] not in ours and p["source"] != CRATES_IO]
    assert foreign == []


def test_every_licence_is_allowed(metadata):
    refused = {p["name"]: p["license"] for p in metadata["packages"] if not is_allowed(p["license"] or "none", LINKED)}
    assert refused == NEVER_BUILT


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_never_built_is_in_no_tree(target):
    command = ["cargo", "tree", "--locked", "--workspace", "--target", target, "--prefix", "none", "-f", "{p}"]
    tree = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=300).stdout
    crates = {line.split()[0] for line in tree.splitlines() if line}
    assert "parquet" in crates
    assert crates & set(NEVER_BUILT) == set()


def test_the_workspace_pins_exact_versions():
    manifest = (ROOT / "Cargo.toml").read_text()
    section = manifest.split("[workspace.dependencies]")[1].split("\n[workspace.lints", 1)[0]
    versions = re.findall(r'^(\S+) = (?:"([^"]+)"|\{ version = "([^"]+)")', section, re.MULTILINE)
    assert versions
    assert [name for name, plain, inside in versions if not (plain or inside).startswith("=")] == []


def borrowed(sources):
    """The files of other crates that tests take in as modules of their own."""
    for path in sources:
        for place in re.findall(r'#\[path = "([^"]+)"\]', path.read_text()):
            yield path.parent / place


def test_no_dependency_is_unused(members):
    unused = []
    for package in members:
        folder = (ROOT / package["manifest_path"]).parent
        sources = [path for part in ("src", "tests", "benches", "examples") for path in (folder / part).rglob("*.rs")]
        text = "\n".join(path.read_text() for path in [*sources, *borrowed(sources)])
        for dependency in package["dependencies"]:
            name = dependency["rename"] or LIBRARIES.get(dependency["name"], dependency["name"]).replace("-", "_")
            if not re.search(rf"\b{name}\b", text):
                unused.append(f"{package['name']}: {dependency['name']}")
    assert unused == []
