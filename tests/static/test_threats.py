"""The table of threats in SECURITY.md names, for each, the tests that hold it."""

import re

import pytest

from .project import ROOT

HEADING = "## Threats and mitigations"
NAMED = re.compile(r"`([^`]+?\.(?:py|rs|mjs))::([^`]+)`")
# How a test of each language begins.
BEGINNINGS = {
    "py": r"^def {}\(",
    "rs": r"#\[(?:tokio::)?test(?:\([^)]*\))?\]\s+(?:#\[[^\]]*\]\s+)*(?:async )?fn {}\(",
    "mjs": r"test\([\"'`]{}[\"'`]",
}


def rows():
    text = (ROOT / "docs" / "SECURITY.md").read_text("utf-8")
    section = text.partition(f"\n{HEADING}\n")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("| **")]


def test_the_table_is_found():
    assert len(rows()) >= 15


@pytest.mark.parametrize("row", rows(), ids=lambda row: row.split("**")[1])
def test_each_threat_names_tests_that_exist(row):
    named = NAMED.findall(row.rstrip("| ").rpartition(" | ")[2])
    assert named, "no test holds this"
    for path, name in named:
        escaped = re.escape(name)
        beginning = BEGINNINGS[path.rpartition(".")[2]].replace("{}", escaped)
        assert re.search(beginning, (ROOT / path).read_text("utf-8"), re.MULTILINE), f"{path} has no test {name}"
