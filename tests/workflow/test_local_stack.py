"""The launcher's fixes, each compared with AWS's behavior, and the helpers around the server."""

import json
import socket

import boto3
import pytest
from botocore.exceptions import ClientError
from shardlift_local.accounts import REGION, source_account, target_account
from shardlift_local.deployment import merged_policy
from shardlift_local.server import Server, StackError

ROLE = "fixes-role"
PEER_ROLE = "fixes-peer"


def s3_of(credentials, endpoint_url):
    return boto3.client(
        "s3",
        region_name=REGION,
        endpoint_url=endpoint_url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def denied(call, **arguments):
    with pytest.raises(ClientError) as raised:
        call(**arguments)
    assert raised.value.response["Error"]["Code"] == "AccessDenied"


@pytest.fixture(scope="module")
def pair(server):
    """A bucket in each account and two roles in the target's; only one is named by the source's policy."""
    source, target = source_account(server.endpoint_url), target_account(server.endpoint_url)
    names = {"source": "fixes-source", "target": "fixes-target"}
    source.client("s3").create_bucket(Bucket=names["source"])
    target.client("s3").create_bucket(Bucket=names["target"])
    iam = target.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{target.account_id}:root"}}
    trust["Action"] = "sts:AssumeRole"
    for role in (ROLE, PEER_ROLE):
        document = {"Version": "2012-10-17", "Statement": [trust]}
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(document))
        allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        iam.put_role_policy(
            RoleName=role, PolicyName="all", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        )
    source.client("s3").put_object(Bucket=names["source"], Key="a//b", Body=b"x" * 100)
    return {"source_account": source, "target_account": target, **names}


def grant(pair, condition=None):
    """The source's bucket policy: the one role may do everything."""
    bucket = f"arn:aws:s3:::{pair['source']}"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{pair['target_account'].account_id}:role/{ROLE}"},
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
        **({"Condition": condition} if condition else {}),
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    pair["source_account"].client("s3").put_bucket_policy(Bucket=pair["source"], Policy=json.dumps(policy))


def enter(pair, role):
    target = pair["target_account"]
    arn = f"arn:aws:iam::{target.account_id}:role/{role}"
    session = target.client("sts").assume_role(RoleArn=arn, RoleSessionName="fixes")
    return s3_of(session["Credentials"], target.endpoint_url)


def copy_source(pair):
    return {"Bucket": pair["source"], "Key": "a//b"}


def test_a_copy_crosses_accounts_for_the_role_that_the_policy_names(pair):
    grant(pair)
    s3 = enter(pair, ROLE)
    s3.copy_object(Bucket=pair["target"], Key="copy", CopySource=copy_source(pair))
    assert s3.get_object(Bucket=pair["target"], Key="copy")["Body"].read() == b"x" * 100


def test_a_multipart_copy_crosses_accounts(pair):
    grant(pair)
    s3 = enter(pair, ROLE)
    upload = s3.create_multipart_upload(Bucket=pair["target"], Key="parts")["UploadId"]
    part = {"Bucket": pair["target"], "Key": "parts", "UploadId": upload, "PartNumber": 1}
    etag = s3.upload_part_copy(**part, CopySource=copy_source(pair))["CopyPartResult"]["ETag"]
    parts = {"Parts": [{"ETag": etag, "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket=pair["target"], Key="parts", UploadId=upload, MultipartUpload=parts)
    assert s3.head_object(Bucket=pair["target"], Key="parts")["ContentLength"] == 100


def test_another_role_of_the_same_account_is_denied(pair):
    grant(pair)
    s3 = enter(pair, PEER_ROLE)
    denied(s3.copy_object, Bucket=pair["target"], Key="stolen", CopySource=copy_source(pair))
    denied(s3.list_objects_v2, Bucket=pair["source"])


def test_a_wildcard_of_a_policy_matches_a_line_break(pair):
    grant(pair)
    s3 = enter(pair, ROLE)
    s3.put_object(Bucket=pair["target"], Key="two\nlines", Body=b"")
    assert s3.head_object(Bucket=pair["target"], Key="two\nlines")["ContentLength"] == 0


def test_plain_http_on_the_loopback_counts_as_tls(pair):
    grant(pair, {"Bool": {"aws:SecureTransport": "true"}})
    assert enter(pair, ROLE).list_objects_v2(Bucket=pair["source"])["KeyCount"] == 1


def test_a_bucket_belongs_to_its_owner_not_to_the_caller(pair):
    grant(pair, {"StringEquals": {"aws:ResourceAccount": pair["source_account"].account_id}})
    assert enter(pair, ROLE).list_objects_v2(Bucket=pair["source"])["KeyCount"] == 1
    grant(pair, {"StringEquals": {"aws:ResourceAccount": pair["target_account"].account_id}})
    denied(enter(pair, ROLE).list_objects_v2, Bucket=pair["source"])


def test_the_map_runs_as_many_children_as_its_path_says(stubbed):
    reply = {"schema_version": 1, "status": "COPY", "round": 1, "index": "INDEX", "max_concurrency": 1}
    report = {**reply, "status": "COMPLETE", "index": None, "code": "", "summary": "done"}
    execution, _calls = stubbed.run([reply], [report], [[{"status": "DONE"}]] * 3)
    arn = stubbed.machine.execution_arn(execution.run_id)
    (run,) = stubbed.machine.states.list_map_runs(executionArn=arn)["mapRuns"]
    seen = stubbed.machine.states.describe_map_run(mapRunArn=run["mapRunArn"])
    assert seen["maxConcurrency"] == 1
    assert seen["toleratedFailurePercentage"] == 100


def test_a_port_in_use_is_reported_with_the_fix(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is in use.*make local-up PORT="):
            Server(tmp_path, port).start()


def test_stopping_a_stopped_server_is_not_an_error(tmp_path):
    assert Server(tmp_path, 1).stop() is False


def test_our_statements_join_an_existing_policy_and_replace_only_themselves():
    theirs = {"Sid": "Theirs", "Effect": "Deny"}
    existing = {"Version": "2012-10-17", "Id": "kept", "Statement": [theirs, {"Sid": "Ours", "Effect": "Deny"}]}
    ours = {"Version": "2012-10-17", "Statement": [{"Sid": "Ours", "Effect": "Allow"}]}
    merged = merged_policy(existing, ours)
    assert merged == {**existing, "Statement": [theirs, {"Sid": "Ours", "Effect": "Allow"}]}
    assert merged_policy(merged, ours) == merged
