"""From the deployed policies, each action, statement and condition is taken away in turn: the run is refused before
anything is copied, or the objects fail, and the message names the statement that is missing, and no other."""

import json
import re
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass

import boto3
import pytest
from botocore.exceptions import ClientError
from shardlift_local.accounts import REGION, source_account, target_account
from shardlift_local.deployment import Deployment
from shardlift_local.sample import MIB, Item

from tests.workflow.execution import Machine
from tests.workflow.pair import TestPair

from .cases import all_cases, key_statement, target_statements
from .mutations import Cut, Mutation, Policies
from .rendering import canonical
from .test_documents import ADMINISTRATOR, SHARDLIFT

TAGGED = "tagged"
KEYS = {"plain", TAGGED, "large"}
# How messages call the documents.
IN_WORDS = {
    "source-bucket": "the source bucket's policy",
    "target-bucket": "the target bucket's policy",
    "target-role": "the target role's permission policy",
    "target-trust": "the target role's trust policy",
    "source-key": "the KMS key's policy",
    "target-key": "the KMS key's policy",
    "planner-role": "the function's execution role",
    "copier-role": "the function's execution role",
    "renderer-role": "the function's execution role",
    "reporter-role": "the function's execution role",
    "intake-role": "the function's execution role",
}
# What a report says to put into a policy.
PRINTED = re.compile(
    r"^Put this into (.+?) \((account \d+, )?(.*)\)\. Replace statements that have the same Sid:\n", re.M
)
ID_PLACEHOLDER = "THE-EXTERNAL-ID-OF-BOTH-STACKS"
NAMED = re.compile(rf"({'|'.join(sorted(set(IN_WORDS.values())))}) \(statement (\w+)")
LOCK_STAYS = Mutation((Cut("reporter-role", "ReleaseTheLock", "statement"),))


@dataclass(frozen=True)
class Guarded:
    """A deployed pair whose objects are encrypted on both sides, and its policies."""

    pair: TestPair
    policies: Policies
    keys: dict

    def run(self):
        """A run that needs every permission: it copies tags, cuts parts, uses both keys and may delete."""
        return self.pair.run(
            mode="mirror",
            kms_key_arn=self.keys["target-key"],
            multipart_threshold_bytes=5 * MIB,
            part_bytes=5 * MIB,
            rounds_max=1,
        )

    def empty_target(self):
        s3, bucket, prefix = self.pair.target
        for key in self.pair.target_keys():
            s3.delete_object(Bucket=bucket, Key=prefix + key)


@pytest.fixture(scope="module")
def guarded(server, tmp_path_factory):
    accounts = {"source-key": source_account(server.endpoint_url), "target-key": target_account(server.endpoint_url)}
    keys = {name: account.client("kms").create_key()["KeyMetadata"]["Arn"] for name, account in accounts.items()}
    deployment = Deployment(
        server.endpoint_url,
        name="guarded",
        target_parameters={
            "SourceKmsKeyArn": keys["source-key"],
            "TargetKmsKeyArn": keys["target-key"],
            "AdministratorArn": ADMINISTRATOR,
        },
    )
    outputs = deployment.deploy()
    policies = Policies(deployment, outputs, keys)
    outputs_path = tmp_path_factory.mktemp("guarded") / "outputs.json"
    outputs_path.write_text(json.dumps(outputs))
    for name, arn in keys.items():
        command = [SHARDLIFT, "--local", "--local-outputs", outputs_path, "policy", name, f"--{name}", arn]
        printed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
        existing = policies.read(name)
        policies.write(name, {**existing, "Statement": existing["Statement"] + printed["Statement"]})
    pair = TestPair(Machine(deployment, outputs), "data/")
    items = [
        Item("plain", generated_bytes=100),
        Item(TAGGED, generated_bytes=100),
        Item("large", generated_bytes=6 * MIB),
    ]
    s3, bucket, prefix = pair.source
    encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": keys["source-key"]}
    for item in items:
        tagging = {"Tagging": "k=v"} if item.key == TAGGED else {}
        s3.put_object(Bucket=bucket, Key=prefix + item.key, Body=item.body(), **encrypted, **tagging)
    return Guarded(pair, policies, keys)


def told_by(pair, execution):
    """Everything that a person is told about a run: the console, the report, the failed objects, the children."""
    told = [execution.cause, document(pair, execution, "report.json"), document(pair, execution, "failures.csv")]
    arn = pair.machine.execution_arn(execution.run_id)
    states = pair.machine.states
    for map_run in states.list_map_runs(executionArn=arn)["mapRuns"]:
        children = states.list_executions(mapRunArn=map_run["mapRunArn"])["executions"]
        told += [states.describe_execution(executionArn=c["executionArn"]).get("cause", "") for c in children]
    return "\n".join(told)


def printed_fixes(guarded, execution):
    """The statements that the report prints, by document, with the external id that a person fills in."""
    outputs = guarded.pair.machine.outputs
    message = json.loads(document(guarded.pair, execution, "report.json") or "{}").get("problem", {}).get("message", "")
    message = message.replace(ID_PLACEHOLDER + '"', outputs["external_id"] + '"')
    fixes = {}
    for printed in PRINTED.finditer(message):
        words, place = printed[1], printed[3]
        names = [name for name, in_words in IN_WORDS.items() if in_words == words and name != "intake-role"]
        if len(names) > 1 and "key" in names[0]:
            names = [name for name in names if guarded.keys[name] == place]
        elif len(names) > 1:
            names = [name for name in names if guarded.policies.role_name(name) in place]
        (name,) = names
        fixes[name], _end = json.JSONDecoder().raw_decode(message[printed.end() :].lstrip())
    return fixes


@contextmanager
def as_before(policies, names):
    """Puts documents back as they are now."""
    originals = {name: policies.read(name) for name in names}
    try:
        yield
    finally:
        for name, original in originals.items():
            policies.write(name, original)


def paste(policies, fixes):
    """Does what the report says: a statement of the same Sid is replaced."""
    for name, statements in fixes.items():
        existing = policies.read(name)
        sids = {statement["Sid"] for statement in statements}
        kept = [statement for statement in existing["Statement"] if statement.get("Sid") not in sids]
        policies.write(name, {**existing, "Statement": kept + statements})


def document(pair, execution, name):
    """A document of the run; nothing when the run could not even report, and the console alone tells."""
    s3 = pair.machine.deployment.source.client("s3")
    key = f"runs/{execution.run_id}/{name}"
    try:
        return s3.get_object(Bucket=pair.machine.outputs["control_bucket"], Key=key)["Body"].read().decode()
    except s3.exceptions.NoSuchKey:
        return ""


def meet(guarded, circumstance):
    """Brings about what a case needs. Returns what undoes it."""
    s3, bucket, prefix = guarded.pair.source
    if circumstance == "a lock that a dead run left":
        with guarded.policies.without(LOCK_STAYS):
            guarded.run()
        guarded.empty_target()
    if circumstance == "an object that cannot be copied":
        # Larger than the smallest, which is the planner's sample.
        s3.put_object(Bucket=bucket, Key=f"{prefix}refused", Body=bytes(300))
        allowed = guarded.policies.read("source-bucket")
        refusal = {"Sid": "RefuseOne", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
        refusal["Resource"] = f"arn:aws:s3:::{bucket}/{prefix}refused"
        guarded.policies.write("source-bucket", {**allowed, "Statement": [*allowed["Statement"], refusal]})

        def undo():
            guarded.policies.write("source-bucket", allowed)
            s3.delete_object(Bucket=bucket, Key=f"{prefix}refused")

        return undo
    return lambda: None


def test_the_deployed_policies_suffice(guarded):
    execution = guarded.run()
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert guarded.pair.target_keys() == KEYS
    s3, bucket, prefix = guarded.pair.target
    head = s3.head_object(Bucket=bucket, Key=f"{prefix}plain")
    assert head["SSEKMSKeyId"] == guarded.keys["target-key"]
    guarded.empty_target()


def test_the_keys_statements_are_those_that_the_cases_take_away(guarded):
    _, role, _ = target_statements()
    for key, of_role, of_key in (
        ("source-key", "DecryptTheSource", "ShardliftDecryptSource"),
        ("target-key", "EncryptTheTarget", "ShardliftEncryptTarget"),
    ):
        found = canonical({"Statement": [s for s in guarded.policies.read(key)["Statement"] if s["Sid"] == of_key]})
        expected = canonical({"Statement": [key_statement(role, of_role, of_key)]})
        assert found[of_key]["Action"] == expected[of_key]["Action"]
        assert found[of_key]["Condition"].keys() == expected[of_key]["Condition"].keys()


def harmless_statement(guarded, name):
    """All that is left in a document from which everything was taken that a run needs."""
    statement = {"Sid": "Nothing", "Effect": "Allow"}
    if name == "target-trust":
        account = guarded.pair.machine.deployment.target.account_id
        return {**statement, "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    if name == "target-role":
        return {**statement, "Action": "s3:ListAllMyBuckets", "Resource": "*"}
    bucket = guarded.pair.machine.outputs[name.replace("-", "_")]
    refused = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": f"arn:aws:s3:::{bucket}"}
    return {**statement, **refused}


@pytest.mark.parametrize("names", [("source-bucket",), ("target-role", "target-bucket"), ("target-trust",)])
def test_a_document_that_lacks_everything_takes_one_fix(guarded, names):
    """Nobody has to run twice to learn of the second statement."""
    policies = guarded.policies
    with as_before(policies, names):
        for name in names:
            policies.write(name, {**policies.read(name), "Statement": [harmless_statement(guarded, name)]})
        broken = guarded.run()
        assert broken.status == "FAILED"
        fixes = printed_fixes(guarded, broken)
        assert fixes, told_by(guarded.pair, broken)
        paste(policies, fixes)
        mended = guarded.run()
        if names[0] == "target-role":
            # Which key encrypts the source, nobody can know before an object of it may be read.
            fixes = printed_fixes(guarded, mended)
            sids = [[s["Sid"] for s in statements] for statements in fixes.values()]
            assert sids == [["DecryptTheSource", "EncryptTheTarget"]]
            paste(policies, fixes)
            mended = guarded.run()
        assert (mended.status, mended.cause) == ("SUCCEEDED", ""), fixes
    guarded.empty_target()


def test_everybody_else_is_refused(guarded):
    """Another user of the target account, however much it may do by itself; the root and the run's role are welcome."""
    account = guarded.pair.machine.deployment.target
    iam = account.client("iam")
    iam.create_user(UserName="curious")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
    iam.put_user_policy(UserName="curious", PolicyName="all", PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName="curious")["AccessKey"]
    secrets = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    curious = boto3.client("s3", region_name=REGION, endpoint_url=account.endpoint_url, **secrets)
    _, bucket, prefix = guarded.pair.target
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        curious.list_objects_v2(Bucket=bucket, Prefix=prefix)
    unguarded = Mutation((Cut("target-bucket", "RefuseEverybodyElse", "statement"),))
    with guarded.policies.without(unguarded):
        curious.list_objects_v2(Bucket=bucket, Prefix=prefix)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.mutation.name)
def test_what_is_missing_is_named_and_nothing_else(guarded, case, table):
    mutation = case.mutation
    if case.not_judged:
        table(("not judged here", mutation.name, case.not_judged))
        return
    undo = meet(guarded, case.circumstance)
    with guarded.policies.without(mutation):
        execution = guarded.run()
        copied = guarded.pair.target_keys()
        fixes = printed_fixes(guarded, execution)
        if fixes:
            with as_before(guarded.policies, fixes):
                paste(guarded.policies, fixes)
                mended = guarded.run()
            assert (mended.status, mended.cause) == ("SUCCEEDED", ""), fixes
    undo()
    guarded.empty_target()
    told = told_by(guarded.pair, execution)
    assert execution.status == "FAILED", told
    assert execution.error in ("AccessDenied", "RoleUnavailable", "ServiceFault"), told
    expected = {(IN_WORDS[cut.document], cut.sid) for cut in mutation.cuts}
    assert set(NAMED.findall(told)) == expected, told
    for cut in mutation.cuts:
        if cut.document in ("planner-role", "copier-role", "reporter-role"):
            assert guarded.policies.role_name(cut.document) in told, told
    # Every refusal before the run prints what makes the next run work, of whatever Shardlift grants.
    if "checks before the run were refused" in told:
        assert fixes, told
    outcome = "refused before copying" if not copied else f"{len(KEYS - copied)} of {len(KEYS)} objects not copied"
    table((outcome, mutation.name, execution.error))
