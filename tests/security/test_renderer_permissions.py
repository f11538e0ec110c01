"""From the deployed policies, each permission that only the renderer uses, or that a rendition needs, is taken away in
turn: nothing is rendered, and the message names the statement that is missing."""

import pytest
from shardlift_local.deployment import Deployment

from tests.pictures import png
from tests.workflow.execution import Machine
from tests.workflow.pair import TestPair

from .mutations import Cut, Mutation, Policies
from .test_mutations import IN_WORDS, NAMED, told_by

TRANSFORM = {"kind": "thumbnail", "longest_edge_px": 32}
# Where the role and the bucket's policy each allow by themselves, both lack it.
BOTH_WRITES = (("target-role", "WriteTheTarget"), ("target-bucket", "LetTheRoleWrite"))
CASES = [
    Mutation((Cut("target-trust", "LetTheFunctionsEnter", "principal", "RendererRole"),)),
    Mutation((Cut("renderer-role", "EnterTheTargetAccount", "statement"),)),
    Mutation((Cut("renderer-role", "ReadTheLedger", "statement"),)),
    Mutation((Cut("renderer-role", "WriteTheLedger", "statement"),)),
    Mutation((Cut("renderer-role", "ReadTheRunsDocuments", "resource", "/manifests/*"),)),
    Mutation((Cut("renderer-role", "WriteTheRunsDocuments", "resource", "/receipts/*"),)),
    Mutation((Cut("target-role", "ReadTheSource", "action", "s3:GetObject"),)),
    Mutation((Cut("target-role", "ReadTheSource", "action", "s3:GetObjectTagging"),)),
    Mutation((Cut("source-bucket", "ShardliftReadSource", "action", "s3:GetObject"),)),
    Mutation((Cut("source-bucket", "ShardliftReadSource", "action", "s3:GetObjectTagging"),)),
    Mutation(tuple(Cut(document, sid, "action", "s3:PutObject") for document, sid in BOTH_WRITES)),
    Mutation(tuple(Cut(document, sid, "action", "s3:PutObjectTagging") for document, sid in BOTH_WRITES)),
]


@pytest.fixture(scope="module")
def guarded(server):
    deployment = Deployment(server.endpoint_url, name="guardedimages")
    outputs = deployment.deploy()
    pair = TestPair(Machine(deployment, outputs), "data/")
    s3, bucket, prefix = pair.source
    for name in ("a", "b"):
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=png(64, 64), Tagging="k=v")
    return pair, Policies(deployment, outputs, {})


def run(pair):
    return pair.run(transform=TRANSFORM, rounds_max=1, mode="copy")


def test_the_deployed_policies_suffice(guarded):
    pair, _ = guarded
    execution = run(pair)
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    s3, bucket, prefix = pair.target
    for key in pair.target_keys():
        s3.delete_object(Bucket=bucket, Key=prefix + key)


@pytest.mark.parametrize("mutation", CASES, ids=lambda mutation: mutation.name)
def test_what_is_missing_is_named_and_nothing_is_rendered(guarded, mutation):
    pair, policies = guarded
    with policies.without(mutation):
        execution = run(pair)
    assert execution.status == "FAILED"
    told = told_by(pair, execution)
    assert execution.error in ("AccessDenied", "RoleUnavailable", "ServiceFault"), told
    assert set(NAMED.findall(told)) == {(IN_WORDS[cut.document], cut.sid) for cut in mutation.cuts}, told
    # A renderer that may not write receipts has written renditions before it can say so.
    if mutation.cuts[0].sid != "WriteTheRunsDocuments":
        assert pair.target_keys() == set(), told
    s3, bucket, prefix = pair.target
    for key in pair.target_keys():
        s3.delete_object(Bucket=bucket, Key=prefix + key)
