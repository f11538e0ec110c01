"""Removes what a run of the suite made. Everything has the run's name in front, so another process can finish it."""

import re
import time
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from .stand import NAME_PREFIX

NAME = re.compile(rf"{NAME_PREFIX}[0-9a-f]{{8}}")
STACK_SECONDS_MAX = 900
STACK_POLL_SECONDS = 3
LOCAL_POLL_SECONDS = 0.1
KEY_WAITING_DAYS = 7
KEYS_PER_REQUEST = 1000


class NotOurNameError(Exception):
    """The name is not one that the suite gives: what begins with it may be somebody's."""


@dataclass
class Removal:
    """Removes from both accounts everything whose name begins with the run's."""

    name: str
    source: object
    target: object
    # Every Region in which the run made something.
    regions: tuple
    is_local: bool = False
    left: list = field(default_factory=list)
    notes: list = field(default_factory=list)

    def __post_init__(self):
        if not NAME.fullmatch(self.name):
            raise NotOurNameError(f"{self.name!r} is no name of a run: {NAME_PREFIX} and eight digits from 0-9a-f")

    def run(self):
        """Removes what is there, and returns what is left: a line for each, with the reason."""
        # The target's role trusts the source's, so it goes first; buckets that stacks keep are emptied after them.
        for account in (self.target, self.source):
            for region in self.regions:
                self._try("executions", account, region, self._stop_executions)
                self._try("stacks", account, region, self._delete_stacks)
                self._try("queues", account, region, self._delete_queues)
                self._try("tables", account, region, self._delete_tables)
                self._try("log groups", account, region, self._delete_log_groups)
                self._try("KMS keys", account, region, self._delete_keys)
            self._try("buckets", account, account.region, self._delete_buckets)
        return self.left

    def _is_ours(self, name):
        return name == self.name or name.startswith(f"{self.name}-")

    def _try(self, what, account, region, remove):
        try:
            remove(account, region)
        except (ClientError, BotoCoreError) as error:
            self.left.append(f"{what} of account {account.account_id} in {region}: {error}")

    def _stop_executions(self, account, region):
        states = account.client("stepfunctions", region)
        for page in states.get_paginator("list_state_machines").paginate():
            for machine in page["stateMachines"]:
                if not self._is_ours(machine["name"]):
                    continue
                running = states.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")
                for execution in running["executions"]:
                    states.stop_execution(executionArn=execution["executionArn"], cause="the acceptance suite ends")

    def _delete_stacks(self, account, region):
        cloudformation = account.client("cloudformation", region)
        pages = cloudformation.get_paginator("describe_stacks").paginate()
        stacks = [stack["StackName"] for page in pages for stack in page["Stacks"]]
        for stack in filter(self._is_ours, stacks):
            cloudformation.delete_stack(StackName=stack)
        deadline = time.monotonic() + STACK_SECONDS_MAX
        for stack in filter(self._is_ours, stacks):
            status = self._wait_for_deletion(cloudformation, stack, deadline)
            if status:
                self.left.append(f"stack {stack} of account {account.account_id} in {region}: {status}")

    def _wait_for_deletion(self, cloudformation, stack, deadline):
        status = "DELETE_IN_PROGRESS"
        while status == "DELETE_IN_PROGRESS" and time.monotonic() < deadline:
            try:
                status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
            except ClientError as error:
                if error.response["Error"]["Code"] != "ValidationError":
                    raise
                return None
            if status == "DELETE_IN_PROGRESS":
                time.sleep(LOCAL_POLL_SECONDS if self.is_local else STACK_POLL_SECONDS)
        return None if status == "DELETE_COMPLETE" else status

    def _delete_queues(self, account, region):
        sqs = account.client("sqs", region)
        for url in sqs.list_queues(QueueNamePrefix=f"{self.name}-").get("QueueUrls", []):
            sqs.delete_queue(QueueUrl=url)

    def _delete_tables(self, account, region):
        dynamodb = account.client("dynamodb", region)
        for page in dynamodb.get_paginator("list_tables").paginate():
            for table in filter(self._is_ours, page["TableNames"]):
                dynamodb.delete_table(TableName=table)

    def _delete_log_groups(self, account, region):
        logs = account.client("logs", region)
        for prefix in ("/aws/lambda/", "/aws/vendedlogs/states/"):
            pages = logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"{prefix}{self.name}-")
            for group in [group for page in pages for group in page["logGroups"]]:
                logs.delete_log_group(logGroupName=group["logGroupName"])

    def _delete_keys(self, account, region):
        kms = account.client("kms", region)
        pages = kms.get_paginator("list_aliases").paginate()
        for alias in [alias for page in pages for alias in page["Aliases"]]:
            if self._is_ours(alias["AliasName"].removeprefix("alias/")):
                kms.schedule_key_deletion(KeyId=alias["TargetKeyId"], PendingWindowInDays=KEY_WAITING_DAYS)
                kms.delete_alias(AliasName=alias["AliasName"])
                # A key that waits for its deletion costs nothing (aws.amazon.com/kms/pricing).
                self.notes.append(f"KMS key {alias['TargetKeyId']} is deleted by AWS in {KEY_WAITING_DAYS} days")

    def _delete_buckets(self, account, _region):
        s3 = account.client("s3")
        for bucket in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]:
            if not self._is_ours(bucket):
                continue
            region = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] or "us-east-1"
            try:
                _empty(account.client("s3", region), bucket)
                account.client("s3", region).delete_bucket(Bucket=bucket)
            except (ClientError, BotoCoreError) as error:
                self.left.append(f"bucket {bucket} of account {account.account_id}: {error}")


def _empty(s3, bucket):
    # A policy may refuse what comes next; the account's root and administrators may always take it away.
    s3.delete_bucket_policy(Bucket=bucket)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        keys = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]
        for start in range(0, len(keys), KEYS_PER_REQUEST):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": keys[start : start + KEYS_PER_REQUEST], "Quiet": True})
