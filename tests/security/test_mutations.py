"""From the deployed policies, each action, statement and condition is taken away in turn: the run is refused before
anything is copied, or the objects fail, and the message names the statement that is missing."""

import json

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.sample import MIB, Item

from tests.workflow.execution import Machine
from tests.workflow.pair import TestPair

from .mutations import Mutation, Policies, mutations_of
from .test_documents import FUNCTIONS, source_rendering, target_rendering

TAGGED = "tagged"


def role_statements(name):
    (policy,) = source_rendering().resource(f"{name.title()}Role")["Policies"]
    return policy["PolicyDocument"]["Statement"]


def target_statements():
    (policy,) = target_rendering([]).resource("TargetRole")["Policies"]
    return policy["PolicyDocument"]["Statement"]


# Of one account, the role's own policy and the bucket's allow each by itself (as on AWS): both must lack it.
PAIRED = {
    "ListTheTarget": "LetTheRoleList",
    "ListTheUploadsOfTheTarget": "LetTheRoleListUploads",
    "WriteTheTarget": "LetTheRoleWrite",
}
# What the emulator cannot judge, why, and which test covers it instead.
BY_DOCUMENTS = "test_documents holds the statement, test_operations its actions"
NOT_JUDGED = {
    "s3:GetObjectAnnotation": f"the emulator copies annotations unasked: {BY_DOCUMENTS}",
    "s3:ListObjectAnnotations": f"a copy in parts goes on without it and says so in a remark: {BY_DOCUMENTS}",
    "s3:PutObjectAnnotation": f"the emulator copies annotations unasked: {BY_DOCUMENTS}",
    "s3:PutObjectTagging": f"the emulator sets the tags of a copy or an upload unasked: {BY_DOCUMENTS}",
    "WriteItsLog": f"the emulator writes functions' logs itself: {BY_DOCUMENTS}",
    "TellMissingFromForbidden": f"the emulator tells anybody what is missing: {BY_DOCUMENTS}",
    "ListTheSource in target-role": f"the emulator tells anybody what is missing: {BY_DOCUMENTS}",
    "ShardliftListSource": f"the emulator tells anybody what is missing: {BY_DOCUMENTS}",
    "AskWhetherALockIsStillHeld": f"asked only while another run holds the pair: {BY_DOCUMENTS}",
    "s3:GetObject in planner-role": f"needed only by a rerun: {BY_DOCUMENTS}, tests/workflow/test_rerun.py runs one",
    "s3:PutObject in copier-role": f"needed only when objects fail: {BY_DOCUMENTS}",
    "s3:AbortMultipartUpload in reporter-role": f"needed only when a report's upload fails: {BY_DOCUMENTS}",
}


def all_mutations():
    found = list(mutations_of("source-bucket", source_bucket_statements()))
    found += mutations_of("target-trust", trust_statements())
    found += [
        Mutation(("target-trust",), ("LetTheFunctionsEnter",), "principal", f"{name.title()}Role") for name in FUNCTIONS
    ]
    for mutation in mutations_of("target-role", target_statements()):
        (sid,) = mutation.sids
        if sid in PAIRED and mutation.kind == "condition":
            continue  # the bucket's policy still allows what the role's condition does not
        if sid in PAIRED:
            documents, sids = ("target-role", "target-bucket"), (sid, PAIRED[sid])
            mutation = Mutation(documents, sids, mutation.kind, mutation.what)
        found.append(mutation)
    for name in FUNCTIONS:
        found += mutations_of(f"{name}-role", role_statements(name))
    return found


def source_bucket_statements():
    from tests.static.project import SOURCE_POLICY_PATH

    return json.loads(SOURCE_POLICY_PATH.read_text())["Statement"]


def trust_statements():
    return target_rendering([]).resource("TargetRole")["AssumeRolePolicyDocument"]["Statement"]


def reason_not_judged(mutation):
    (document, *_), (sid, *_) = mutation.documents, mutation.sids
    for name in (mutation.what, f"{mutation.what} in {document}", sid, f"{sid} in {document}"):
        if name in NOT_JUDGED:
            return NOT_JUDGED[name]
    return None


@pytest.fixture(scope="module")
def machine(server):
    # Deployed without the right to delete, as most are.
    deployment = Deployment(server.endpoint_url, name="guarded", allow_mirror_deletes=False)
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def pair(machine):
    pair = TestPair(machine, "data/")
    pair.upload([Item("plain", made_bytes=100), Item(TAGGED, made_bytes=100), Item("large", made_bytes=6 * MIB)])
    s3, bucket, prefix = pair.source
    s3.put_object_tagging(Bucket=bucket, Key=f"{prefix}{TAGGED}", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    return pair


TABLE = pytest.StashKey()


@pytest.fixture
def table(request):
    """Takes each case with what became of it; they are printed at the end, with their count."""
    return request.config.stash.setdefault(TABLE, []).append


def told_by(pair, execution):
    """Everything that a person is told about a run: the console, the report, the failed objects, the children."""
    told = [execution.cause, document(pair, execution, "report.json"), document(pair, execution, "failures.csv")]
    arn = pair.machine.execution_arn(execution.run_id)
    states = pair.machine.states
    for map_run in states.list_map_runs(executionArn=arn)["mapRuns"]:
        children = states.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]
        told += [states.describe_execution(executionArn=c["executionArn"]).get("cause", "") for c in children]
    return "\n".join(told)


def document(pair, execution, name):
    """A document of the run; nothing when the run could not even report, and the console alone tells."""
    s3 = pair.machine.deployment.source.client("s3")
    key = f"runs/{execution.run_id}/{name}"
    try:
        return s3.get_object(Bucket=pair.machine.outputs["control_bucket"], Key=key)["Body"].read().decode()
    except s3.exceptions.NoSuchKey:
        return ""


def run(pair):
    return pair.run(mode="copy", multipart_threshold_bytes=5 * MIB, part_bytes=5 * MIB, rounds_max=1)


def empty_target(pair):
    s3, bucket, prefix = pair.target
    for key in pair.target_keys():
        s3.delete_object(Bucket=bucket, Key=prefix + key)


def test_the_deployed_policies_suffice(pair):
    execution = run(pair)
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert pair.target_keys() == {"plain", TAGGED, "large"}
    empty_target(pair)


@pytest.mark.parametrize("mutation", all_mutations(), ids=lambda mutation: mutation.name)
def test_what_is_missing_is_named(pair, mutation, table):
    reason = reason_not_judged(mutation)
    if reason:
        table(("not judged here", mutation.name, reason))
        return
    with Policies(pair.machine.deployment, pair.machine.outputs).without(mutation):
        execution = run(pair)
        copied = pair.target_keys()
    empty_target(pair)
    told = told_by(pair, execution)
    assert execution.status == "FAILED", told
    assert execution.error in ("AccessDenied", "RoleUnavailable", "ServiceFault"), told
    for sid in mutation.sids:
        assert sid in told, f"{sid} is not named in: {told}"
    outcome = "refused before copying" if not copied else f"{3 - len(copied)} of 3 objects not copied"
    table((outcome, mutation.name, execution.error))
