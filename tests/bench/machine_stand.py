"""What whole runs are measured on: the real state machine and the real functions on the local stack, with the object
data in the S3 model server."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "infra/local")]

import function_log  # noqa: E402
from lambda_sizes import SizedFunctions  # noqa: E402
from shardlift_local.deployment import Deployment  # noqa: E402
from shardlift_local.server import Server, free_port, running_server  # noqa: E402

from tests.model_server import running_model  # noqa: E402
from tests.workflow.execution import Execution, Machine  # noqa: E402
from tests.workflow.modelled import let_the_role_read, take_over_buckets  # noqa: E402

LIMIT_PER_S = 3_500
OBJECT_BYTES = 65_536
WEATHER = {
    "latency": {"CopyObject": {"base_ms": 40.0}, "ListObjectsV2": {"base_ms": 40.0}},
    "latency_default": {"base_ms": 20.0},
    "partition_limits": {"writes_per_s": LIMIT_PER_S},
}
FUNCTIONS = ("planner", "copier", "reporter")
RUN_SECONDS_MAX = 3_600


def key_space(objects: int, **lag: int) -> dict[str, object]:
    """So many computed keys; a target may lack or differ in every so many of them."""
    return {"shape": {"kind": "flat"}, "objects": objects, "sizes": {"kind": "fixed", "bytes": OBJECT_BYTES}, **lag}


@dataclass(frozen=True)
class WholeRun:
    """A run that ended, with all that it took."""

    execution: Execution
    report: dict
    seconds: dict[str, float]
    invocations: dict[str, int]
    gb_seconds: dict[str, float]

    def usd(self) -> dict[str, float]:
        """What the report says that it costs: all, of it the copies alone, and the functions; and what the functions
        cost by Lambda's own log, whose durations are whole invocations."""
        cost = self.report["cost_usd"]
        copies = cost["requests"].get("s3:CopyObject", 0) * 0.005 / 1_000
        counted_gb_seconds = cost["requests"].get("lambda:MB-Millisecond", 0) / 1_000 / 1_024
        found = {
            "all": cost["counted"],
            "copies": copies,
            "functions": function_log.usd(cost["requests"].get("lambda:Invoke", 0), counted_gb_seconds),
            "functions_by_their_log": function_log.usd(sum(self.invocations.values()), sum(self.gb_seconds.values())),
            "ours": cost["counted"] - copies,
        }
        return {name: round(usd, 6) for name, usd in found.items()}

    def note(self) -> dict[str, object]:
        return {
            "seconds": self.seconds,
            "usd": self.usd(),
            "invocations": self.invocations,
            "gb_seconds": self.gb_seconds,
            "shards": self.report["shards"]["total"],
            "transitions": self.report["cost_usd"]["requests"]["states:Transition"],
            "throttled": self.report["cost_usd"]["requests"].get("s3:SlowDown", 0),
            "load": round(os.getloadavg()[0], 1),
        }


@dataclass(frozen=True)
class MachineStand:
    """A deployed machine whose buckets are in the model."""

    machine: Machine
    model: object

    def hold(self, source: dict[str, object], target: dict[str, object] | None = None) -> None:
        """Fills the buckets with computed keys."""
        deployment = self.machine.deployment
        take_over_buckets(self.model, deployment)
        sides = (
            (deployment.source, deployment.source_bucket, source),
            (deployment.target, deployment.target_bucket, target),
        )
        for account, bucket, space in sides:
            if space:
                self.model.control("PUT", f"buckets/{bucket}", {"owner": account.account_id, "key_space": space})
        # A bucket that is put anew has no policy.
        let_the_role_read(self.model, deployment)
        self.model.control("PUT", "weather", WEATHER)

    def run(self, run_input: dict[str, object]) -> WholeRun:
        """Starts a run and waits for its end, by the state machine's own clock."""
        before = {name: self._reports(name) for name in FUNCTIONS}
        execution = self.machine.run(run_input)
        assert execution.status == "SUCCEEDED", execution.cause
        s3 = self.machine.deployment.source.client("s3")
        key = f"runs/{execution.run_id}/report.json"
        report = json.loads(s3.get_object(Bucket=self.machine.outputs["control_bucket"], Key=key)["Body"].read())
        taken = {name: self._reports(name)[len(before[name]) :] for name in FUNCTIONS}
        return WholeRun(
            execution,
            report,
            self._seconds(execution),
            {name: len(found) for name, found in taken.items()},
            {name: round(function_log.gb_seconds(found), 3) for name, found in taken.items()},
        )

    def assert_identical(self, objects: int) -> None:
        """Compares the two buckets by provenance."""
        deployment = self.machine.deployment
        sides = {"source": {"bucket": deployment.source_bucket}, "target": {"bucket": deployment.target_bucket}}
        same = self.model.control("POST", "compare", sides)
        assert (same["identical"], same["different"], same["missing"]) == (objects, 0, 0), same

    def _seconds(self, execution: Execution) -> dict[str, float]:
        """How long the run and its steps took, by the history of the execution."""
        states = self.machine.states
        arn = self.machine.execution_arn(execution.run_id)
        pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
        events = [event for page in pages for event in page["events"]]
        entered = [
            (e["stateEnteredEventDetails"]["name"], e["timestamp"]) for e in events if "stateEnteredEventDetails" in e
        ]
        end = states.describe_execution(executionArn=arn)["stopDate"]
        found: dict[str, float] = {"run": (end - entered[0][1]).total_seconds()}
        for (name, at), (_next, until) in zip(entered, [*entered[1:], ("end", end)], strict=True):
            if name in {"PlanShards", "CopyShards", "ReportRun"}:
                found[name] = found.get(name, 0.0) + (until - at).total_seconds()
        return {name: round(seconds, 2) for name, seconds in found.items()}

    def _reports(self, function: str) -> list[tuple[int, int]]:
        deployment = self.machine.deployment
        return function_log.invocations(deployment.source.client("logs"), deployment.name, function)


@contextlib.contextmanager
def machine_stand(name: str, *, has_lambda_sizes: bool = False, **parameters: object) -> Iterator[MachineStand]:
    """A stand of its own, on free ports; it ends with the context. Waits of the state machine are as long as on AWS.
    Functions have Lambda's shares of a processor where that is asked for."""
    with tempfile.TemporaryDirectory() as folder, running_model() as model:
        server = Server(pathlib.Path(folder), free_port(), 1.0)
        server.start()
        sized = SizedFunctions(running_server(server.state_dir)[0]) if has_lambda_sizes else None
        try:
            if sized:
                sized.start()
            parameters = {"DataS3EndpointUrl": model.endpoint_url, **parameters}
            deployment = Deployment(server.endpoint_url, name=name, parameters=parameters)
            machine = Machine(deployment, deployment.deploy(), seconds_max=RUN_SECONDS_MAX, poll_seconds=0.2)
            yield MachineStand(machine, model)
        finally:
            server.stop()
            if sized:
                sized.stop()


def keep(name: str, figures: dict[str, object]) -> None:
    """Writes a benchmark's figures where `make bench` looks for them."""
    path = ROOT / "target/bench" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(figures | {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}, indent=2) + "\n")
