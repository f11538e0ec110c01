"""The faults that the simulation plants in the code have their places in it."""

import json

import pytest

from .project import ROOT

PLANTED = json.loads((ROOT / "tests" / "simulation" / "planted.json").read_text("utf-8"))


@pytest.mark.parametrize("fault", PLANTED, ids=lambda fault: fault["name"])
def test_a_planted_fault_has_one_place(fault):
    """Otherwise `make simulate FAULTS=1` would only say so after it has built a copy of the project."""
    code = (ROOT / fault["file"]).read_text("utf-8")
    assert code.count(fault["old"]) == 1
    assert "PLANTED" in fault["new"]
