"""An attacker who may start executions and nothing else, against a stack whose ceilings are the template's defaults.

Whatever the input, nothing outside the stack's parameters is read, written, deleted or encrypted, nobody is told to
change that, and the external id is told to nobody. Every request of the functions is recorded and held against the
parameters.
"""

import json
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

import pytest
from shardlift_local.accounts import source_account, target_account
from shardlift_local.deployment import Deployment
from shardlift_local.server import Server, free_port

from tests.workflow.conftest import WAIT_SCALE
from tests.workflow.execution import Inbox, Machine

CANARY = "canary-0d6f3b52-external-id"
SOURCE_PREFIX, TARGET_PREFIX = "data/", "copy/"
INSIDE = {"a": b"new", "sub/b": b"newer", "sub/c": b"c"}
# What a message would have that offers a statement to paste.
OFFERED = ('"Effect"', '\\"Effect\\"', "&quot;Effect&quot;", '"Sid"', '\\"Sid\\"', "(statement ", "put-bucket-policy")
DOCUMENTS = ("report.json", "report.html", "failures.csv", "preflight.json", "shards.json")
PARTS_BYTES = 5 * 2**20


@dataclass(frozen=True)
class Attacked:
    """The stack, what stands around it, and what its functions requested."""

    machine: Machine
    inbox: Inbox
    requests: object
    keys: dict
    elsewhere: tuple

    @property
    def deployment(self):
        return self.machine.deployment

    def everything(self):
        """Each object of each bucket of both accounts but those of the stack itself: key, ETag, date, encryption."""
        found = {}
        for account, bucket in self.buckets():
            s3 = account.client("s3")
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
                for listed in page.get("Contents", []):
                    head = s3.head_object(Bucket=bucket, Key=listed["Key"])
                    kind = head.get("ServerSideEncryption"), head.get("SSEKMSKeyId"), head.get("StorageClass")
                    found[bucket, listed["Key"]] = (listed["ETag"], listed["LastModified"], kind)
        return found

    def buckets(self):
        source, target = self.deployment.source, self.deployment.target
        mine, theirs = self.elsewhere
        return (
            (source, self.deployment.source_bucket),
            (source, mine),
            (target, self.deployment.target_bucket),
            (target, theirs),
        )

    def told(self, execution):
        """Everything that anybody is told about a run. Its output holds its input, for whoever may read that too."""
        s3, bucket = self.deployment.source.client("s3"), self.machine.outputs["control_bucket"]
        told = [execution.cause, json.dumps(self.inbox.drain())]
        for name in DOCUMENTS:
            try:
                body = s3.get_object(Bucket=bucket, Key=f"runs/{execution.run_id}/{name}")["Body"]
            except s3.exceptions.NoSuchKey:
                continue
            told.append(body.read().decode())
        states, arn = self.machine.states, self.machine.execution_arn(execution.run_id)
        for run in states.list_map_runs(executionArn=arn)["mapRuns"]:
            children = states.list_executions(mapRunArn=run["mapRunArn"])["executions"]
            told += [states.describe_execution(executionArn=c["executionArn"]).get("cause", "") for c in children]
        return "\n".join(told)


@pytest.fixture(scope="module")
def attacked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("attacked")
    server = Server(folder, free_port(), WAIT_SCALE, folder / "requests.jsonl")
    server.start()
    try:
        accounts = source_account(server.endpoint_url), target_account(server.endpoint_url)
        keys = {account.account_id: account.client("kms").create_key()["KeyMetadata"]["Arn"] for account in accounts}
        deployment = Deployment(
            server.endpoint_url,
            name="bounded",
            source_prefix=SOURCE_PREFIX,
            target_prefix=TARGET_PREFIX,
            external_id=CANARY,
            has_widest_ceilings=False,
        )
        machine = Machine(deployment, deployment.deploy())
        elsewhere = ("of-the-source-account", "of-the-target-account")
        for account, bucket in zip(accounts, elsewhere, strict=True):
            account.client("s3").create_bucket(Bucket=bucket)
        attacked = Attacked(machine, Inbox(machine, "attacked"), server.requests_path, keys, elsewhere)
        fill(attacked)
        yield attacked
    finally:
        server.stop()


def fill(attacked):
    """Objects within and beside both prefixes, in the two buckets and in two others."""
    for account, bucket in attacked.buckets():
        s3 = account.client("s3")
        for key in ("secret/x", "data/secret", "data2/x", "copy/of-the-owner", "copy2/x", "x"):
            s3.put_object(Bucket=bucket, Key=key, Body=b"untouched")
    s3 = attacked.deployment.source.client("s3")
    for key, body in INSIDE.items():
        s3.put_object(Bucket=attacked.deployment.source_bucket, Key=SOURCE_PREFIX + key, Body=body)


DELETIONS = [
    # This one wiped a target.
    {"source": {"prefix": "no-such/"}, "mode": "mirror", "delete_max_percent": 100},
    {"source": {"prefix": "data/no-such/"}, "mode": "mirror", "delete_max_percent": 100},
    {"mode": "mirror"},
    {"mode": "mirror", "dry_run": True},
    {"mode": "mirror", "delete_max_percent": 100, "allow_empty_source": True, "filters": {"include": ["none"]}},
    {"mode": "mirror", "delete_max_objects": 10**9, "allow_empty_source": True},
    {"mode": "mirror", "verify": "none", "rounds_max": 10},
    {"delete_max_percent": 6},
    {"delete_max_percent": 100, "mode": "copy"},
    {"delete_max_objects": 11},
    {"delete_max_objects": 2**63},
    {"delete_max_percent": -1},
    {"delete_max_percent": 256},
]
# What has the external id in a wrong place.
MISPLACED = [
    *[{field: CANARY} for field in ("mode", "tags", "kms_key_arn", "rerun_of", "shards", "sse", CANARY)],
    *[{side: {"bucket": CANARY + "!"}} for side in ("source", "target")],
    {"filters": {"include": ["[" + CANARY]}},
    {"filters": {"modified_after": CANARY}},
    {"source": [CANARY]},
    {"target": {"external_id": [CANARY]}},
]
EARLIER = [
    {"rerun_of": "never-ran"},
    {"rerun_of": "first", "mode": "mirror"},
    {"rerun_of": "first", "shards": ["../x"]},
]
WITHIN = [
    {},
    {"mode": "copy", "storage_class": "STANDARD_IA"},
    {"mode": "copy", "sse": "AES256", "request_payer": True, "tags": "ignore"},
    {"mode": "copy", "multipart_threshold_bytes": PARTS_BYTES, "part_bytes": PARTS_BYTES, "rounds_max": 10},
    {"source": {"prefix": "data/sub/"}, "target": {"prefix": "copy/sub/"}},
    {"target": {"external_id": CANARY}},
    {"target": {"prefix": "copy/../secret/"}},
    {"source": {"prefix": "data/no-such/"}},
    {"source": {"prefix": "data/../secret/"}},
    {"rerun_of": "first"},
    {"filters": {"include": ["{a,b}" * 20 + "**"]}},
]


def places(attacked):
    """Other prefixes and buckets."""
    deployment, control = attacked.deployment, attacked.machine.outputs["control_bucket"]
    mine, theirs = attacked.elsewhere
    return [
        *[{"source": {"prefix": prefix}} for prefix in ("", "secret/", "data", "dat", "../data/", "/data/", "DATA/")],
        *[{"target": {"prefix": prefix}} for prefix in ("", "secret/", "copy", "cop", "../copy/", "/copy/", "copy2/")],
        *[{"source": {"prefix": prefix}, "target": {"prefix": prefix}} for prefix in ("", "secret/", "data\n/")],
        {"source": {"bucket": mine}},
        {"source": {"bucket": theirs}},
        {"source": {"bucket": deployment.target_bucket, "prefix": "data/"}},
        {"source": {"bucket": control}},
        {"target": {"bucket": mine}},
        {"target": {"bucket": theirs, "prefix": "copy/"}},
        {"target": {"bucket": deployment.source_bucket, "prefix": "copy/"}},
        {"target": {"bucket": control, "prefix": "runs/"}},
    ]


def entries(attacked):
    """Other roles and external ids."""
    source_id, target_id = attacked.deployment.source.account_id, attacked.deployment.target.account_id
    return [
        {"target": {"role_arn": f"arn:aws:iam::{target_id}:role/another"}},
        {"target": {"role_arn": f"arn:aws:iam::{source_id}:role/bounded-planner"}},
        {"target": {"role_arn": attacked.machine.outputs["copier_role_arn"]}},
        {"target": {"role_arn": attacked.deployment.target_role_arn + "\n"}},
        {"target": {"external_id": "not-the-right-one"}},
        {"target": {"external_id": CANARY + "x"}},
    ]


def writes(attacked):
    """Other keys, classes and lists."""
    own_key = attacked.keys[attacked.deployment.target.account_id]
    return [
        *[{"kms_key_arn": key} for key in attacked.keys.values()],
        {"kms_key_arn": "arn:aws:kms:us-east-1:999999999999:key/\u202eevil"},
        {"kms_key_arn": "arn:aws:kms:us-east-1:999999999999:key/<script>alert(1)</script>"},
        {"kms_key_arn": own_key + "\nx"},
        {"storage_class": "GLACIER"},
        {"storage_class": "DEEP_ARCHIVE", "mode": "copy"},
        {"storage_class": "OUTPOSTS"},
        {"acl": "bucket-owner-full-control"},
        {"acl": "public-read"},
    ]


def inputs(attacked):
    """More than 60 inputs, each with whether it must be refused as one."""
    beyond = [*DELETIONS, *places(attacked), *entries(attacked), *writes(attacked), *MISPLACED, *EARLIER]
    return [(one, True) for one in beyond] + [(one, False) for one in WITHIN]


def test_nothing_outside_the_stacks_parameters_is_reached_and_nobody_is_told_to_change_that(attacked):
    first = attacked.machine.run({}, run_id="first")
    assert (first.status, first.cause) == ("SUCCEEDED", ""), "otherwise every other run says nothing"
    before = attacked.everything()
    tried = inputs(attacked)
    assert len(tried) > 60
    wrong = []
    for number, (asked, is_beyond) in enumerate(tried):
        execution = attacked.machine.run(asked, run_id=f"attack-{number}")
        if is_beyond and execution.error != "InvalidRun":
            wrong.append((asked, execution.status, execution.error, execution.cause))
        told = attacked.told(execution)
        wrong += [(asked, "tells", part) for part in (CANARY, *OFFERED) if part in told]
    assert wrong == []
    after = attacked.everything()
    gone = before.keys() - after.keys()
    own = (attacked.deployment.target_bucket, TARGET_PREFIX)
    changed = {place for place, seen in after.items() if before.get(place) != seen}
    assert gone == set()
    assert {place for place in changed if (place[0], place[1][: len(TARGET_PREFIX)]) != own} == set()
    assert (own[0], "copy/of-the-owner") not in changed
    assert changed, "the runs within the parameters wrote something"
    assert {kind[1] for _etag, _date, kind in after.values()} == {None}, "no key encrypted anything"


def test_every_request_stays_within_both_prefixes(attacked):
    """After the test above, whose runs made them."""
    outside, judged = [], 0
    source, target = attacked.deployment.source_bucket, attacked.deployment.target_bucket
    control = attacked.machine.outputs["control_bucket"]
    for line in attacked.requests.read_text().splitlines():
        request = json.loads(line)
        if "s3/aws4_request" not in request["headers"].get("authorization", ""):
            continue
        bucket, _, key = unquote(request["path"]).lstrip("/").partition("/")
        prefix = {source: SOURCE_PREFIX, target: TARGET_PREFIX}.get(bucket)
        if bucket == control:
            continue
        query = parse_qs(request["query"], keep_blank_values=True)
        named = key or query.get("prefix", [prefix])[0]
        copied = unquote(request["headers"].get("x-amz-copy-source", f"{source}/{SOURCE_PREFIX}")).lstrip("/")
        judged += 1
        if prefix is None or not named.startswith(prefix) or not copied.startswith(f"{source}/{SOURCE_PREFIX}"):
            outside.append((request["method"], request["path"], request["query"], copied))
    assert judged > 50
    assert outside == []
