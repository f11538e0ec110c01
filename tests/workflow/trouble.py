"""The real machine and the real functions, and what can befall them."""

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shardlift_local.deployment import ROOT
from shardlift_local.package import FUNCTIONS, zip_bootstrap

from tests.report_sums import checked
from tests.security.mutations import Mutation, Policies

from .modelled import let_nobody_read, let_the_role_read

INTERPOSER = Path(__file__).parent / "interposer" / "bootstrap"
# Longer than any invocation here may take.
STUCK_MS = 40_000
WAIT_SECONDS_MAX = 30
POLL_SECONDS = 0.02


def zip_with_switches(zips_dir, switches):
    """The zips of the real functions, each behind a switch in the folder `switches`."""
    for name in FUNCTIONS:
        function = (ROOT / "target" / "release" / name).read_bytes()
        extra = {"function": function, "switches": str(switches).encode()}
        zip_bootstrap(INTERPOSER, zips_dir / f"{name}.zip", extra)


@dataclass(frozen=True)
class World:
    """A deployed machine whose object data are in the S3 model. Each trouble is a context: it ends with it."""

    machine: object
    model: object
    switches: Path

    @contextmanager
    def switch(self, role, word):
        """What the interposer calls by this word happens to a function."""
        path = self.switches / role
        path.write_text(word)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)

    @contextmanager
    def timeout(self, role, seconds):
        """A function has this little time."""
        name, functions = self._function(role), self._client("lambda")
        before = functions.get_function_configuration(FunctionName=name)["Timeout"]
        functions.update_function_configuration(FunctionName=name, Timeout=seconds)
        try:
            yield
        finally:
            functions.update_function_configuration(FunctionName=name, Timeout=before)

    @contextmanager
    def no_concurrency(self, role):
        """Lambda starts the function for nobody, as in an account that is used up."""
        name, functions = self._function(role), self._client("lambda")
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        try:
            yield
        finally:
            functions.delete_function_concurrency(FunctionName=name)

    @contextmanager
    def stuck(self, operation):
        """S3 does what is requested, and does not respond in time."""
        with self.calm_at_last():
            self._weather(operation)
            yield

    @contextmanager
    def calm_at_last(self):
        """S3 is itself again at the end."""
        try:
            yield
        finally:
            self.model.control("PUT", "weather", {})

    @contextmanager
    def no_leave_to_read(self):
        """The source bucket's policy lets nobody in."""
        let_nobody_read(self.model, self.machine.deployment)
        try:
            yield
        finally:
            let_the_role_read(self.model, self.machine.deployment)

    def without(self, cut):
        """A deployed policy lacks something."""
        policies = Policies(self.machine.deployment, self.machine.outputs, keys={})
        return policies.without(Mutation((cut,)))

    @contextmanager
    def planned(self, run_id):
        """When the plan is written and the planner's response is still held back; at the end it is sent."""
        s3, bucket = self._client("s3"), self.machine.outputs["control_bucket"]
        index = {"Bucket": bucket, "Key": f"runs/{run_id}/rounds/1/index.json"}
        self._until(lambda: s3.list_objects_v2(Bucket=bucket, Prefix=index["Key"])["KeyCount"] == 1)
        yield s3, index
        (self.switches / "planner").unlink()

    def lose_the_index(self, run_id):
        """Removes the first round's index before the Map reads it."""
        with self.planned(run_id) as (s3, index):
            s3.delete_object(**index)

    def get_stuck_after_planning(self, run_id):
        """From the plan on, S3 responds to no listing in time."""
        with self.planned(run_id):
            self._weather("ListObjectsV2")

    def stop_while_copying(self, run_id):
        """Stops the execution once copies are under way."""
        self._until(lambda: self.model.counters()["in_flight"] > 0)
        arn = self.machine.execution_arn(run_id)
        self.machine.states.stop_execution(executionArn=arn, error="Stopped", cause="by a person")

    def let_leases_end(self):
        """As after the longest time that a copier can work: none of those that were invoked so far works any more."""
        ledger, table = self._client("dynamodb"), self.machine.outputs["ledger_table"]
        leased = ledger.scan(TableName=table, FilterExpression="attribute_exists(lease.expires_at)")["Items"]
        assert leased, "no copier holds a lease"
        for item in leased:
            item["lease"]["M"]["expires_at"] = {"N": "1"}
            # A copier that works on, as none would, can write nothing more.
            item["revision"] = {"N": str(int(item["revision"]["N"]) + 1)}
            ledger.put_item(TableName=table, Item=item)

    def report(self, run_id):
        """The run's report.json, or nothing when there is none."""
        s3 = self._client("s3")
        try:
            body = s3.get_object(Bucket=self.machine.outputs["control_bucket"], Key=f"runs/{run_id}/report.json")
        except s3.exceptions.NoSuchKey:
            return None
        return checked(json.loads(body["Body"].read()))

    def _weather(self, stuck_operation):
        latency = {stuck_operation: {"base_ms": STUCK_MS}}
        self.model.control("PUT", "weather", {"latency": latency})

    def _function(self, role):
        return self.machine.outputs[f"{role}_function"]

    def _client(self, service):
        return self.machine.deployment.source.client(service)

    def _until(self, is_so):
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while not is_so():
            assert time.monotonic() < deadline, "what was waited for did not come"
            time.sleep(POLL_SECONDS)
