"""A function that is taken over: its role on the local stack, in the hands of somebody who calls what they like.

Its own work is allowed. Another run's plan, a report, a lock and whatever else is not the function's work are refused.
"""

import json
from dataclasses import dataclass

import boto3
import pytest
from botocore.exceptions import ClientError
from shardlift_local.accounts import REGION
from shardlift_local.deployment import Deployment

RUN = "runs/of-somebody-else/"
SHARDS, RANGES, RECORD, LOCKS = "RUN#x#SHARDS#3", "RUN#x#RANGES", "RUN#x", "LOCKS#a-bucket"
REPORT = ("failures.csv", "shards.json", "report.html", "report.json", "proof.json")
LISTS = ("failures/1-0/1.jsonl.zst", "notes/1-0/1.jsonl.zst", "receipts/1-0/1.jsonl.zst")
PLAN = ("manifests/1-0.jsonl.zst", "rounds/1/index.json", "preflight.json")
RESULTS = ("map/x/manifest.json",)
# Beside these documents and partitions, nothing may be written.
WRITTEN = {
    "planner": {"documents": PLAN, "records": (RECORD, RANGES, SHARDS, LOCKS), "deletions": ()},
    "copier": {"documents": LISTS, "records": (SHARDS,), "deletions": ()},
    "renderer": {"documents": LISTS, "records": (SHARDS,), "deletions": ()},
    "reporter": {
        "documents": (*REPORT, LISTS[0], PLAN[1]),
        "records": (RECORD, RANGES, SHARDS),
        "deletions": (LOCKS,),
    },
}
READ = {
    # A list may be the receipts of a run.
    "planner": (LISTS[0], LISTS[2], PLAN[0]),
    "copier": (*LISTS, PLAN[0]),
    "renderer": (*LISTS, PLAN[0]),
    "reporter": (*LISTS, PLAN[0], "preflight.json", "proof.json", "report.json"),
}


@dataclass(frozen=True)
class TakenOver:
    """The credentials of a function's role."""

    session: boto3.Session
    endpoint_url: str
    bucket: str
    table: str

    def client(self, service):
        return self.session.client(service, endpoint_url=self.endpoint_url)

    def may(self, service, call, **arguments):
        """Whether a call is allowed; any other failure is one of the test."""
        client = self.client(service)
        try:
            getattr(client, call)(**arguments)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in ("AccessDenied", "AccessDeniedException", "NoSuchKey"):
                raise
            return code == "NoSuchKey"
        return True

    def may_put(self, name):
        return self.may("s3", "put_object", Bucket=self.bucket, Key=RUN + name, Body=b"planted")

    def may_get(self, name):
        return self.may("s3", "get_object", Bucket=self.bucket, Key=RUN + name)

    def may_write(self, partition):
        return self.may("dynamodb", "put_item", TableName=self.table, Item=key(partition))

    def may_delete(self, partition):
        return self.may("dynamodb", "delete_item", TableName=self.table, Key=key(partition))


def key(partition):
    return {"pk": {"S": partition}, "sk": {"S": "RUN"}}


@pytest.fixture(scope="module")
def deployed(server):
    deployment = Deployment(server.endpoint_url, name="taken-over")
    return deployment, deployment.deploy()


@pytest.fixture(scope="module", params=sorted(WRITTEN))
def taken_over(deployed, request):
    """A user with the policy of a function's role: the role itself trusts Lambda alone."""
    deployment, outputs = deployed
    name, iam = f"taken-{request.param}", deployment.source.client("iam")
    role = outputs[f"{request.param}_role_arn"].rpartition("/")[2]
    (policy,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(document))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    session = boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], region_name=REGION)
    places = outputs["control_bucket"], outputs["ledger_table"]
    return request.param, TakenOver(session, deployment.source.endpoint_url, *places)


def test_it_writes_its_own_documents_and_no_others(taken_over):
    function, role = taken_over
    documents = {*PLAN, *LISTS, *REPORT, *RESULTS}
    assert {name for name in documents if role.may_put(name)} == set(WRITTEN[function]["documents"])
    assert not role.may("s3", "put_object", Bucket=role.bucket, Key="elsewhere", Body=b"planted")
    assert not role.may("s3", "delete_object", Bucket=role.bucket, Key=RUN + "report.json")


def test_it_reads_what_its_work_needs_and_no_more(taken_over):
    function, role = taken_over
    documents = {*PLAN, *LISTS, *REPORT, *RESULTS}
    assert {name for name in documents if role.may_get(name)} == set(READ[function])


def test_it_writes_its_own_records_and_no_others(taken_over):
    function, role = taken_over
    partitions = (RECORD, RANGES, SHARDS, LOCKS)
    assert tuple(filter(role.may_write, partitions)) == WRITTEN[function]["records"]
    assert tuple(filter(role.may_delete, partitions)) == WRITTEN[function]["deletions"]
    assert not role.may("dynamodb", "scan", TableName=role.table)


def test_a_transaction_is_judged_by_each_of_its_records(taken_over):
    function, role = taken_over
    puts = [{"Put": {"TableName": role.table, "Item": key(partition)}} for partition in (SHARDS, LOCKS)]
    assert role.may("dynamodb", "transact_write_items", TransactItems=puts[:1])
    assert role.may("dynamodb", "transact_write_items", TransactItems=puts) == (function == "planner")
