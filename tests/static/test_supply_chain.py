"""What is installed to build and test: exactly what was pinned, by hash, and nothing built on the way."""

import json
import re

import pytest

from .project import ROOT

REQUIREMENTS = sorted(
    path
    for folder in ("infra", "tests")
    for path in (ROOT / folder).rglob("*requirements.txt")
    if "node_modules" not in path.parts
)
SCRIPTS = [ROOT / "Makefile", ROOT / "infra" / "local" / "venv.sh", ROOT / ".ci" / "run"]


def test_every_list_is_found():
    assert len(REQUIREMENTS) >= 7


@pytest.mark.parametrize("path", REQUIREMENTS, ids=[str(path.relative_to(ROOT)) for path in REQUIREMENTS])
def test_every_package_is_pinned_by_version_and_hash(path):
    text = re.sub(r"\s*\\\n\s*", " ", path.read_text())
    lines = [line for line in text.splitlines() if line and not line.startswith(("#", "-r "))]
    assert lines
    for line in lines:
        assert re.match(r"[A-Za-z0-9_.-]+==[0-9][^ ]*( ;[^\\]*?)?( --hash=sha256:[0-9a-f]{64})+ *$", line), line[:80]


def test_pip_installs_by_hash_and_only_what_was_published_as_a_wheel():
    for script in SCRIPTS:
        for command in re.findall(r"pip install(?:[^\n]|\\\n)*", script.read_text()):
            assert "--require-hashes" in command, command
            assert "--break-system-packages" not in command
    assert "--break-system-packages" not in "".join(script.read_text() for script in SCRIPTS)


def test_npm_installs_by_its_lock_file():
    for script in SCRIPTS:
        assert not re.search(r"npm (install|i) ", script.read_text())
    for folder in ("static", "browser", "images"):
        packages = json.loads((ROOT / "tests" / folder / "package-lock.json").read_text())["packages"]
        del packages[""]
        assert packages
        assert all(package["integrity"].startswith("sha512-") for package in packages.values())
