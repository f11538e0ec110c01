"""Every assumption about AWS has a number in docs/MODEL.md, and is checked by a case of the acceptance suite or says
why it is not."""

import re

from tests.acceptance.cases import ALL_CASES, DEPLOYMENT_CASES

from .project import ROOT

SECTION = "## Assumptions about AWS"
ROW = re.compile(r"^\| ([A-Z]\d+) \| ([^|]+?) \| ?([^|]*?) ?\|$", re.MULTILINE)


def assumptions():
    """The table: why each number is not checked, or nothing."""
    text = (ROOT / "docs" / "MODEL.md").read_text()
    section = text.partition(f"\n{SECTION}\n")[2].partition("\n## ")[0]
    rows = ROW.findall(section)
    assert len(rows) == len(re.findall(r"^\| [A-Z]\d", section, re.MULTILINE)), "a row is not understood"
    assert len({number for number, _text, _why in rows}) == len(rows), "a number occurs twice"
    return {number: why for number, _text, why in rows}


def checked():
    """The names of the cases by number."""
    found = {}
    for case in (*DEPLOYMENT_CASES, *ALL_CASES):
        for number in case.assumptions:
            found.setdefault(number, []).append(case.name)
    return found


def test_no_case_names_an_unknown_number():
    assert set(checked()) <= set(assumptions())


def test_every_number_is_checked_by_a_case_or_says_why_not():
    unchecked = {number for number in assumptions() if number not in checked()}
    assert unchecked == {number for number, why in assumptions().items() if why}


def test_every_case_checks_something_and_has_a_name_of_its_own():
    cases = (*DEPLOYMENT_CASES, *ALL_CASES)
    assert [case.name for case in cases if not case.assumptions] == []
    assert len({case.name for case in cases}) == len(cases)
