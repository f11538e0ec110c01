"""The launcher's fixes, each compared with AWS's behavior, and the helpers around the server."""

import contextlib
import json
import socket
import subprocess
import time

import boto3
import pytest
from botocore.exceptions import ClientError
from shardlift_local import demo as demonstration
from shardlift_local.accounts import REGION, source_account, target_account
from shardlift_local.deployment import ROOT, merged_policy
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
    assert raised.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


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


def test_a_request_may_name_the_owner_of_its_bucket(pair):
    grant(pair)
    s3, source, target = enter(pair, ROLE), pair["source_account"].account_id, pair["target_account"].account_id
    assert s3.list_objects_v2(Bucket=pair["source"], ExpectedBucketOwner=source)["KeyCount"] == 1
    denied(s3.list_objects_v2, Bucket=pair["source"], ExpectedBucketOwner=target)
    copy = {"Bucket": pair["target"], "Key": "copy", "CopySource": copy_source(pair), "ExpectedBucketOwner": target}
    s3.copy_object(**copy, ExpectedSourceBucketOwner=source)
    denied(s3.copy_object, **copy, ExpectedSourceBucketOwner=target)


def test_a_policy_may_name_the_partitions_of_a_table(pair):
    account, arn = pair["source_account"], "arn:aws:dynamodb:*:*:table/fixes-table"
    key = {"AttributeName": "pk", "KeyType": "HASH"}
    attributes = [{"AttributeName": "pk", "AttributeType": "S"}]
    dynamodb, iam = account.client("dynamodb"), account.client("iam")
    dynamodb.create_table(
        TableName="fixes-table", KeySchema=[key], AttributeDefinitions=attributes, BillingMode="PAY_PER_REQUEST"
    )
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["OWN#*"]}}
    condition["Null"] = {"dynamodb:LeadingKeys": "false"}
    allowed = {"Effect": "Allow", "Action": "dynamodb:*", "Resource": arn, "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.create_user(UserName="fixes-user")
    iam.put_user_policy(UserName="fixes-user", PolicyName="own", PolicyDocument=policy)
    made = iam.create_access_key(UserName="fixes-user")["AccessKey"]
    session = boto3.Session(made["AccessKeyId"], made["SecretAccessKey"], region_name=REGION)
    user, table = session.client("dynamodb", endpoint_url=account.endpoint_url), {"TableName": "fixes-table"}
    own, other = ({"pk": {"S": name}} for name in ("OWN#1", "OTHER#1"))
    user.put_item(**table, Item=own)
    denied(user.put_item, **table, Item=other)
    user.get_item(**table, Key=own)
    denied(user.delete_item, **table, Key=other)
    named = {"KeyConditionExpression": "#p = :p", "ExpressionAttributeNames": {"#p": "pk"}}
    user.query(**table, **named, ExpressionAttributeValues={":p": own["pk"]})
    denied(user.query, **table, **named, ExpressionAttributeValues={":p": other["pk"]})
    puts = [{"Put": {**table, "Item": item}} for item in (own, other)]
    user.transact_write_items(TransactItems=puts[:1])
    denied(user.transact_write_items, TransactItems=puts)
    # A request without any partition is not allowed by a condition on all of none.
    denied(user.scan, **table)


def test_the_map_runs_as_many_children_as_its_path_says(stubbed):
    reply = {"schema_version": 1, "status": "COPY", "round": 1, "index": "INDEX", "max_concurrency": 1, "kind": "COPY"}
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


@pytest.fixture(scope="module")
def bucket(pair):
    """The target's bucket, for its owner."""
    return pair["target_account"].client("s3"), pair["target"]


@pytest.mark.parametrize("key", ["slashes/", "slashes//", "slashes///", "slashes/a//b/", "slashes/a///"])
def test_a_key_keeps_its_slashes_when_permissions_are_judged(pair, key):
    target = pair["target_account"]
    resource = f"arn:aws:s3:::{pair['target']}"
    allowed = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{resource}/slashes/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": resource},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": allowed})
    iam = target.client("iam")
    trust = iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"]
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName="fixes-slashes", AssumeRolePolicyDocument=json.dumps(trust))
    iam.put_role_policy(RoleName="fixes-slashes", PolicyName="slashes", PolicyDocument=policy)
    s3 = enter(pair, "fixes-slashes")
    s3.put_object(Bucket=pair["target"], Key=key, Body=b"x")
    s3.copy_object(Bucket=pair["target"], Key=f"{key}copy/", CopySource={"Bucket": pair["target"], "Key": key})
    assert s3.get_object(Bucket=pair["target"], Key=f"{key}copy/")["Body"].read() == b"x"
    denied(s3.put_object, Bucket=pair["target"], Key="slashes", Body=b"x")
    denied(s3.put_object, Bucket=pair["target"], Key="/", Body=b"x")


@pytest.mark.parametrize("versioning", ["Suspended", "Enabled"])
def test_an_upload_in_parts_has_its_tags_and_the_date_of_its_beginning(bucket, versioning):
    s3, name = bucket
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
    upload = {"Bucket": name, "Key": f"tagged-{versioning}"}
    part = {**upload, "UploadId": s3.create_multipart_upload(**upload, Tagging="kind=a%20b&empty=")["UploadId"]}
    (began,) = [u["Initiated"] for u in s3.list_multipart_uploads(Bucket=name)["Uploads"] if u["Key"] == upload["Key"]]
    etag = s3.upload_part(**part, PartNumber=1, Body=b"x")["ETag"]
    time.sleep(1.1)
    s3.complete_multipart_upload(**part, MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]})
    tags = s3.get_object_tagging(**upload)["TagSet"]
    assert sorted((tag["Key"], tag["Value"]) for tag in tags) == [("empty", ""), ("kind", "a b")]
    (listed,) = s3.list_objects_v2(Bucket=name, Prefix=upload["Key"])["Contents"]
    assert listed["LastModified"] == began
    assert s3.head_object(**upload)["LastModified"] == began.replace(microsecond=0)


def test_an_archived_object_is_not_copied_before_it_is_restored(bucket):
    s3, name = bucket
    s3.put_object(Bucket=name, Key="cold", Body=b"x", StorageClass="GLACIER")
    upload = {"Bucket": name, "Key": "of-cold"}
    part = {**upload, "UploadId": s3.create_multipart_upload(**upload)["UploadId"], "PartNumber": 1}
    for copy, to in ((s3.copy_object, upload), (s3.upload_part_copy, part)):
        with pytest.raises(ClientError) as refused:
            copy(**to, CopySource={"Bucket": name, "Key": "cold"})
        assert refused.value.response["Error"]["Code"] == "InvalidObjectState"


def test_a_copy_has_the_default_class_unless_it_names_one(bucket):
    s3, name = bucket
    s3.put_object(Bucket=name, Key="rare", Body=b"x", StorageClass="STANDARD_IA")
    source = {"Bucket": name, "Key": "rare"}
    s3.copy_object(Bucket=name, Key="default", CopySource=source)
    assert "StorageClass" not in s3.head_object(Bucket=name, Key="default")
    s3.copy_object(Bucket=name, Key="named", CopySource=source, StorageClass="STANDARD_IA")
    assert s3.head_object(Bucket=name, Key="named")["StorageClass"] == "STANDARD_IA"


@pytest.mark.parametrize("versioning", ["Suspended", "Enabled"])
def test_a_deletion_of_many_obeys_their_etags(bucket, versioning):
    """MiniStack does so itself, since 1.5.33."""
    s3, name = bucket
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": versioning})
    etags = {key: s3.put_object(Bucket=name, Key=key, Body=key.encode())["ETag"] for key in ("kept", "gone")}
    objects = [{"Key": "kept", "ETag": etags["gone"]}, {"Key": "gone", "ETag": etags["gone"]}]
    response = s3.delete_objects(Bucket=name, Delete={"Objects": objects})
    assert [error["Code"] for error in response["Errors"]] == ["PreconditionFailed"]
    assert [deleted["Key"] for deleted in response["Deleted"]] == ["gone"]
    assert s3.head_object(Bucket=name, Key="kept")["ETag"] == etags["kept"]


@pytest.mark.parametrize("folder", ["missing", "empty", "a file"])
def test_a_demo_of_nothing_is_refused_before_a_stack_is_replaced(folder, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a file").write_text("x")

    def replaced(*_arguments, **_options):
        raise AssertionError("the stack was replaced")

    monkeypatch.setattr(demonstration, "up", replaced)
    with pytest.raises(StackError, match=r"FROM=.* (is no folder|holds no files)\. Nothing was changed"):
        demonstration.demo(0, tmp_path / folder)


def test_make_refuses_a_demo_of_a_missing_folder_before_it_builds(tmp_path):
    line = ["make", "demo", f"FROM={tmp_path / 'missing'}"]
    refused = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=10)
    assert refused.returncode != 0
    assert "is no folder. Nothing was changed" in refused.stderr
    assert refused.stdout == ""
