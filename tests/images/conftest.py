"""The local stack, as the workflow tests have it."""

from tests.workflow.conftest import server

__all__ = ["server"]
