"""The actions that are granted are those that the code's calls need: none is missing, none is left over."""

import re

import pytest

from tests.static.project import ROOT

from .test_documents import FUNCTIONS, MIRROR_OPTION, VERSIONS_OPTION, source_rendering, target_rendering

# What each call of the SDK is authorised as: at the bucket that is written or asked, and, for a copy, at its source
# (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html, and of the other services
# the Service Authorization Reference).
TARGET_ACTIONS = {
    # Tags, annotations and an access control list each need a permission of their own.
    "copy_object": {"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAnnotation", "s3:PutObjectAcl"},
    "upload_part_copy": {"s3:PutObject"},
    "create_multipart_upload": {"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl"},
    "put_object": {"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl"},
    "put_object_tagging": {"s3:PutObjectTagging"},
    "complete_multipart_upload": {"s3:PutObject"},
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    "list_parts": {"s3:ListMultipartUploadParts"},
    "list_multipart_uploads": {"s3:ListBucketMultipartUploads"},
    "list_objects_v2": {"s3:ListBucket"},
    "head_bucket": {"s3:ListBucket"},
    "head_object": {"s3:GetObject"},
    # On the condition of an ETag, which the caller could otherwise find out.
    "delete_object": {"s3:DeleteObject", "s3:GetObject"},
    "delete_objects": {"s3:DeleteObject", "s3:GetObject"},
    "get_object_tagging": set(),
    "list_object_annotations": set(),
    "get_object": set(),
    "list_object_versions": set(),
    "get_bucket_versioning": set(),
}
# A version that is named by its id needs an action of its own.
SOURCE_ACTIONS = {
    "copy_object": {
        "s3:GetObject",
        "s3:GetObjectTagging",
        "s3:GetObjectAnnotation",
        "s3:GetObjectVersion",
        "s3:GetObjectVersionTagging",
        "s3:GetObjectVersionAnnotation",
    },
    "upload_part_copy": {"s3:GetObject", "s3:GetObjectVersion"},
    # S3 calls a missing object forbidden unless the caller may list.
    "head_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "get_object": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "get_object_tagging": {"s3:GetObjectTagging", "s3:GetObjectVersionTagging"},
    "list_object_annotations": {"s3:ListObjectAnnotations", "s3:ListObjectVersionAnnotations"},
}
CONTROL_ACTIONS = {
    "put_object": {"s3:PutObject"},
    "get_object": {"s3:GetObject", "s3:ListBucket"},
    "create_multipart_upload": {"s3:PutObject"},
    "upload_part": {"s3:PutObject"},
    "complete_multipart_upload": {"s3:PutObject"},
    "abort_multipart_upload": {"s3:AbortMultipartUpload"},
    # Of the lists of events that wait.
    "list_objects_v2": {"s3:ListBucket"},
    "delete_object": {"s3:DeleteObject"},
}
# The ports' methods, as the functions call them, and what their adapters need.
LEDGER_ACTIONS = {
    "read_run": "dynamodb:GetItem",
    "read_shard": "dynamodb:GetItem",
    "read_lock": "dynamodb:GetItem",
    "read_locks": "dynamodb:Query",
    "read_renditions": "dynamodb:Query",
    "read_ranges": "dynamodb:Query",
    "read_shards": "dynamodb:Query",
    "create_run": "dynamodb:PutItem",
    "create_lock": "dynamodb:PutItem",
    "create_renditions": "dynamodb:PutItem",
    "replace_renditions": "dynamodb:PutItem",
    "replace_run": "dynamodb:PutItem",
    "replace_shard": "dynamodb:PutItem",
    "replace_lock": "dynamodb:PutItem",
    # A transaction is authorised as the writes in it.
    "commit_plan": "dynamodb:PutItem",
    "delete_lock": "dynamodb:DeleteItem",
}
LEDGER_CALLS = {"get_item", "put_item", "delete_item", "query", "transact_write_items"}
# The control bucket, as the port and as the documents of a run over it.
CONTROL_PORT = {
    r"(control\s*\.put|documents\s*\.write\w*)\(": {"s3:PutObject"},
    r"(control\s*\.get|documents\s*\.(manifest|failures|bytes|json\w*))\(": {"s3:GetObject", "s3:ListBucket"},
    r"(control|documents)\s*\.open\(": {"s3:PutObject", "s3:AbortMultipartUpload"},
    r"control\s*\.waiting\(": {"s3:ListBucket"},
    r"control\s*\.remove_waiting\(": {"s3:DeleteObject"},
}
OTHER_PORTS = {
    r"\.open_source\(": {"s3:ListBucket"},
    r"\.list_versions\(": {"s3:ListBucketVersions"},
    r"\.versioning\(": {"s3:GetBucketVersioning"},
    r"\.(re)?open_target\(": {"sts:AssumeRole"},
    r"executions\s*\.state\(": {"states:DescribeExecution"},
    r"notifier\s*\.publish\(": {"sns:Publish"},
    r"starts\s*\.start\(": {"states:StartExecution"},
    r"starts\s*\.has_succeeded\(": {"states:DescribeExecution"},
}
# What Lambda does with the role of a function that takes the messages of a queue.
QUEUE = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
LOGGING = {"logs:CreateLogStream", "logs:PutLogEvents"}
KNOWN = set(TARGET_ACTIONS) | set(SOURCE_ACTIONS) | set(CONTROL_ACTIONS) | LEDGER_CALLS
KNOWN |= {"publish", "start_execution", "describe_execution", "get_caller_identity"}


def code_of(folder):
    """Rust sources without their tests."""
    texts = [path.read_text() for path in sorted((ROOT / folder).rglob("*.rs"))]
    return "\n".join(text.split("#[cfg(test)]")[0] for text in texts)


def calls_of(folder):
    """The SDK's operations that are called: a fluent builder is made by a method without arguments and sent."""
    return set(re.findall(rf"\.\s*({'|'.join(sorted(KNOWN, key=len, reverse=True))})\(\)", code_of(folder)))


def granted(statements):
    found = set()
    for statement in statements:
        if statement["Effect"] == "Allow":
            actions = statement["Action"]
            found |= {actions} if isinstance(actions, str) else set(actions)
    return found


def union(actions, calls):
    return set().union(*(actions.get(call, set()) for call in calls))


@pytest.fixture(scope="module")
def target_role():
    (policy,) = target_rendering([MIRROR_OPTION, VERSIONS_OPTION, ("--acls",)]).resource("TargetRole")["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def test_every_call_of_the_adapters_is_known():
    """A builder that is sent and that no table knows would be a permission that nobody thought of."""
    code = code_of("lambdas/aws/src")
    sent = set(re.findall(r"(?:client\w*(?:\s*\([^)]*\))?|\.reads|\.writes)\s*\.(\w+)\(\)\s*\.", code))
    assert {"copy_object", "upload_part_copy", "delete_objects", "get_object_tagging"} <= sent
    not_calls = {"clone", "config", "region", "lock", "iter"}
    assert sent - not_calls <= KNOWN


def test_the_target_role_may_do_at_the_target_what_the_calls_need_and_no_more(target_role):
    calls = calls_of("lambdas/aws/src/s3")
    assert {"copy_object", "upload_part_copy", "list_objects_v2"} <= calls
    statements = [target_role[sid] for sid in target_role if sid.endswith("TheTarget")]
    assert granted(statements) == union(TARGET_ACTIONS, calls)


def test_the_target_role_may_do_at_the_source_what_the_calls_need_and_no_more(target_role):
    statements = [target_role[sid] for sid in target_role if sid.endswith("TheSource")]
    assert granted(statements) == union(SOURCE_ACTIONS, calls_of("lambdas/aws/src/s3"))


def test_the_adapters_of_ledger_and_control_bucket_call_what_the_tables_say():
    assert calls_of("lambdas/aws/src/control_store") | {"put_object", "get_object"} == set(CONTROL_ACTIONS)
    assert calls_of("lambdas/aws/src/ledger") == LEDGER_CALLS


@pytest.mark.parametrize("name", [*FUNCTIONS, "intake"])
def test_each_function_may_do_what_its_code_calls_and_no_more(name):
    code = code_of(f"lambdas/{name}/src")
    if name in {"planner", "intake"}:
        # These take locks; the others only ask for one.
        code += code_of("lambdas/lock/src")
    if name in {"copier", "renderer"}:
        code += code_of("lambdas/worker/src")
    needed = set(LOGGING) | (QUEUE if name == "intake" else set())
    needed |= {action for method, action in LEDGER_ACTIONS.items() if re.search(rf"\.{method}\(", code)}
    for pattern, actions in {**CONTROL_PORT, **OTHER_PORTS}.items():
        if re.search(pattern, code):
            needed |= actions
    rendering = source_rendering(options=[VERSIONS_OPTION])
    (policy,) = rendering.resource(f"{name.title()}Role")["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    if name == "reporter":
        statements = statements + rendering.resource("ReporterOfEventsPolicy")["PolicyDocument"]["Statement"]
    assert granted(statements) == needed
