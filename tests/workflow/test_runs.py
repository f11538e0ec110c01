"""The whole of it: the real machine and the real functions over two accounts, with IAM enforced."""

import json
from contextlib import contextmanager

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.sample import AWKWARD_KEYS, MIB, MULTIPART_THRESHOLD_BYTES, PART_BYTES, Item

from .execution import Inbox, Machine
from .pair import TestPair

ROLE = "real-target-role"


@pytest.fixture(scope="module")
def inbox(real):
    return Inbox(real, "runs")


@pytest.fixture
def pair(real, request):
    return TestPair(real, f"{request.node.name.removeprefix('test_')}/")


@pytest.fixture(scope="module")
def hurried(server):
    """The same, with so little time per invocation that planner and copiers yield again and again. They copy slowly, so
    that the last write of one does not wait behind hundreds of copies of the other in the local stack's one process."""
    parameters = {
        "PlannerTimeoutSeconds": 2,
        "CopierTimeoutSeconds": 4,
        "CopierConcurrency": 2,
        "WritesPerSecondMax": 300,
    }
    deployment = Deployment(server.endpoint_url, name="hurried", parameters=parameters)
    return Machine(deployment, deployment.deploy())


@contextmanager
def source_policy(machine, change):
    """The source bucket's policy, changed for a while; a change to nothing deletes it."""
    deployment = machine.deployment
    s3, bucket = deployment.source.client("s3"), deployment.source_bucket
    policy = change(deployment.source_bucket_policy())
    if policy is None:
        s3.delete_bucket_policy(Bucket=bucket)
    else:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(deployment.source_bucket_policy()))


def small_objects(count):
    return [Item(f"file-{number:05}", generated_bytes=number % 300) for number in range(count)]


def notification_of(inbox, execution):
    """The report's notification: the one that has a subject."""
    mine = [notice for notice in inbox.drain() if execution.run_id in notice["Message"]]
    (notice,) = [notice for notice in mine if notice.get("Subject", "").startswith("Shardlift ")]
    return notice


def test_a_run_copies_every_byte_under_every_key(pair, inbox):
    items = [Item(key, generated_bytes=7 * number) for number, key in enumerate(AWKWARD_KEYS)]
    # The prefix counts towards a key's 1,024 bytes.
    items = [item for item in items if len((pair.prefix + item.key).encode()) <= 1024]
    longest = "k" * (1024 - len(pair.prefix))
    items += [Item(longest, generated_bytes=5), Item("large", generated_bytes=12 * MIB + 345)]
    uploaded = pair.upload(items)

    execution = pair.run(multipart_threshold_bytes=MULTIPART_THRESHOLD_BYTES, part_bytes=PART_BYTES)

    assert (execution.status, execution.error, execution.cause) == ("SUCCEEDED", "", "")
    assert pair.differences(uploaded) == []
    report = pair.report(execution)
    total = {"objects": len(uploaded), "bytes": sum(size for size, _digest in uploaded.values())}
    assert report["verdict"] == "COMPLETE"
    assert report["planned"] == report["copied"] == total
    assert report["failed"]["objects"] == 0
    s3, bucket, _prefix = pair.target
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    assert "COMPLETE" in notification_of(inbox, execution)["Subject"]


def test_a_second_run_finds_nothing_to_do(pair):
    pair.upload(small_objects(20))
    pair.run()
    report = pair.report(pair.run())
    assert report["verdict"] == "COMPLETE"
    assert report["planned"]["objects"] == report["copied"]["objects"] == 0
    assert report["skipped"]["objects"] == 20


def test_one_denied_object_harms_no_other(real, pair, inbox):
    uploaded = pair.upload(small_objects(50))
    denied = f"{pair.prefix}file-00007"

    def deny(policy):
        role, bucket = policy["Statement"][0]["Principal"], policy["Statement"][0]["Resource"]
        statement = {"Sid": "Deny", "Effect": "Deny", "Principal": role, "Action": "s3:GetObject"}
        statement["Resource"] = f"{bucket}/{denied}"
        return {**policy, "Statement": [*policy["Statement"], statement]}

    with source_policy(real, deny):
        execution = pair.run()

    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")
    assert execution.states[-1] == "RunIncomplete"
    report = pair.report(execution)
    assert report["verdict"] == "INCOMPLETE"
    assert report["copied"]["objects"] == 49
    assert report["failed"]["by_reason"] == {"AccessDenied": 1}
    (failure,) = pair.failures(execution)
    assert failure["key"] == denied
    for named in (ROLE, "s3:GetObject", "source bucket"):
        assert named in failure["detail"], named
    assert pair.target_keys() == set(uploaded) - {"file-00007"}
    notice = notification_of(inbox, execution)
    assert "INCOMPLETE" in notice["Subject"]
    # A queue gets the machine-readable part.
    assert json.loads(notice["Message"])["failed"]["by_reason"] == {"AccessDenied": 1}


def test_a_missing_source_policy_is_named(real, pair, inbox):
    pair.upload(small_objects(5))
    with source_policy(real, lambda _policy: None):
        execution = pair.run()
    assert (execution.status, execution.error) == ("FAILED", "AccessDenied")
    assert pair.target_keys() == set()
    message = notification_of(inbox, execution)["Message"]
    text = message + execution.cause
    for named in ("AccessDenied", ROLE, "s3:", real.outputs["source_bucket"]):
        assert named in text, named


BAD_INPUTS = [
    ("modus", {"modus": "copy"}),
    ("mode", {"mode": "move"}),
    ("source.bucket", {"source": {"bucket": "No Bucket"}}),
    ("rounds_max", {"rounds_max": "three"}),
    ("filters.includes", {"filters": {"includes": ["**"]}}),
    ("delete_max_percent", {"delete_max_percent": 101}),
]


@pytest.mark.parametrize(("field", "run_input"), BAD_INPUTS, ids=[field for field, _input in BAD_INPUTS])
def test_bad_input_names_the_field_and_changes_nothing(real, pair, inbox, field, run_input):
    before = set_of_keys(real)
    execution = real.run(run_input)
    assert (execution.status, execution.error) == ("FAILED", "InvalidRun")
    assert execution.states[-1] == "RunFailed"
    assert field.rpartition(".")[2] in execution.cause
    assert set_of_keys(real) == before
    assert "InvalidRun" in notification_of(inbox, execution)["Message"]
    assert pair.report(execution)["problem"]["code"] == "InvalidRun"


def set_of_keys(machine):
    s3, bucket = machine.deployment.target.client("s3"), machine.outputs["target_bucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {(o["Key"], o["ETag"], o["LastModified"]) for page in pages for o in page.get("Contents", [])}


def test_an_external_id_other_than_the_stacks_is_refused_and_not_told(pair, inbox):
    execution = pair.run(target={"prefix": pair.prefix, "external_id": "not-the-right-one"})
    assert (execution.status, execution.error) == ("FAILED", "InvalidRun")
    message = notification_of(inbox, execution)["Message"]
    assert "TargetExternalId" in message
    assert "not-the-right-one" not in message + execution.cause


def test_a_role_that_asks_for_another_external_id_is_reported_as_unavailable(real, pair, inbox):
    iam, role = real.deployment.target.client("iam"), real.deployment.target_role_name
    trust = iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    own = real.deployment.external_id
    other = json.loads(json.dumps(trust).replace(own, "another-one"))
    assert other != trust
    iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(other))
    try:
        execution = pair.run()
    finally:
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=json.dumps(trust))
    assert (execution.status, execution.error) == ("FAILED", "RoleUnavailable")
    message = notification_of(inbox, execution)["Message"]
    assert ROLE in message
    assert "external ID" in message
    assert own not in message + execution.cause


def test_a_run_in_small_pieces_equals_a_run_in_one(real, hurried):
    items = small_objects(2_100)
    reports, calls = {}, {}
    for machine in (real, hurried):
        pair = TestPair(machine, "pieces/")
        uploaded = pair.upload(items)
        execution = pair.run()
        assert (execution.status, execution.cause) == ("SUCCEEDED", "")
        assert pair.differences(uploaded) == []
        name = machine.deployment.name
        reports[name] = pair.report(execution)
        calls[name] = execution.states.count("PlanShards") + machine.copier_calls(execution)
    same = ("verdict", "planned", "copied", "skipped", "failed")
    assert {k: reports["real"][k] for k in same} == {k: reports["hurried"][k] for k in same}
    # Otherwise nothing was cut, and the comparison says nothing.
    assert calls["hurried"] > calls["real"]
