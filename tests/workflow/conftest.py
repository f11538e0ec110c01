"""One server for all workflow tests, and deployments on it that the tests share."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.package import FUNCTIONS, zip_bootstrap
from shardlift_local.server import Server, free_port

from tests.model_server import running_model

from .execution import Machine

STUB = Path(__file__).parent / "stub" / "bootstrap"
# Step Functions' waits shrink to this, so that back-off does not make the tests wait.
WAIT_SCALE = 0.01
FAILED_STATES = pytest.StashKey()


def pytest_terminal_summary(terminalreporter, config):
    """The table of the failed states, with its count."""
    lines = config.stash.get(FAILED_STATES, [])
    if not lines:
        return
    terminalreporter.section("states that failed, with the real functions")
    for case, execution, channels in lines:
        end = f"{execution.status} {execution.error}"
        terminalreporter.write_line(f"{case.name:<60} {end:<40} notified by: {', '.join(channels)}")
    terminalreporter.write_line(f"{len(lines)} cases run")


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The local stack's server, with a state folder whose path holds a space."""
    server = Server(tmp_path_factory.mktemp("local stack"), free_port(), WAIT_SCALE)
    server.start()
    yield server
    server.stop()


@dataclass(frozen=True)
class StubbedMachine:
    """The real state machine over functions whose results are scripted."""

    machine: Machine
    calls_dir: Path

    def run(self, planner, reporter, copiers=()):
        """Runs the scripts to the end. `INDEX` in a reply stands for an index of the copiers' shards."""
        run_id = self.machine.new_run_id()
        index = self._write_index(run_id, copiers)
        script = {"planner": planner, "reporter": reporter}
        text = json.dumps({"script": script}).replace('"INDEX"', json.dumps(index))
        execution = self.machine.run(json.loads(text), run_id=run_id)
        return execution, self._calls(run_id)

    def _write_index(self, run_id, copiers):
        bucket, key = self.machine.outputs["control_bucket"], f"runs/{run_id}/rounds/1/index.json"
        shards = [f"{number}:{json.dumps(script)}" for number, script in enumerate(copiers)]
        self.machine.deployment.source.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(shards))
        return {"bucket": bucket, "key": key}

    def _calls(self, run_id):
        path = self.calls_dir / f"{run_id}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(scope="session")
def stubbed(server, tmp_path_factory):
    """The real templates and state machine, deployed with scripted functions."""
    zips_dir, calls_dir = tmp_path_factory.mktemp("zips"), tmp_path_factory.mktemp("calls")
    for name in FUNCTIONS:
        zip_bootstrap(STUB, zips_dir / f"{name}.zip", {"calls_dir": str(calls_dir).encode()})
    # Short enough to wait for, long enough for a cold start on a busy machine.
    timeouts = dict.fromkeys(("PlannerTimeoutSeconds", "CopierTimeoutSeconds", "ReporterTimeoutSeconds"), 4)
    deployment = Deployment(server.endpoint_url, name="stubbed", zips_dir=zips_dir, parameters=timeouts)
    return StubbedMachine(Machine(deployment, deployment.deploy()), calls_dir)


@pytest.fixture(scope="session")
def real(server):
    """The real templates, state machine and functions."""
    deployment = Deployment(server.endpoint_url, name="real")
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def model():
    """An S3 model server."""
    with running_model() as model:
        yield model
