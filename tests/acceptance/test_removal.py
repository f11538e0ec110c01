"""The removal takes away what the suite made, all of it and nothing else, also after an interruption."""

import os
import signal
import sys

import pytest
from botocore.exceptions import ClientError

from . import suite
from .case import Case
from .removal import NotOurNameError, Removal
from .stand import create_bucket


def made_of(account):
    """The names of everything that the removal looks at."""
    s3, sqs, dynamodb, logs, kms = (account.client(name) for name in ("s3", "sqs", "dynamodb", "logs", "kms"))
    names = {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}
    names |= {url.rpartition("/")[2] for url in sqs.list_queues().get("QueueUrls", [])}
    names |= set(dynamodb.list_tables()["TableNames"])
    names |= {group["logGroupName"].rpartition("/")[2] for group in logs.describe_log_groups()["logGroups"]}
    names |= {alias["AliasName"].removeprefix("alias/") for alias in kms.list_aliases()["Aliases"]}
    stacks = account.client("cloudformation").describe_stacks()["Stacks"]
    names |= {stack["StackName"] for stack in stacks if stack["StackStatus"] != "DELETE_COMPLETE"}
    return names


def make_some(account, name):
    """One thing of each kind."""
    create_bucket(account, f"{name}-source", account.region)
    s3 = account.client("s3")
    s3.put_bucket_versioning(Bucket=f"{name}-source", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"one", b"two"):
        s3.put_object(Bucket=f"{name}-source", Key="k", Body=body)
    s3.delete_object(Bucket=f"{name}-source", Key="k")
    s3.create_multipart_upload(Bucket=f"{name}-source", Key="unfinished")
    account.client("sqs").create_queue(QueueName=f"{name}-inbox")
    account.client("dynamodb").create_table(
        TableName=f"{name}-Ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
    )
    account.client("logs").create_log_group(logGroupName=f"/aws/lambda/{name}-planner")
    key = account.client("kms").create_key()["KeyMetadata"]["KeyId"]
    account.client("kms").create_alias(AliasName=f"alias/{name}-source-key", TargetKeyId=key)


def test_everything_of_the_name_is_removed_and_nothing_else(new_stand):
    stand = new_stand()
    neighbour = f"{stand.name}0"
    for name in (stand.name, neighbour):
        make_some(stand.source, name)
    assert suite.removal_of(stand).run() == []
    left = made_of(stand.source)
    assert {name for name in left if name.startswith(f"{stand.name}-")} == set()
    assert {name for name in left if name.startswith(neighbour)} == {
        f"{neighbour}-{what}" for what in ("source", "inbox", "Ledger", "planner", "source-key")
    }


@pytest.mark.parametrize("name", ["", "slacc-", "slacc-0123456", "production", "slacc-0123456789", "slacc-ABCDEF01"])
def test_only_a_name_that_the_suite_gave_is_removed(name):
    with pytest.raises(NotOurNameError):
        Removal(name, None, None, ())


def test_what_cannot_be_removed_is_listed(new_stand, monkeypatch):
    stand = new_stand()
    make_some(stand.source, stand.name)
    s3 = stand.source.client("s3")

    def refuse(**_request):
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DeleteBucket")

    monkeypatch.setattr(s3, "delete_bucket", refuse)
    (line,) = suite.removal_of(stand).run()
    assert f"bucket {stand.name}-source" in line
    assert "AccessDenied" in line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_an_interrupted_suite_removes_everything_and_is_red(new_stand, monkeypatch, tmp_path, number):
    # A closed terminal takes the output with it.
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    before = signal.getsignal(signal.SIGHUP)

    def interrupt(stand):
        (note,) = (tmp_path / "output").iterdir()
        assert note.name == f"left-of-{stand.name}.txt", "what a killed process leaves is written down"
        os.kill(os.getpid(), number)

    monkeypatch.setattr(suite, "OUTPUT", tmp_path / "output")
    cases = [
        Case("make", "something", ("S1",), lambda stand: make_some(stand.source, stand.name)),
        Case("interrupt", "Ctrl-C", ("S1",), interrupt),
    ]
    stand = new_stand()
    try:
        assert suite.run(stand, cases=cases, deployment_cases=()) is False
    finally:
        signal.signal(signal.SIGHUP, before)
        suite._hung_up.clear()
    assert {name for name in made_of(stand.source) if name.startswith(stand.name)} == set()
    assert not list((tmp_path / "output").iterdir()), "neither a list of leftovers nor a REALITY.md"
