"""Whatever is installed to build and test has a licence that we allow, and comes from the ecosystem's own registry.

For crates see test_dependencies. The ready-made tools for Python (pip-licenses) and npm (license-checker) compare names
and know no expressions; license-expression, which they and checkov build upon, does.
"""

import json
import re
import sysconfig

import pytest

from .licences import LINKED, PEERS, READ, TOOLS, installed, is_allowed, licence_of, pin
from .project import ROOT
from .test_supply_chain import REQUIREMENTS

# pip itself comes with Python.
UNPINNED = {"pip", "setuptools", "wheel"}
FOLDERS = [sysconfig.get_path("purelib"), ROOT / ".venv" / "checkov"]
LOCKS = {ROOT / "tests" / folder / "package-lock.json": TOOLS for folder in ("static", "browser")}
LOCKS[ROOT / "tests" / "images" / "package-lock.json"] = PEERS
NPM = re.compile(r"https://registry\.npmjs\.org/")


def pinned():
    """Every Python package that a list pins."""
    texts = [path.read_text() for path in REQUIREMENTS]
    return {
        pin(*found) for text in texts for found in re.findall(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", text, re.MULTILINE)
    }


def npm_packages():
    for path, allowed in LOCKS.items():
        packages = json.loads(path.read_text())["packages"]
        yield from ((name, package, allowed) for name, package in packages.items() if name)


def refused(licences, allowed=TOOLS):
    return {name: licence for name, licence in licences.items() if not is_allowed(licence, allowed)}


def test_every_python_package_has_a_licence_that_is_allowed():
    found = {name: licence_of(one) for name, one in installed(FOLDERS).items()}
    licences = {name: READ.get(name) or found.get(name, "neither installed here nor in READ") for name in pinned()}
    assert len(licences) > 100
    assert refused(licences) == {}


def test_what_was_read_by_hand_is_still_pinned():
    assert set(READ) - pinned() == set()


def test_every_installed_python_package_is_pinned_and_comes_from_the_index():
    found = installed(FOLDERS[:1])
    names = {name.partition("==")[0] for name in pinned()}
    assert {name for name in found if name.partition("==")[0] not in names | UNPINNED} == set()
    # pip writes this file for a package that came from an address or a folder (PEP 610).
    assert [name for name, one in found.items() if one.read_text("direct_url.json")] == []


def test_no_list_names_another_index():
    for path in REQUIREMENTS:
        assert not re.search(r"--(extra-)?index-url|--find-links|--trusted-host| @ ", path.read_text()), path


def test_every_npm_package_has_a_licence_that_is_allowed():
    packages = list(npm_packages())
    assert len(packages) > 10
    for name, package, allowed in packages:
        assert refused({name: package.get("license", "none")}, allowed) == {}


def test_every_npm_package_comes_from_the_registry():
    """A lock file without addresses leaves them to the registry; one from elsewhere would have its own."""
    for name, package, _ in npm_packages():
        assert NPM.match(package.get("resolved", "https://registry.npmjs.org/")), name
        assert not package.get("link"), name
        assert re.fullmatch(r"\d+\.\d+\.\d+[\w.+-]*", package["version"]), name


@pytest.mark.parametrize(
    ("expression", "linked", "tools"),
    [
        ("MIT OR GPL-3.0-only", True, True),
        ("MIT/Apache-2.0", True, True),
        ("MIT AND GPL-3.0-only", False, False),
        ("(MIT OR GPL-3.0-only) AND Unicode-3.0", True, True),
        ("(GPL-3.0-only OR AGPL-3.0-only) AND MIT", False, False),
        ("Apache-2.0 WITH LLVM-exception", True, True),
        ("GPL-2.0-only WITH Classpath-exception-2.0", False, False),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", False, True),
        ("Some licence of our own", False, False),
        ("none", False, False),
    ],
)
def test_licence_expressions_are_read_as_spdx_means_them(expression, linked, tools):
    assert (is_allowed(expression, LINKED), is_allowed(expression, TOOLS)) == (linked, tools)
