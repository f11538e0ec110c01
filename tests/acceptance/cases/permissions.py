"""Each policy document missing, encryption, and the session of a copier."""

import json

from botocore.exceptions import ClientError
from shardlift_local.sample import Item

from tests.acceptance.case import Catalogue, expect
from tests.acceptance.readme import Step
from tests.security.mutations import Cut

from .objects import IN_PARTS, LARGE_BYTES, heads
from .runs import completed, small_objects, told

CASES = Catalogue()
# Lengths of a prefix: with both sides' prefixes the copier's session policy passes from short to beyond what fits.
PREFIX_LENGTHS, PREFIX_LENGTHS_LOCAL = (100, 300, 450, 550, 700, 900), (100, 900)


def refused(stand, pair, words, *cuts):
    """A run while something is missing: it fails, copies nothing, and its message holds the words."""
    with stand.without(*cuts):
        execution = pair.run(rounds_max=1)
        copied = pair.target_keys()
    seen = f"{execution.status} {execution.error}: {execution.cause}"
    expect(execution.status == "FAILED" and not copied, f"{len(copied)} copied; {seen}")
    missing = [word for word in words if word not in execution.cause]
    expect(not missing, f"it does not name {', '.join(missing)}: {seen}")
    return seen


# The document, the statement that is taken away (of the trust: the principal), what the message names, the numbers.
DOCUMENTS = (
    ("source-bucket", "ShardliftReadSource", ("s3:GetObject", "source bucket's policy"), "I3 I7 I8"),
    ("source-bucket", "ShardliftListSource", ("s3:ListBucket", "source bucket's policy"), "I3 I8"),
    ("target-role", "ReadTheSource", ("s3:GetObject", "target role's permission policy"), "I7 I8"),
    ("target-trust", "PlannerRole", ("sts:AssumeRole", "target role's trust policy"), "I2 I8"),
    ("planner-role", "EnterTheTargetAccount", ("sts:AssumeRole", "execution role"), "I2 I8"),
)


def add_document(document, what, words, assumptions):
    """A case for a statement of a document, or for a principal of the trust."""
    cut = Cut(document, what, "statement")
    if document == "target-trust":
        # A trust policy that trusts nobody is none that IAM takes.
        cut = Cut(document, "LetTheFunctionsEnter", "principal", what)

    def play(stand):
        pair = stand.pair("missing")
        pair.upload(small_objects(3))
        return refused(stand, pair, words, cut)

    name = f"{document} without {what}"
    CASES.case(name, f"the run is refused before it copies, and the message names {' and '.join(words)}", assumptions)(
        play
    )


for row in DOCUMENTS:
    add_document(*row)


@CASES.case(
    "target-bucket without its statements for the role",
    "COMPLETE: within one account the role's own policy is enough",
    "I10",
)
def target_bucket_policy(stand):
    pair = stand.pair("one-is-enough")
    pair.upload(small_objects(3))
    sids = ("LetTheRoleList", "LetTheRoleListUploads", "LetTheRoleWrite")
    policy = stand.policies.read("target-bucket")
    kept = [statement for statement in policy["Statement"] if statement["Sid"] not in sids]
    with stand.changed("target-bucket", {**policy, "Statement": kept}):
        return told(completed(pair))


@CASES.case(
    "target-role and target-bucket without s3:PutObject",
    "the run is refused before it copies, and the message names s3:PutObject",
    "I8 I10",
)
def no_writes(stand):
    pair = stand.pair("no-writes")
    pair.upload(small_objects(3))
    cuts = [Cut(document, sid, "action", "s3:PutObject") for document, sid in
            (("target-role", "WriteTheTarget"), ("target-bucket", "LetTheRoleWrite"))]  # fmt: skip
    return refused(stand, pair, ("s3:PutObject",), *cuts)


@CASES.case(
    "copier-role without WriteTheLedger",
    "the shard's child fails in the Map Run, the run goes on to its report and is INCOMPLETE",
    "M5 M6",
)
def copier_fails(stand):
    pair = stand.pair("no-ledger")
    pair.upload(small_objects(3))
    with stand.without(Cut("copier-role", "WriteTheLedger", "statement")):
        execution = pair.run(rounds_max=1)
    children = stand.machine.children(stand.machine.execution_arn(execution.run_id))
    report = pair.report(execution)
    seen = f"children {children}; {execution.error}; {told(report)}"
    expect(report["verdict"] == "INCOMPLETE" and [status for status, _error in children] == ["FAILED"], seen)
    return seen


@CASES.case(
    "a wrong external id",
    "InvalidRun where the input has it; RoleUnavailable where the role asks for another, and no message tells it",
    "I2",
)
def external_id(stand):
    pair = stand.pair("external-id")
    pair.upload(small_objects(1))
    asked = pair.run(target={"prefix": pair.prefix, "external_id": "not-the-right-one"})
    expect(asked.error == "InvalidRun" and "TargetExternalId" in asked.cause, f"{asked.error}: {asked.cause}")
    stand.deploy_target(ExternalId="not-the-right-one")
    execution = pair.run()
    stand.deploy_target()
    seen = f"{execution.error}: {execution.cause}"
    expect(execution.error == "RoleUnavailable" and stand.target_role_name in execution.cause, seen)
    expect(stand.external_id not in execution.cause, "the message tells the external id")
    return seen


@CASES.case(
    "session policies up to 2,048 characters",
    "COMPLETE for prefixes of every length; STS takes the copier's session policy, also packed",
    "I11",
    lenient="the local STS does not measure a session policy",
)
def session_policies(stand):
    seen = []
    for length in PREFIX_LENGTHS_LOCAL if stand.is_local else PREFIX_LENGTHS:
        base = stand.pair("session")
        # Characters beyond ASCII are six in the policy's JSON.
        for filler in ("p", "ü"):
            room = (length - len(base.prefix)) // len(filler.encode())
            pair = type(base)(base.machine, f"{base.prefix}{filler * room}/", stand)
            pair.upload([Item("object", generated_bytes=9)])
            report = completed(pair)
            expect(report["copied"]["objects"] == 1, f"{length} bytes of {filler}: {told(report)}")
        seen.append(str(length))
    return f"COMPLETE with prefixes of {', '.join(seen)} bytes, ASCII and not"


# ---------------------------------------------------------------------- KMS: last, since the target bucket changes
def encrypt(stand):
    """Keys on both sides, named in the target stack and with the policies that `shardlift policy` prints."""
    if stand.keys:
        return
    for name, account in (("source-key", stand.source), ("target-key", stand.target)):
        kms = account.client("kms")
        arn = kms.create_key(Description=f"{stand.name} {name}")["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=f"alias/{stand.name}-{name}", TargetKeyId=arn)
        stand.keys[name] = arn
        stand.meter.kms_keys += 1
    arns = {"SourceKmsKeyArn": stand.keys["source-key"], "TargetKmsKeyArn": stand.keys["target-key"]}
    stand.deploy_target(AllowMirrorDeletes="true", **arns)
    stand.change_source_stack(AllowedKmsKeyArns=stand.keys["target-key"])
    for name, arn in stand.keys.items():
        script = f"AWS_PROFILE={stand.source.profile} shardlift --stack {stand.name} policy {name} --{name} {arn}\n"
        printed = json.loads(stand.shell(stand.source).run(Step(f"shardlift policy {name}", script)))
        existing = stand.policies.read(name)
        stand.policies.write(name, {**existing, "Statement": existing["Statement"] + printed["Statement"]})
    stand.settle()


def encrypted_pair(stand, name):
    """A pair whose source objects are under the source's key."""
    encrypt(stand)
    pair = stand.pair(name)
    s3, bucket, prefix = pair.source
    for key, size in (("small", 100), ("large", LARGE_BYTES)):
        under = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": stand.keys["source-key"]}
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=bytes(size), **under)
    return pair


@CASES.case(
    "KMS keys on both sides",
    "COMPLETE; the objects are under the target's key, and a second run copies nothing",
    "K1 K2 K3",
)
def both_keys(stand):
    pair = encrypted_pair(stand, "kms")
    report = completed(pair, kms_key_arn=stand.keys["target-key"], **IN_PARTS)
    for key in ("small", "large"):
        used = heads(pair, key)[1].get("SSEKMSKeyId")
        expect(used == stand.keys["target-key"], f"{key} is under {used}")
    again = completed(pair, kms_key_arn=stand.keys["target-key"], compare="etag", **IN_PARTS)
    expect(again["planned"]["objects"] == 0, f"the second run: {told(again)}")
    return f"{told(report)}; the second run: {told(again)}"


def add_key_document(name, sid, words, cuts):
    """A case for a statement of a key's policy."""

    def play(stand):
        pair = encrypted_pair(stand, name)
        with stand.without(*cuts):
            execution = pair.run(rounds_max=1, kms_key_arn=stand.keys["target-key"], **IN_PARTS)
            copied = pair.target_keys()
        seen = f"{execution.status} {execution.error}: {execution.cause}"
        expect(execution.status == "FAILED" and not copied, f"{len(copied)} copied; {seen}")
        missing = [word for word in words if word not in execution.cause]
        expect(not missing, f"it does not name {', '.join(missing)}: {seen}")
        return seen

    CASES.case(f"{name} without {sid}", f"nothing is copied, and the message names {' and '.join(words)}", "K1 I8")(
        play
    )


add_key_document(
    "source-key",
    "ShardliftDecryptSource",
    ("kms:Decrypt", "KMS key's policy"),
    (Cut("source-key", "ShardliftDecryptSource", "statement"),),
)
add_key_document(
    "target-key",
    "ShardliftEncryptTarget",
    ("kms:GenerateDataKey",),
    (Cut("target-key", "ShardliftEncryptTarget", "statement"), Cut("target-role", "EncryptTheTarget", "statement")),
)


def s3_refuses(pair, key_arn):
    """What S3 answers to a target administrator, whom no policy is in the way of, who writes under a key."""
    s3, bucket, prefix = pair.target
    try:
        s3.put_object(Bucket=bucket, Key=f"{prefix}probe", ServerSideEncryption="aws:kms", SSEKMSKeyId=key_arn)
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}"
    s3.delete_object(Bucket=bucket, Key=f"{prefix}probe")
    return "nothing was refused"


@CASES.case(
    "a key of another Region",
    "S3 refuses a write with KMS.NotFoundException 400; a run copies nothing, and its message names the key",
    "K4",
    only_aws="the local stack does not tell Regions apart",
)
def key_of_another_region(stand):
    kms = stand.target.client("kms", stand.far_region)
    arn = kms.create_key(Description=f"{stand.name} far")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=f"alias/{stand.name}-far", TargetKeyId=arn)
    stand.meter.kms_keys += 1
    pair = stand.pair("far-key")
    pair.upload(small_objects(2))
    refusal = s3_refuses(pair, arn)
    stand.change_source_stack(AllowedKmsKeyArns=",".join(filter(None, (stand.keys.get("target-key"), arn))))
    execution = pair.run(kms_key_arn=arn, rounds_max=1)
    seen = f"S3: {refusal}; {execution.status} {execution.error}: {execution.cause}"
    expect(refusal == "KMS.NotFoundException 400", seen)
    is_named = execution.error == "InvalidRun" and "kms_key_arn" in execution.cause
    expect(execution.status == "FAILED" and not pair.target_keys() and is_named, seen)
    return seen


@CASES.case(
    "a key that is disabled",
    "S3 refuses a write with KMS.DisabledException 400; a run copies nothing, and its message names the key",
    "K5",
    only_aws="the local S3 does not ask for the state of a key",
)
def disabled_key(stand):
    pair = encrypted_pair(stand, "disabled")
    kms = stand.target.client("kms")
    kms.disable_key(KeyId=stand.keys["target-key"])
    try:
        stand.settle()
        refusal = s3_refuses(pair, stand.keys["target-key"])
        execution = pair.run(kms_key_arn=stand.keys["target-key"], rounds_max=1)
    finally:
        kms.enable_key(KeyId=stand.keys["target-key"])
        stand.settle()
    seen = f"S3: {refusal}; {execution.status} {execution.error}: {execution.cause}"
    expect(refusal == "KMS.DisabledException 400", seen)
    expect(execution.status == "FAILED" and not pair.target_keys() and "key" in execution.cause.lower(), seen)
    return seen
