"""Every recorded fact about AWS is held by a case of the S3 model's suite, or has a reason why none can hold it."""

import re

from .project import ROOT, table_rows

FACTS = 120
CASES = ROOT / "tests" / "s3-model" / "tests" / "conformance"
CASE = re.compile(r"((?:^///.*\n)*)^#\[tokio::test.*\]\nasync fn (\w+)", re.MULTILINE)
NUMBERS = re.compile(r"[Ff]acts? ((?:\d+(?:, | and | to )?)+)")


def facts_of(comment):
    """The facts that a comment names: "Facts 1, 2 and 4", "Facts 7 to 10"."""
    text = " ".join(line.removeprefix("///").strip() for line in comment.splitlines())
    found = set()
    for numbers in NUMBERS.findall(text):
        for first, last in re.findall(r"(\d+)(?: to (\d+))?", numbers):
            found |= set(range(int(first), int(last or first) + 1))
    return found


def cases():
    """The facts that each case names, by module and name."""
    found = {}
    for path in sorted(CASES.glob("*.rs")):
        for comment, name in CASE.findall(path.read_text()):
            found[f"{path.stem}::{name}"] = facts_of(comment)
    return found


def rows():
    text = (ROOT / "docs" / "MODEL.md").read_text()
    return [(int(number), told, how) for number, told, how in table_rows(text, "Recorded facts")]


def test_no_fact_is_missing_or_told_twice():
    assert [number for number, _, _ in rows()] == list(range(1, FACTS + 1))


def test_each_fact_has_cases_that_name_it_or_a_reason():
    known = cases()
    for number, _, how in rows():
        named = re.findall(r"`(\w+::\w+)`", how)
        if not named:
            assert how.startswith("not in the model, which "), number
        for case in named:
            assert number in known.get(case, set()), f"{case} does not name fact {number}"


def test_each_fact_that_a_case_names_lists_the_case():
    listed = {number: how for number, _, how in rows()}
    for case, facts in cases().items():
        for number in facts:
            assert f"`{case}`" in listed[number], f"fact {number} does not list {case}"


def test_facts_in_a_comment_are_read_whole():
    assert facts_of("/// Facts 7, 8 and\n/// 10 to 12.\n") == {7, 8, 10, 11, 12}
    assert facts_of("/// Fact 83, tags in a header.\n") == {83}
    assert facts_of("/// No number.\n") == set()
