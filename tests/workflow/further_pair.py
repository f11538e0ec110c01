"""A pair that the template of further pairs adds to a deployed stack."""

import json
from dataclasses import dataclass, field

from shardlift_local.comparison import listing
from shardlift_local.deployment import INFRA, deploy_stack, existing_policy

from .execution import Machine

EXTERNAL_ID = "of-a-further-pair"


@dataclass(frozen=True)
class FurtherPair:
    """One of the further pairs of a stack, in a place of its own in both accounts."""

    machine: Machine
    name: str
    source_bucket: str
    source_prefix: str
    parameters: dict = field(default_factory=dict)

    @property
    def _deployment(self):
        return self.machine.deployment

    @property
    def target_bucket(self):
        return f"{self._deployment.name}-{self.name}"

    @property
    def role_name(self):
        return f"{self._deployment.name}-{self.name}-role"

    @property
    def role_arn(self):
        return f"arn:aws:iam::{self._deployment.target.account_id}:role/{self.role_name}"

    @property
    def schedule_name(self):
        return f"{self._deployment.name}-pair-{self.name}"

    def deploy(self):
        """Deploys the pair's stacks in both accounts, in the order of the documentation. Returns the outputs."""
        parameters = {
            "BaseStackName": self._deployment.name,
            "PairName": self.name,
            "SourceBucketName": self.source_bucket,
            "SourcePrefix": self.source_prefix,
            "TargetBucketName": self.target_bucket,
            "TargetAccountRoleArn": self.role_arn,
            "TargetExternalId": EXTERNAL_ID,
            **self.parameters,
        }
        client = self._deployment.source.client("cloudformation")
        outputs = deploy_stack(client, self.schedule_name, body("pair.yaml"), parameters)
        # What the output's command sets.
        words = [word.split("=", 1) for word in outputs["TargetAccountCommand"].split() if "=" in word]
        in_target = {name: value.strip("'") for name, value in words} | {"CreateTargetBucket": "true"}
        client = self._deployment.target.client("cloudformation")
        deploy_stack(client, self.role_name, body("target-account.yaml"), in_target)
        return outputs

    def input(self):
        """What the schedule starts a run with."""
        scheduler = self._deployment.source.client("scheduler")
        return json.loads(scheduler.get_schedule(Name=self.schedule_name)["Target"]["Input"])

    def put(self, *keys):
        s3 = self._deployment.source.client("s3")
        for key in keys:
            s3.put_object(Bucket=self.source_bucket, Key=self.source_prefix + key, Body=key.encode())

    def target_keys(self):
        return set(listing(self._deployment.target.client("s3"), self.target_bucket, ""))

    def source_policy(self):
        return existing_policy(self._deployment.source.client("s3"), self.source_bucket)


def body(template):
    return {"TemplateBody": (INFRA / template).read_text()}
