"""A prefix of both buckets that one test has for itself."""

import csv
import io
import json
from dataclasses import dataclass

from shardlift_local.comparison import compare, listing
from shardlift_local.sample import upload

from tests.report_sums import checked


@dataclass(frozen=True)
class TestPair:
    """Source and target below a prefix of the test's own, on a deployed machine."""

    # Not a test class, whatever its name says.
    __test__ = False

    machine: object
    prefix: str

    @property
    def source(self):
        outputs, account = self.machine.outputs, self.machine.deployment.source
        return (account.client("s3"), outputs["source_bucket"], self.prefix)

    @property
    def target(self):
        outputs, account = self.machine.outputs, self.machine.deployment.target
        return (account.client("s3"), outputs["target_bucket"], self.prefix)

    def upload(self, items):
        """Uploads items below the prefix. Returns size and SHA-256 by key without the prefix."""
        s3, bucket, prefix = self.source
        return upload(items, _Prefixed(s3, prefix), bucket).objects

    def run(self, **run_input):
        """Runs with this pair's prefixes as the input's source and target."""
        places = {"source": {"prefix": self.prefix}, "target": {"prefix": self.prefix}}
        return self.machine.run({**places, **run_input})

    def report(self, execution):
        """The run's report.json, whose sums add up."""
        return checked(json.loads(self.document(execution, "report.json")))

    def failures(self, execution):
        """The rows of the run's failures.csv, as dictionaries."""
        return self.rows(execution, "failures.csv")

    def rows(self, execution, name):
        """The rows of a CSV document of the run, as dictionaries."""
        return list(csv.DictReader(io.StringIO(self.document(execution, name).decode())))

    def differences(self, uploaded):
        """What an independent comparison of both sides finds."""
        return compare(self.source, self.target, uploaded).differences

    def target_keys(self):
        return set(listing(*self.target))

    def document(self, execution, name):
        s3 = self.machine.deployment.source.client("s3")
        key = f"runs/{execution.run_id}/{name}"
        return s3.get_object(Bucket=self.machine.outputs["control_bucket"], Key=key)["Body"].read()


@dataclass(frozen=True)
class _Prefixed:
    """An S3 client whose keys go below a prefix."""

    s3: object
    prefix: str

    def put_object(self, **arguments):
        return self.s3.put_object(**{**arguments, "Key": self.prefix + arguments["Key"]})
