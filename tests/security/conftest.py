"""The local stack, shared with the workflow tests' fixtures."""

import json

import pytest

from tests.workflow.conftest import server

from .test_documents import facts

__all__ = ["server"]
TABLE = pytest.StashKey()


@pytest.fixture
def table(request):
    """Takes each case with what became of it; they are printed at the end, with their count."""
    return request.config.stash.setdefault(TABLE, []).append


@pytest.fixture(scope="session")
def outputs_path(tmp_path_factory):
    """What `make local-up` would write for a stack, for the command."""
    path = tmp_path_factory.mktemp("outputs") / "outputs.json"
    path.write_text(json.dumps(facts()))
    return path


def pytest_terminal_summary(terminalreporter, config):
    """The table of the mutations, with its count."""
    lines = config.stash.get(TABLE, [])
    if not lines:
        return
    terminalreporter.section("permissions taken away, one at a time")
    for outcome, name, detail in sorted(lines):
        terminalreporter.write_line(f"{outcome:<24} {name}  [{detail}]")
    judged = sum(1 for line in lines if line[0] != "not judged here")
    terminalreporter.write_line(f"{judged} cases judged, {len(lines) - judged} covered by static tests instead")
