"""The S3 model in the place of a deployment's object data."""

import json
from dataclasses import dataclass

import boto3
from shardlift_local.accounts import REGION, source_account, target_account

from .pair import TestPair


@dataclass(frozen=True)
class ModelledPair(TestPair):
    """A prefix of both buckets that one test has for itself, inside the model."""

    model: object

    @property
    def source(self):
        s3 = source_account(self.model.endpoint_url).client("s3")
        return (s3, self.machine.outputs["source_bucket"], self.prefix)

    @property
    def target(self):
        s3 = target_account(self.model.endpoint_url).client("s3")
        return (s3, self.machine.outputs["target_bucket"], self.prefix)


def take_over_buckets(model, deployment):
    """Both buckets with their true owners and policy. The session keys come from the local stack's STS, which the
    model does not know: all stand for the target role."""
    source, target = deployment.source, deployment.target
    model.control("PUT", f"buckets/{deployment.source_bucket}", {"owner": source.account_id})
    model.control("PUT", f"buckets/{deployment.target_bucket}", {"owner": target.account_id})
    may_do = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    role = {"account": target.account_id, "arn": deployment.target_role_arn, "policy": may_do}
    model.control("PUT", "principals/*", role)
    let_the_role_read(model, deployment)


def let_the_role_read(model, deployment, denied=None):
    """The source bucket's policy, in the words that the model takes: the role may read all.

    `denied` has the keys that a further statement denies it, by action.
    """
    bucket = f"arn:aws:s3:::{deployment.source_bucket}"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": deployment.target_role_arn},
        "Action": ["s3:ListBucket", "s3:GetObject*", "s3:ListObjectAnnotations"],
        "Resource": [bucket, f"{bucket}/*"],
    }
    statements = [statement]
    for action, keys in sorted((denied or {}).items()):
        if not keys:
            continue
        resources = [f"{bucket}/{key}" for key in sorted(keys)]
        statements.append({**statement, "Effect": "Deny", "Action": action, "Resource": resources})
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    _owner(model, deployment).put_bucket_policy(Bucket=deployment.source_bucket, Policy=policy)


def let_nobody_read(model, deployment):
    """The source bucket without a policy."""
    _owner(model, deployment).delete_bucket_policy(Bucket=deployment.source_bucket)


def _owner(model, deployment):
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=model.endpoint_url,
        aws_access_key_id=deployment.source.account_id,
        aws_secret_access_key="any",
    )
