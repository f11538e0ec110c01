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

MIRROR = ("--mirror",)
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
NOT_JUDGED = {
    "s3:GetObjectAnnotation": "the emulator copies annotations unasked: test_documents, test_operations",
    "s3:PutObjectAnnotation": "the emulator copies annotations unasked: test_documents, test_operations",
    "WriteItsLog": "the emulator writes functions' logs itself: test_documents",
    "TellMissingFromForbidden": "the emulator tells a missing object from a forbidden one to anybody: test_documents",
    "ListTheSource in target-role": "as above: without it the emulator still says 404: test_documents",
    "ShardliftListSource": "as above: test_documents",
    "s3:PutObjectTagging": "the emulator sets tags unasked when a copy or an upload brings them: test_documents, test_operations",
    "AskWhetherALockIsStillHeld": "asked only while another run holds the pair: test_documents, test_operations",
    "s3:PutObject in copier-role": "needed only when objects fail: test_documents, test_operations",
    "s3:AbortMultipartUpload in reporter-role": "needed only when a report's upload fails: test_documents, test_operations",
}


def all_mutations():
    found = list(mutations_of("source-bucket", source_bucket_statements()))
    found += mutations_of("target-trust", trust_statements())
    found += [Mutation(("target-trust",), ("LetTheFunctionsEnter",), "principal", f"{name.title()}Role") for name in FUNCTIONS]
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


@pytest.fixture
def table(request):
    """Prints each case with what became of it; the count stands below."""
    lines = request.config.stash.setdefault(TABLE, [])
    yield lines.append


TABLE = pytest.StashKey()


def told_by(pair, execution):
    """Everything that a person is told about a run: the console, the report, the failed objects, the children."""
    told = [execution.cause]
    for read in (lambda: json.dumps(pair.report(execution)), lambda: json.dumps(pair.failures(execution))):
        try:
            told.append(read())
        except pair.machine.deployment.source.client("s3").exceptions.NoSuchKey:
            told.append("")  # a run that could not even report is told by the console alone
    arn = pair.machine.execution_arn(execution.run_id)
    states = pair.machine.states
    for run in states.list_map_runs(executionArn=arn)["mapRuns"]:
        for child in states.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
            told.append(states.describe_execution(executionArn=child["executionArn"]).get("cause", ""))
    return "\n".join(told)


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
