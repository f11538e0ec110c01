"""The table of odd objects in docs/SEMANTICS.md: every row names what proves it, and every case has a row."""

import re
from pathlib import Path

from tests.workflow.odd_objects import ALL

ROOT = Path(__file__).resolve().parents[2]
ROWS_MIN = 40


def rows():
    """The rows of the table but its headings: (at the source, what happens, proven by)."""
    text = (ROOT / "docs/SEMANTICS.md").read_text()
    (section,) = re.findall(r"^## Odd objects$(.*?)^## ", text, re.MULTILINE | re.DOTALL)
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    return [row for row in cells if not row[0].startswith("**")]


def test_every_row_names_a_case_or_a_file_that_proves_it():
    names = {case.name for case in ALL}
    for source, outcome, proof in rows():
        proven_by = re.findall("`([^`]+)`", proof)
        assert all((source, outcome, proven_by)), (source, outcome, proof)
        for name in proven_by:
            assert name in names or (ROOT / name).is_file(), (source, name)
    assert len(rows()) >= ROWS_MIN


def test_every_case_has_one_row():
    named = [name for _source, _outcome, proof in rows() for name in re.findall("`([^`]+)`", proof)]
    for case in ALL:
        assert named.count(case.name) == 1, case.name
    assert len({case.name for case in ALL}) == len(ALL)


def test_a_row_says_what_its_cases_expect():
    cases = {case.name: case for case in ALL}
    for source, outcome, proof in rows():
        for name in re.findall("`([^`]+)`", proof):
            case = cases.get(name)
            if case is None:
                continue
            word = "copied" if case.outcome == "copied" else case.outcome
            assert word in outcome, (source, name)
            assert all(note in outcome for note in case.notes if note.endswith("behind")), (source, name)
