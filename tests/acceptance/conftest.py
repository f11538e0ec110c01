"""The local stack, shared by the tests of the suite itself."""

import pytest

from tests.workflow.conftest import server

from .suite import stand_on

__all__ = ["server"]


@pytest.fixture
def new_stand(server, tmp_path):
    """Makes a stand on the local stack; `lay_out` takes a README or templates other than the project's."""

    def make(**sources):
        return stand_on(server.endpoint_url, tmp_path, **sources)

    return make
