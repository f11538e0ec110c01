"""The local stack, shared with the workflow tests' fixtures."""

from tests.workflow.conftest import server

__all__ = ["server"]


def pytest_terminal_summary(terminalreporter, config):
    """The table of the mutations, with its count."""
    from .test_mutations import TABLE

    lines = config.stash.get(TABLE, [])
    if not lines:
        return
    terminalreporter.section("permissions taken away, one at a time")
    for outcome, name, detail in sorted(lines):
        terminalreporter.write_line(f"{outcome:<24} {name}  [{detail}]")
    judged = sum(1 for line in lines if line[0] != "not judged here")
    terminalreporter.write_line(f"{judged} cases judged, {len(lines) - judged} covered by static tests instead")
