"""Starts MiniStack 1.5.33 with some of its gaps fixed.

MiniStack runs the local stack: S3, DynamoDB, Step Functions, Lambda, STS, IAM and SNS in one
process. Where a difference from AWS would affect Shardlift, this launcher replaces a function of
MiniStack before it starts. It changes nothing on disk. `tests/workflow/test_local_stack.py` tests
each fix.

1. A copy across accounts looked for the source bucket in the caller's account and returned
   NoSuchBucket. Bucket names are global: during a copy, lookups go to the bucket's owner.
2. A bucket policy that names a role never matched, because the policy of another account's bucket
   was evaluated for the root of the caller's account. It is now evaluated for the caller.
3. A Distributed Map ignored `MaxConcurrencyPath` and always ran 64 children.
4. `aws:SecureTransport` was false for every call, because the loopback has no TLS. Policies that
   refuse plain HTTP refused everything. The loopback now counts as TLS.
5. `aws:ResourceAccount` was the caller's account for every S3 resource. It is now the bucket's owner.
6. A `*` in a policy matched no line break, so a key with a line break was denied to everyone.
7. `aws:PrincipalIsAWSService` was absent, so a policy that refuses everyone except services refused
   no one. `aws:PrincipalArn` was the session's own ARN instead of its role's.
8. S3 revealed to everyone which objects are missing, copied tags without a permission, used KMS keys
   for everyone, and gave no reason when another account's policy refused: see
   `ministack_permissions.py`.
9. Keys lost their trailing slashes before permissions were judged, uploads in parts lost their tags
   and had another date, and copies took archived objects and inherited classes: see
   `ministack_objects.py`.
10. A function without a free slot failed a state with `Lambda.Unknown`, AWS names it
   `Lambda.TooManyRequestsException`.
11. `dynamodb:LeadingKeys` was absent, so a policy that names partitions of a table refused everything:
    see `ministack_permissions.py`.
12. `x-amz-expected-bucket-owner` was ignored: see `ministack_permissions.py`.
13. Every web page could use it, and the root of an account with any secret: see `ministack_guard.py`.
14. A mapping of a queue took ten messages at once, whatever its window and the role's permissions: see
    `ministack_mappings.py`.
15. Alarms heard of no queue and of no line of a log, and were judged by the metrics of others: see
    `ministack_alarms.py`.
"""

import contextlib
import contextvars
import functools
import os
import re
from dataclasses import replace
from pathlib import Path

import ministack.core.iam_evaluator as iam
import ministack.services.s3 as s3
import ministack.services.stepfunctions as states
from ministack.core.responses import AccountScopedDict, get_account_id
from ministack_alarms import fix_alarms
from ministack_guard import fix_signatures_of_roots, guarded
from ministack_mappings import fix_mappings_of_queues
from ministack_objects import fix_objects
from ministack_permissions import fix_permissions
from ministack_recorder import recording
from ministack_versions import fix_versions

MINISTACK_VERSION = "1.5.33"
S3_ARN = "arn:aws:s3:::"
SESSION_ARN = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+")

# The state of another account's bucket that a copy reads.
BUCKET_STATE = (
    "_buckets",
    "_bucket_policies",
    "_bucket_tags",
    "_bucket_versioning",
    "_bucket_encryption",
    "_bucket_object_lock",
    "_object_tags",
    "_object_acl",
    "_object_annotations",
    "_object_versions",
    "_object_retention",
    "_object_legal_hold",
)

_copy_is_running = contextvars.ContextVar("copy_is_running", default=False)
_s3_caller = contextvars.ContextVar("s3_caller", default=None)


@contextlib.contextmanager
def _bound(variable, value):
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


class OwnerScopedDict(AccountScopedDict):
    """State of buckets. During a copy it is looked up under the bucket's owner."""

    __slots__ = ()

    def _scoped(self, key):
        if not _copy_is_running.get():
            return super()._scoped(key)
        bucket = key[0] if isinstance(key, tuple) else key
        return (s3._bucket_owner_account(bucket) or get_account_id(), key)


def fix_copies_across_accounts():
    """Fix 1: CopyObject and UploadPartCopy find the source bucket in its owner's account."""

    def while_copying(copy):
        @functools.wraps(copy)
        def wrapped(*args, **kwargs):
            with _bound(_copy_is_running, True):
                return copy(*args, **kwargs)

        return wrapped

    s3._copy_object = while_copying(s3._copy_object)
    s3._upload_part_copy = while_copying(s3._upload_part_copy)
    for name in BUCKET_STATE:
        getattr(s3, name).__class__ = OwnerScopedDict


def fix_bucket_policies_that_name_roles():
    """Fix 2: the policy of another account's bucket is evaluated for the calling role or user."""
    apply_bucket_scope = s3._apply_bucket_scope
    evaluate_resource_policy = iam.evaluate_resource_policy

    @functools.wraps(apply_bucket_scope)
    def remembering_the_caller(method, bucket, key, headers, query_params, body=b"", internal=False):
        access_key = s3._request_access_key(method, key, headers, query_params, body)
        with _bound(_s3_caller, (access_key, get_account_id()) if access_key else None):
            return apply_bucket_scope(method, bucket, key, headers, query_params, body, internal)

    @functools.wraps(evaluate_resource_policy)
    def for_the_caller(document, context, *args, **kwargs):
        caller = _s3_caller.get()
        if caller and context.principal_type == "Root":
            credential = iam.resolve_credential(*caller)
            if isinstance(credential, iam.ResolvedCredential) and credential.principal_type != "Root":
                context = replace(
                    context,
                    principal_arn=credential.principal_arn,
                    principal_type=credential.principal_type,
                    principal_account=credential.account_id,
                    principal_keys=iam._principal_keys(credential),
                )
        return evaluate_resource_policy(document, context, *args, **kwargs)

    s3._apply_bucket_scope = remembering_the_caller
    iam.evaluate_resource_policy = for_the_caller


def fix_max_concurrency_path():
    """Fix 3: a Distributed Map obeys `MaxConcurrencyPath`."""
    run_distributed_map = states._run_distributed_map

    @functools.wraps(run_distributed_map)
    def with_its_concurrency(state, raw_input, effective, iterator, execution, context):
        path = state.get("MaxConcurrencyPath")
        if path:
            state = {**state, "MaxConcurrency": states._resolve_path_or_ctx(path, effective, context)}
        return run_distributed_map(state, raw_input, effective, iterator, execution, context)

    states._run_distributed_map = with_its_concurrency


def fix_condition_keys():
    """Fixes 4, 5 and 7: TLS on the loopback, the account of a bucket, and the role of a session, in conditions."""
    resolve_condition_key = iam._resolve_condition_key

    @functools.wraps(resolve_condition_key)
    def resolve(key, context):
        name = key.lower()
        if name == "aws:securetransport":
            return "true"
        if name == "aws:principalisawsservice":
            # AWS always sets it. No service calls MiniStack under its own name.
            return "false"
        if name == "aws:principalarn":
            session = SESSION_ARN.fullmatch(context.principal_arn)
            return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else context.principal_arn
        if name in ("aws:resourceaccount", "s3:resourceaccount") and context.resource_arn.startswith(S3_ARN):
            bucket = context.resource_arn.removeprefix(S3_ARN).partition("/")[0]
            return s3._bucket_owner_account(bucket) or resolve_condition_key(key, context)
        return resolve_condition_key(key, context)

    iam._resolve_condition_key = resolve


def fix_wildcards_over_line_breaks():
    """Fix 6: a wildcard of a policy matches every character of a key."""
    compile_pattern = iam._fnmatch_compile

    @functools.lru_cache(maxsize=4096)
    def compile_for_any_character(pattern, ignore_case):
        compiled = compile_pattern(pattern, ignore_case)
        return re.compile(compiled.pattern, compiled.flags | re.DOTALL)

    iam._fnmatch_compile = compile_for_any_character


def fix_the_name_of_a_missing_slot():
    """Fix 10: what Lambda refuses is `Lambda.<Exception>` (recorded: error_handling/test_task_service_lambda)."""
    call_lambda = states._call_lambda

    @functools.wraps(call_lambda)
    def with_its_name(function, event):
        try:
            return call_lambda(function, event)
        except states._ExecutionError as error:
            if error.error == "Lambda.Unknown" and '"__type": "TooManyRequestsException"' in error.cause:
                raise states._ExecutionError("Lambda.TooManyRequestsException", error.cause) from error
            raise

    states._call_lambda = with_its_name


def main():
    """Applies the fixes and serves until it is stopped."""
    from importlib.metadata import version

    if version("ministack") != MINISTACK_VERSION:
        raise SystemExit(f"the fixes need ministack {MINISTACK_VERSION}, found {version('ministack')}")
    # Before the copies across accounts: while they run, the source's bucket is found under its owner.
    fix_objects()
    fix_versions()
    fix_copies_across_accounts()
    fix_bucket_policies_that_name_roles()
    fix_max_concurrency_path()
    fix_condition_keys()
    fix_wildcards_over_line_breaks()
    fix_the_name_of_a_missing_slot()
    fix_permissions()
    fix_signatures_of_roots()
    wait_scale = float(os.environ.get("SFN_WAIT_SCALE", "1"))
    fix_mappings_of_queues(wait_scale)
    fix_alarms(wait_scale)

    import ministack.app as server

    requests = os.environ.get("SHARDLIFT_REQUESTS")
    if requests:
        server.app = recording(server.app, Path(requests))
    server.app = guarded(server.app)
    server.main()


if __name__ == "__main__":
    main()
