"""A stack that may bring a prefix back as it was."""

import time
from datetime import UTC, datetime

from shardlift_local.deployment import INFRA, Deployment, deploy_stack

from .execution import Machine


def restoring_machine(server, name, **places):
    """A machine whose stack may name versions, and a role that writes below restored/ in the versioned source bucket
    itself."""
    bucket, role = f"{name}-source", f"{name}-restore-role"
    plain = Deployment(server.endpoint_url, name=name)
    role_arn = f"arn:aws:iam::{plain.source.account_id}:role/{role}"
    further = {"FurtherTargetBucketNames": bucket, "FurtherTargetRoleArns": role_arn}
    deployment = Deployment(server.endpoint_url, name=name, parameters=further, **places)
    outputs = deployment.deploy()
    s3 = deployment.source.client("s3")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    parameters = {
        **{f"{name}RoleArn": outputs[f"{name.lower()}_role_arn"] for name in ("Planner", "Copier", "Reporter")},
        "ExternalId": deployment.external_id,
        "RoleName": role,
        "SourceAccountId": deployment.source.account_id,
        "SourceBucketName": bucket,
        "TargetBucketName": bucket,
        "TargetPrefix": "restored/",
        # The bucket is there, and the role's own policy is enough within one account.
        "ManageTargetBucketPolicy": "false",
        "AllowVersions": "true",
    }
    template = {"TemplateBody": (INFRA / "target-account.yaml").read_text()}
    deploy_stack(deployment.source.client("cloudformation"), f"{name}-restore", template, parameters)
    return Machine(deployment, {**outputs, "restore_role_arn": role_arn})


def instant_after_the_last_write():
    """An instant between what was written before this call and what is written after it: S3 dates versions in whole
    seconds."""
    time.sleep(1.1)
    instant = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)
    return instant
