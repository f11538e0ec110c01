"""Starts MiniStack 1.5.33 with some of its gaps closed.

MiniStack runs the local stack: S3, DynamoDB, Step Functions, Lambda, STS, IAM and SNS in one
process. Where it differs from AWS in a way that Shardlift would notice, this launcher replaces a
function of it before it starts; nothing on disk is changed. `tests/workflow/test_local_stack.py`
holds a test of each mend.

1. A copy across accounts looked the source bucket up in the caller's account and answered
   NoSuchBucket. Bucket names are global: while a copy runs, lookups go to the bucket's owner.
2. A bucket policy that names a role never matched, because a foreign bucket's policy was evaluated
   for the root of the caller's account. It is evaluated for the caller itself.
3. A Distributed Map ignored `MaxConcurrencyPath` and ran 64 children whatever it said.
4. `aws:SecureTransport` was false for every call, since the loopback has no TLS: the policies that
   refuse plain HTTP refused everything. The loopback counts as safe.
5. `aws:ResourceAccount` was the caller's account for every S3 resource. It is the bucket's owner.
6. A `*` in a policy matched no line break, so that a key with one was denied to everybody.
7. `aws:PrincipalIsAWSService` was absent, so that a refusal of all but services refused nobody, and
   `aws:PrincipalArn` was a session's own ARN instead of its role's.
8. S3 told everybody which objects are missing, copied tags unasked, used KMS keys for anybody, and gave
   no reason for a refusal by a policy of another account's: see `ministack_permissions.py`.
"""

import contextlib
import contextvars
import functools
import re
from dataclasses import replace

import ministack.core.iam_evaluator as iam
import ministack.services.s3 as s3
import ministack.services.stepfunctions as states
from ministack.core.responses import AccountScopedDict, get_account_id
from ministack_permissions import mend_permissions

MINISTACK_VERSION = "1.5.33"
S3_ARN = "arn:aws:s3:::"
SESSION_ARN = re.compile(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+")

# What a copy reads of a bucket that is not the caller's.
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
    """State of buckets that is found under their owner while a copy runs, else as before."""

    __slots__ = ()

    def _scoped(self, key):
        if not _copy_is_running.get():
            return super()._scoped(key)
        bucket = key[0] if isinstance(key, tuple) else key
        return (s3._bucket_owner_account(bucket) or get_account_id(), key)


def mend_copies_across_accounts():
    """Mend 1: CopyObject and UploadPartCopy find the source bucket in its owner's account."""

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


def mend_bucket_policies_that_name_roles():
    """Mend 2: a foreign bucket's policy is evaluated for the role or user that calls."""
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


def mend_max_concurrency_path():
    """Mend 3: a Distributed Map runs as many children at once as `MaxConcurrencyPath` says."""
    run_distributed_map = states._run_distributed_map

    @functools.wraps(run_distributed_map)
    def with_its_concurrency(state, raw_input, effective, iterator, execution, context):
        path = state.get("MaxConcurrencyPath")
        if path:
            state = {**state, "MaxConcurrency": states._resolve_path_or_ctx(path, effective, context)}
        return run_distributed_map(state, raw_input, effective, iterator, execution, context)

    states._run_distributed_map = with_its_concurrency


def mend_condition_keys():
    """Mends 4, 5 and 7: conditions see the loopback as TLS, a bucket as its owner's, and a caller as its role."""
    resolve_condition_key = iam._resolve_condition_key

    @functools.wraps(resolve_condition_key)
    def resolve(key, context):
        name = key.lower()
        if name == "aws:securetransport":
            return "true"
        if name == "aws:principalisawsservice":
            # AWS always tells it; no service calls here under its own name.
            return "false"
        if name == "aws:principalarn":
            session = SESSION_ARN.fullmatch(context.principal_arn)
            return f"arn:aws:iam::{session[1]}:role/{session[2]}" if session else context.principal_arn
        if name in ("aws:resourceaccount", "s3:resourceaccount") and context.resource_arn.startswith(S3_ARN):
            bucket = context.resource_arn.removeprefix(S3_ARN).partition("/")[0]
            return s3._bucket_owner_account(bucket) or resolve_condition_key(key, context)
        return resolve_condition_key(key, context)

    iam._resolve_condition_key = resolve


def mend_wildcards_over_line_breaks():
    """Mend 6: a wildcard of a policy matches every character of a key."""
    compile_pattern = iam._fnmatch_compile

    @functools.lru_cache(maxsize=4096)
    def compile_for_any_character(pattern, ignore_case):
        compiled = compile_pattern(pattern, ignore_case)
        return re.compile(compiled.pattern, compiled.flags | re.DOTALL)

    iam._fnmatch_compile = compile_for_any_character


def main():
    """Applies the mends and serves until it is told to stop."""
    from importlib.metadata import version

    if version("ministack") != MINISTACK_VERSION:
        raise SystemExit(f"the mends fit ministack {MINISTACK_VERSION}, found {version('ministack')}")
    mend_copies_across_accounts()
    mend_bucket_policies_that_name_roles()
    mend_max_concurrency_path()
    mend_condition_keys()
    mend_wildcards_over_line_breaks()
    mend_permissions()

    from ministack.app import main as serve

    serve()


if __name__ == "__main__":
    main()
