"""What the real functions request of AWS, held against AWS's own service models."""

import base64
import json
import re

import pytest
from shardlift_local.deployment import ROOT, Deployment
from shardlift_local.sample import MIB, Item
from shardlift_local.server import Server, free_port

from tests.pictures import png
from tests.security.test_policy_lint import findings

from .conftest import WAIT_SCALE
from .execution import Machine
from .pair import TestPair
from .service_models import model_of, read

LARGE = {"multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB}
# What the functions can request, and these runs do not: of an upload that a dead copier left, and of a single key that
# a policy refuses. `tests/s3-model` reads both. No run here is of versions or events (test_restore, test_events).
UNSEEN = {
    *("s3:ListParts", "s3:DeleteObject"),
    *("s3:GetBucketVersioning", "s3:ListObjectVersions", "states:StartExecution"),
}
# The document store names its calls after what it does.
ELSEWHERE = {"s3:PutObject", "s3:DeleteObjects"}


def operations_in_the_code():
    code = "".join(path.read_text() for path in (ROOT / "lambdas/aws/src").rglob("*.rs"))
    named = re.findall(r'"(s3|dynamodb|sts|sns|states):([A-Z]\w+)"', code)
    return {f"{service}:{name}" for service, name in named if name in model_of(service).operation_names}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The calls of runs that copy, mirror, render, plan, rerun, and meet a held lock, on a server of their own."""
    folder = tmp_path_factory.mktemp("recorded")
    server = Server(folder, free_port(), WAIT_SCALE, folder / "requests.jsonl")
    server.start()
    try:
        deployment = Deployment(server.endpoint_url, name="recorded")
        make_runs(Machine(deployment, deployment.deploy()))
    finally:
        server.stop()
    requests = [json.loads(line) for line in server.requests_path.read_text().splitlines()]
    signed = [request for request in requests if "authorization" in request["headers"]]
    # One of each kind is enough for a message.
    return [(request, read(request)) for request in signed]


def make_runs(machine):
    pair = TestPair(machine, "kept é+&/")
    pair.upload([Item(f"file {number} ä", generated_bytes=number) for number in range(20)])
    pair.upload([Item("large", generated_bytes=12 * MIB)])
    s3, bucket, prefix = pair.source
    tags = {"TagSet": [{"Key": "kind", "Value": "a b+c"}]}
    for key in ("large", "file 1 ä"):
        s3.put_object_tagging(Bucket=bucket, Key=prefix + key, Tagging=tags)
    assert pair.run(**LARGE, dry_run=True).status == "SUCCEEDED"
    assert pair.run(**LARGE).status == "SUCCEEDED"
    # Everything that an option adds to a request.
    named = {"storage_class": "STANDARD_IA", "sse": "AES256", "request_payer": True}
    assert pair.run(**LARGE, **named, mode="copy", tags="ignore", verify="checksum").status == "SUCCEEDED"
    # More tags than the header of an upload states.
    many = [{"Key": f"{number}{'+' * 127}", "Value": "@" * 256} for number in range(10)]
    s3.put_object_tagging(Bucket=bucket, Key=f"{prefix}large", Tagging={"TagSet": many})
    tagged = pair.run(**LARGE, mode="copy")
    assert tagged.status == "SUCCEEDED", tagged.cause
    # An image that is read in two requests.
    body = png(90, 60) + bytes(2 * MIB)
    s3.put_object(Bucket=bucket, Key="images/a b.png", Body=body, Tagging="kind=a%20b")
    thumbnails = {"kind": "thumbnail", "longest_edge_px": 32}
    rendered = TestPair(machine, "images/").run(transform=thumbnails, storage_class="STANDARD_IA")
    assert rendered.status == "SUCCEEDED", rendered.cause
    s3.delete_object(Bucket=bucket, Key=f"{prefix}file 2 ä")
    assert pair.run(mode="mirror", delete_max_percent=50).status == "SUCCEEDED"
    # The second one asks whether the first one, which holds the lock, is still running.
    places = {"source": {"prefix": prefix}, "target": {"prefix": prefix}}
    started = [machine.start(places, f"overlaps-{number}") for number in range(2)]
    ended = [machine.wait(arn) for arn in started]
    assert {execution.error for execution in ended} == {"", "RunOverlap"}


def test_every_request_is_one_that_the_service_model_allows(recorded):
    wrong = {(call.name, problem): request for request, call in recorded for problem in call.problems}
    assert [
        f"{name}: {problem}: {request['method']} {request['path']}" for (name, problem), request in wrong.items()
    ] == []


def test_the_runs_made_every_request_that_the_functions_know(recorded):
    """Otherwise nothing was recorded, and nothing is wrong with it."""
    assert operations_in_the_code() | ELSEWHERE == {call.name for _request, call in recorded} | UNSEEN


def test_the_session_of_a_copier_has_a_policy_that_aws_understands(recorded):
    policies = {call.parameters["Policy"] for _request, call in recorded if "Policy" in call.parameters}
    assert policies
    assert [findings("session", json.loads(policy)) for policy in policies] == [[] for _policy in policies]


def header(name, value):
    return lambda request: request["headers"].update({name: value})


def query(text):
    return lambda request: request.update(query=text)


def body(before, after):
    def change(request):
        text = base64.b64decode(request["body"]).decode()
        assert before in text
        request["body"] = base64.b64encode(text.replace(before, after).encode()).decode()

    return change


BROKEN = [
    ("s3:CopyObject", header("x-amz-storage-class", "COLD"), "'COLD' is none of"),
    ("s3:CopyObject", header("x-amz-copy-sauce", "a/b"), "knows nothing of ['x-amz-copy-sauce']"),
    ("s3:ListObjectsV2", query("list-type=2&max-keys=many"), "Invalid type for parameter MaxKeys"),
    ("s3:ListObjectsV2", query("list-type=2&limit=7"), "knows nothing of ['limit']"),
    ("s3:CompleteMultipartUpload", body("PartNumber", "Number"), "has no element Number"),
    ("dynamodb:GetItem", body('"Key"', '"Keys"'), "Missing required parameter"),
    ("dynamodb:PutItem", header("x-amz-target", "DynamoDB_20120810.PutThing"), "no operation is"),
    ("sts:AssumeRole", body("RoleSessionName", "SessionName"), "knows nothing of ['SessionName']"),
    ("sts:AssumeRole", body("DurationSeconds=", "DurationSeconds=9"), "is out of range"),
    ("sns:Publish", body("TopicArn=", "Topic="), "knows nothing of ['Topic']"),
]


@pytest.mark.parametrize(("name", "change", "word"), BROKEN, ids=[f"{name}: {word}" for name, _change, word in BROKEN])
def test_a_broken_request_would_be_found(recorded, name, change, word):
    (request, *_more) = [request for request, call in recorded if call.name == name]
    broken = json.loads(json.dumps(request))
    change(broken)
    assert word in "; ".join(read(broken).problems)
