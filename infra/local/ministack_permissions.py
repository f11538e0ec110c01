"""Permissions as AWS checks them, where MiniStack 1.5.33 is laxer or reports less.

Every request to a bucket passes `_apply_bucket_scope`, after MiniStack has checked the caller's own policies for the
main action. There these fixes check the other permissions that AWS checks, and report refusals as AWS does. Requests
to a table get the condition key of the partitions that they name.
"""

import contextvars
import functools
import json
import re

import ministack.core.iam_actions as iam_actions
import ministack.core.iam_evaluator as iam
import ministack.services.dynamodb as dynamodb
import ministack.services.kms as kms
import ministack.services.s3 as s3
import ministack.services.sts as sts
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack_versions import version_entry, version_named

S3_ARN = "arn:aws:s3:::"
SSE = "x-amz-server-side-encryption"
SSE_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
# How KMS refuses another account's key. It does not reveal whether the key exists.
FOREIGN_KEY = (
    "because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)

_refused_by_bucket = contextvars.ContextVar("refused_by_bucket", default=None)


def fix_permissions():
    """Checks the permissions that AWS checks, and gives AWS's reasons for refusals."""
    _record_refusals_of_buckets()
    _check_more_permissions()
    _add_the_reason_of_a_trust_policy()
    _name_leading_keys()


def _record_refusals_of_buckets():
    allows = s3._foreign_bucket_allows

    @functools.wraps(allows)
    def recording(owner, bucket, key, method, query_params, caller, headers=None):
        allowed = allows(owner, bucket, key, method, query_params, caller, headers)
        if not allowed:
            path = f"/{bucket}/{key}" if key else f"/{bucket}"
            action = iam_actions._s3_action(method, path, query_params)
            _refused_by_bucket.set((f"s3:{action}", _object_arn(bucket, key)))
        return allowed

    s3._foreign_bucket_allows = recording


def _check_more_permissions():
    apply_bucket_scope = s3._apply_bucket_scope

    @functools.wraps(apply_bucket_scope)
    def checking(method, bucket, key, headers, query_params, body=b"", internal=False):
        access_key = "" if internal else s3._request_access_key(method, key, headers, query_params, body)
        caller = (access_key, get_account_id())
        _refused_by_bucket.set(None)
        denied = apply_bucket_scope(method, bucket, key, headers, query_params, body, internal)
        if not access_key:
            return denied
        if denied is not None:
            return _with_reason(denied, caller, bucket, key)
        if not _are_owners_as_expected(bucket, headers):
            return s3._error("AccessDenied", "Access Denied", 403, f"/{bucket}/{key}")
        request = (method, bucket, key, headers, query_params)
        for action, arn in [*_object_permissions(*request), *_key_permissions(*request)]:
            message = _refusal(caller, action, arn)
            if message:
                return s3._error("AccessDenied", message, 403, f"/{bucket}/{key}")
        return None

    s3._apply_bucket_scope = checking


def _are_owners_as_expected(bucket, headers):
    """Whether the buckets of a request belong to the accounts that it names
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html)."""
    source = _copy_source(headers)
    expectations = [(bucket, headers.get("x-amz-expected-bucket-owner"))]
    if source:
        expectations.append((source[0], headers.get("x-amz-source-expected-bucket-owner")))
    return all(s3._bucket_owner_account(name) in (None, owner) for name, owner in expectations if owner)


def _with_reason(denied, caller, bucket, key):
    """Returns the refusal of a bucket policy in AWS's words within an organization."""
    refused = _refused_by_bucket.get()
    if refused is None:
        return denied
    action, arn = refused
    who = iam.resolve_principal(*caller).arn
    message = (
        f'User: {who} is not authorized to perform: {action} on resource: "{arn}" '
        f"because no resource-based policy allows the {action} action"
    )
    return s3._error("AccessDenied", message, 403, f"/{bucket}/{key}")


def _object_permissions(method, bucket, key, headers, query_params):
    """Yields the permissions besides the main action: to list, which reveals missing objects, for tags, and for access
    control lists."""
    source, version = _copy_source(headers), version_named(headers)
    is_there = version_entry(bucket, key, query_params["versionId"][0]) if "versionId" in query_params else None
    is_there = is_there or _object(bucket, key)
    if method in ("GET", "HEAD") and key and not is_there and not query_params.keys() & {"uploadId"}:
        yield "s3:ListBucket", _object_arn(bucket, "")
    if source and not (version_entry(*version) if version else _object(*source)):
        yield "s3:ListBucket", _object_arn(source[0], "")
    copies_tags = source and "partNumber" not in query_params and _tags(*(version or source))
    copies_tags = copies_tags and headers.get("x-amz-tagging-directive", "COPY").upper() == "COPY"
    if copies_tags:
        yield f"s3:GetObject{'Version' if version else ''}Tagging", _object_arn(*source)
    if copies_tags or (method in ("PUT", "POST") and headers.get("x-amz-tagging")):
        yield "s3:PutObjectTagging", _object_arn(bucket, key)
    if method in ("PUT", "POST") and key and headers.get("x-amz-acl") and "acl" not in query_params:
        yield "s3:PutObjectAcl", _object_arn(bucket, key)


def _key_permissions(method, bucket, key, headers, query_params):
    """Yields the permissions for the keys that S3 uses on the caller's behalf. It decrypts what it reads and the parts
    of an upload, and encrypts what it writes."""
    source = _copy_source(headers)
    read = _object(*source) if source else _object_read(method, bucket, key, headers, query_params)
    upload = s3._multipart_uploads.get(query_params["uploadId"][0]) if "uploadId" in query_params else None
    for stored in (read, upload if method in ("PUT", "POST") else None):
        if key_arn := _key_of(stored):
            yield "kms:Decrypt", key_arn
    begins_object = (method == "PUT" and key and not query_params) or (method == "POST" and "uploads" in query_params)
    if begins_object and (key_arn := _key_to_write_with(bucket, headers)):
        yield "kms:GenerateDataKey", key_arn


def _object_read(method, bucket, key, headers, query_params):
    """Returns the object whose key a request uses. HEAD decrypts only the checksum, and a read whose condition fails
    decrypts nothing."""
    reads = method == "GET" and not headers.get("if-match")
    reads = reads or (method == "HEAD" and headers.get("x-amz-checksum-mode", "").upper() == "ENABLED")
    return _object(bucket, key) if reads and not query_params else None


def _key_to_write_with(bucket, headers):
    chosen = headers if headers.get(SSE) else s3._bucket_default_sse_headers(bucket)
    return chosen.get(SSE_KEY) if chosen.get(SSE) == "aws:kms" else None


def _refusal(caller, action, arn):
    """Returns why an action is refused, in AWS's words, or None if it is allowed. Roots are always allowed."""
    principal = iam.resolve_principal(*caller)
    if isinstance(principal, iam.AuthError) or principal.policies is None:
        return None
    is_key = action.startswith("kms:")
    context = iam.EvalContext(
        principal_arn=principal.arn,
        principal_type=principal.type,
        principal_account=principal.account,
        action=action,
        resource_arn=arn,
        region=get_region(),
        service_context={"kms:viaservice": f"s3.{get_region()}.amazonaws.com"} if is_key else {},
        principal_keys=principal.keys,
    )
    own = iam.evaluate(context, principal.policies, *principal.limits)
    owner = arn.split(":")[4] if is_key else s3._bucket_owner_account(arn.removeprefix(S3_ARN).partition("/")[0])
    with request_scope(owner, get_region()):
        policy, _ = (kms.key_policy_for_arn if is_key else s3.bucket_policy_for_arn)(arn) or ("", owner)
    result = iam.combine_resource_policy(own, context, policy, owner, required=is_key, limits=principal.limits)
    if result.decision == "Allow":
        return None
    by = "resource-based" if own.decision == "Allow" else "identity-based"
    if result.decision == "Deny":
        article = "a" if by == "resource-based" else "an"
        reason = f"with an explicit deny in {article} {by} policy"
    elif is_key and by == "resource-based" and owner != principal.account:
        reason = FOREIGN_KEY
    else:
        reason = f"because no {by} policy allows the {action} action"
    resource = arn if is_key else f'"{arn}"'
    return f"User: {principal.arn} is not authorized to perform: {action} on resource: {resource} {reason}"


def _add_the_reason_of_a_trust_policy():
    error = sts._error

    @functools.wraps(error)
    def with_reason(status, code, message, *args, **kwargs):
        if code == "AccessDenied" and " is not authorized to perform: sts:AssumeRole on resource: " in message:
            message += " because no role trust policy allows the sts:AssumeRole action"
        return error(status, code, message, *args, **kwargs)

    sts._error = with_reason


def _name_leading_keys():
    """Gives policies the partition keys of a request, as dynamodb:LeadingKeys
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html)."""
    service_context = iam_actions.dynamodb_service_context

    @functools.wraps(service_context)
    def with_leading_keys(body):
        context = service_context(body)
        if keys := _leading_keys(body):
            context["dynamodb:LeadingKeys"] = keys
        return context

    iam_actions.dynamodb_service_context = with_leading_keys


def _leading_keys(body):
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return []
    items = [operation for item in request.get("TransactItems", []) for operation in item.values()]
    return [key for operation in items or [request] for key in _partitions(operation)]


def _partitions(operation):
    """Yields the partition that an operation on a table names: in its item, its key, or its key's condition."""
    table = dynamodb._tables.get(operation.get("TableName"))
    if table is None:
        return
    key = table["pk_name"]
    item = operation.get("Item") or operation.get("Key") or {}
    if key in item:
        yield from item[key].values()
    aliases = [alias for alias, name in operation.get("ExpressionAttributeNames", {}).items() if name == key]
    for name in (key, *aliases):
        condition = operation.get("KeyConditionExpression", "")
        for value in re.findall(rf"(?<![#\w]){re.escape(name)}\s*=\s*(:\w+)", condition):
            yield from operation["ExpressionAttributeValues"][value].values()


def _object_arn(bucket, key):
    return f"{S3_ARN}{bucket}/{key}" if key else f"{S3_ARN}{bucket}"


def _copy_source(headers):
    found = iam_actions._s3_source_object(headers)
    if found is None:
        return None
    bucket, _, key = found[0].removeprefix(S3_ARN).partition("/")
    return bucket, key


def _object(bucket, key):
    owner = s3._bucket_owner_account(bucket)
    stored = s3._buckets.get_scoped(owner, None, bucket) or {"objects": {}}
    return stored["objects"].get(key)


def _tags(bucket, *key_and_version):
    key_and_version = tuple(None if part == "null" else part for part in key_and_version)
    return s3._object_tags.get_scoped(s3._bucket_owner_account(bucket), None, (bucket, *key_and_version))


def _key_of(stored):
    """Returns the KMS key of an object or an upload, if any."""
    return s3._stored_sse_headers(stored or {}).get(SSE_KEY)
