"""Every action, statement and condition of the deployed policies as a case, and which of them cannot be judged here."""

import json
from dataclasses import dataclass

from tests.static.project import SOURCE_POLICY_PATH

from .mutations import Cut, Mutation, cuts_of, listed
from .test_documents import OPTIONS, source_rendering, target_rendering

# The functions of a run that copies; test_renderer_permissions has the fourth.
FUNCTIONS = ("planner", "copier", "reporter")

# What the role and the target bucket's policy, or the target's key policy, each allow by themselves, since all are of
# one account (as on AWS): a call is refused only when both lack it.
EITHER = {
    "ListTheTarget": ("target-bucket", "LetTheRoleList"),
    "ListTheUploadsOfTheTarget": ("target-bucket", "LetTheRoleListUploads"),
    "WriteTheTarget": ("target-bucket", "LetTheRoleWrite"),
    "DeleteAtTheTarget": ("target-bucket", "LetTheRoleWrite"),
    "EncryptTheTarget": ("target-key", "ShardliftEncryptTarget"),
}

BY_DOCUMENTS = "test_documents holds the statement, test_operations its actions"
BY_ROLE = "test_taken_over holds what the role reaches"
# What the emulator cannot judge, why, and which test covers it instead.
NOT_JUDGED = {
    "s3:GetObjectAnnotation": f"the emulator copies annotations unasked: {BY_DOCUMENTS}",
    "s3:ListObjectAnnotations": f"a copy in parts goes on without it and says so in a note: {BY_DOCUMENTS}",
    "s3:PutObjectAnnotation": f"the emulator copies annotations unasked: {BY_DOCUMENTS}",
    "WriteItsLog": f"the emulator writes functions' logs itself: {BY_DOCUMENTS}",
    "ReadTheRunsDocuments in planner-role": f"by a rerun or a list of receipts: {BY_DOCUMENTS}, test_rerun.py runs one",
    "ReadTheLists in planner-role": f"needed only by a run from a list: {BY_DOCUMENTS}, test_lists.py runs one",
    **{
        f"{lists} of ReadTheRunsDocuments in copier-role": f"read only to go on with a shard: {BY_ROLE}"
        for lists in ("failures/*", "notes/*", "receipts/*")
    },
    "notes/* of WriteTheRunsDocuments in copier-role": f"only for a copy that left something behind: {BY_ROLE}",
    **{
        f"{lists} of WriteTheRunsDocuments in planner-role": f"{when}: {BY_ROLE}"
        for lists, when in {
            "kept/*": "written only where the target has something",
            "differences/*": "written only by an audit",
        }.items()
    },
    **{
        f"{place} of WriteTheRunsDocuments in reporter-role": f"{when}: {BY_ROLE}"
        for place, when in {
            "failures/*": "written only before a second round",
            "rounds/*": "written only before a second round",
            "proof.json": "written only for another invocation",
            "differences.csv": "written only where the target differs",
            "receipts/*/counted.jsonl.zst": "written only where a list knows more than its record",
        }.items()
    },
    **{
        f"{place} of ReadTheRunsDocuments in reporter-role": f"{when}: {BY_ROLE}"
        for place, when in {
            "manifests/*": "read only where an upload or a difference is looked into",
            "failures/*": "read only for objects that failed",
            "notes/*": "read only for copies that left something behind",
            "receipts/*": "read only where the target differs",
            "kept/*": "read only where the target differs",
            "differences/*": "read only by an audit",
            "report.json": "read only by an invocation after the report",
        }.items()
    },
    "TellMissingFromForbidden in planner-role": f"needed only by a rerun: {BY_DOCUMENTS}",
    "TellMissingFromForbidden in copier-role": f"asked only when a list is gone that a record names: {BY_DOCUMENTS}",
    "s3:AbortMultipartUpload in reporter-role": f"asked only when a report's upload fails: {BY_DOCUMENTS}",
    **{
        f"StringLikeIfExists s3:prefix of {place}": f"no call that needs the statement names a prefix: {BY_DOCUMENTS}"
        for place in (
            "ShardliftListSource in source-bucket",
            "ListTheSource in target-role",
            "TellMissingFromForbidden in copier-role",
            "TellMissingFromForbidden in reporter-role",
        )
    },
    "RefusePlainHttp": "refuses instead of allowing: test_resource_policies_refuse_plain_http",
    "RefuseEverybodyElse": "refuses instead of allowing: test_everybody_else_is_refused",
}
# What a run must meet, so that it asks for the permission at all.
CIRCUMSTANCES = {
    "AskWhetherALockIsStillHeld": "a lock that a dead run left",
    "WriteTheRunsDocuments in copier-role": "an object that cannot be copied",
}

# The same of the intake, which has no run of its own.
INTAKE_NOT_JUDGED = {"WriteItsLog": NOT_JUDGED["WriteItsLog"]}
INTAKE_CIRCUMSTANCES = {
    "dynamodb:GetItem": "a lock that a dead run left",
    "ReadTheRunsDocuments": "a list that waits already",
    "RemoveTheEvents": "events that came again after their run",
}


@dataclass(frozen=True)
class Case:
    """What is missing, in which circumstances it is asked for, or why it cannot be judged here."""

    mutation: Mutation
    circumstance: str | None
    not_judged: str | None


def all_cases():
    """Every case, the judged ones first."""
    found = [
        Case(mutation, _looked_up(CIRCUMSTANCES, mutation), _looked_up(NOT_JUDGED, mutation)) for mutation in _all()
    ]
    assert len({case.mutation.name for case in found}) == len(found)
    return sorted(found, key=lambda case: case.not_judged is not None)


def intake_cases():
    """Every case of the intake's role, the judged ones first."""
    (policy,) = source_rendering().resource("IntakeRole")["Policies"]
    mutations = [Mutation((cut,)) for cut in cuts_of("intake-role", policy["PolicyDocument"]["Statement"])]
    found = [
        Case(mutation, _looked_up(INTAKE_CIRCUMSTANCES, mutation), _looked_up(INTAKE_NOT_JUDGED, mutation))
        for mutation in mutations
    ]
    return sorted(found, key=lambda case: case.not_judged is not None)


def _looked_up(table, mutation):
    for cut in mutation.cuts:
        places = (f"{cut.what} in {cut.document}", f"{cut.what} of {cut.sid} in {cut.document}")
        for name in (cut.what, *places, cut.sid, f"{cut.sid} in {cut.document}"):
            if name in table:
                return table[name]
    return None


def _all():
    singles = list(cuts_of("source-bucket", json.loads(SOURCE_POLICY_PATH.read_text())["Statement"]))
    trust, role, bucket = target_statements()
    singles += cuts_of("target-trust", trust)
    singles += [Cut("target-trust", "LetTheFunctionsEnter", "principal", f"{f.title()}Role") for f in FUNCTIONS]
    singles += cuts_of("target-role", [statement for statement in role if statement["Sid"] not in EITHER])
    singles += cuts_of("source-key", [key_statement(role, "DecryptTheSource", "ShardliftDecryptSource")])
    for function in FUNCTIONS:
        (policy,) = source_rendering().resource(f"{function.title()}Role")["Policies"]
        singles += cuts_of(f"{function}-role", policy["PolicyDocument"]["Statement"])
    singles += cuts_of("target-bucket", [statement for statement in bucket if statement["Effect"] == "Deny"])
    yield from (Mutation((cut,)) for cut in singles)
    resources = {statement["Sid"]: statement for statement in bucket}
    resources["ShardliftEncryptTarget"] = key_statement(role, "EncryptTheTarget", "ShardliftEncryptTarget")
    for statement in role:
        if statement["Sid"] in EITHER:
            document, sid = EITHER[statement["Sid"]]
            yield from _pairs(statement, document, resources[sid])


def _pairs(of_role, document, of_resource):
    """Both lack the same, or one lacks it and the other's condition does not hold."""
    actions = listed(of_role["Action"])
    role, resource = of_role["Sid"], of_resource["Sid"]
    whole = Cut("target-role", role, "statement")
    # The resource's statement may allow other actions of other statements of the role too.
    same_actions = Cut(document, resource, "action", " ".join(actions))
    yield Mutation((whole, same_actions))
    if len(actions) > 1:
        for action in actions:
            yield Mutation((Cut("target-role", role, "action", action), Cut(document, resource, "action", action)))
    yield from (Mutation((cut, same_actions)) for cut in cuts_of("target-role", [of_role]) if cut.kind == "condition")
    yield from (Mutation((whole, cut)) for cut in cuts_of(document, [of_resource]) if cut.kind == "condition")


def target_statements():
    """What target-account.yaml grants with every option that the runs of these tests need: trust, role, bucket."""
    left_out = (("--acls",), ("--versions",), ("--without-tags",), ("--without-annotations",))
    options = [option for option in OPTIONS if option not in left_out]
    rendering = target_rendering(options)
    role = rendering.resource("TargetRole")
    (permissions,) = role["Policies"]
    bucket = rendering.resource("TargetBucketPolicy")
    documents = (role["AssumeRolePolicyDocument"], permissions["PolicyDocument"], bucket["PolicyDocument"])
    return tuple(document["Statement"] for document in documents)


def key_statement(role, sid, in_key):
    """The statement of a key's policy that mirrors one of the role; a test holds them equal."""
    (statement,) = [statement for statement in role if statement["Sid"] == sid]
    return {**statement, "Sid": in_key}
