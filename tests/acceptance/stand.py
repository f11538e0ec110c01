"""Two accounts, the stacks on them under a name of their own, and runs of Shardlift."""

import json
import os
import secrets
import shutil
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from shardlift_local.deployment import ROOT

from tests.security.mutations import Mutation, Policies
from tests.workflow.execution import Inbox, Machine
from tests.workflow.pair import TestPair

from .readme import (
    BUCKET_REGION,
    NIGHTLY,
    POLICY,
    SOURCE,
    TARGET,
    ReadmeError,
    Shell,
    Step,
    Values,
    deployment_steps,
    substituted,
    with_outputs,
)

NAME_PREFIX = "slacc-"
PREFIX = "data/"
AWS_RUN_SECONDS_MAX = 1200
AWS_POLL_SECONDS = 2
LOCAL_RUN_SECONDS_MAX = 120
LOCAL_POLL_SECONDS = 0.05
# What IAM says about a change becomes true everywhere within seconds
# (docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html, "Changes that I make are not always immediately
# visible").
IAM_SECONDS = 20
KEPT_STATEMENT = "KeptByTheMerge"
OUTPUT_NAMES = {
    "state_machine_arn": "StateMachineArn",
    "ledger_table": "LedgerTable",
    "control_bucket": "ControlBucketName",
    "topic_arn": "TopicArn",
    **{f"{f}_function": f"{f.title()}FunctionName" for f in ("planner", "copier", "reporter")},
    **{f"{f}_role_arn": f"{f.title()}RoleArn" for f in ("planner", "copier", "reporter")},
}


def new_name():
    """A name that nobody has; the removal accepts no others."""
    return NAME_PREFIX + secrets.token_hex(4)


@dataclass
class Stand:
    """Where the cases are played. It has what Machine, TestPair and Policies take for a deployment."""

    name: str
    source: object
    target: object
    meter: object
    workdir: object
    is_local: bool
    config_file: object = None
    server: object = None
    readme: str = ""
    errors = ReadmeError

    def __post_init__(self):
        self.outputs = {}
        self.keys = {}
        self.external_id = None
        self.far_region = self.source.another_region()
        self._pairs = 0
        self._lock = threading.Lock()

    # ------------------------------------------------------------------ names
    @property
    def source_bucket(self):
        return f"{self.name}-source"

    @property
    def target_bucket(self):
        return f"{self.name}-target"

    @property
    def artifacts_bucket(self):
        return f"{self.name}-artifacts"

    @property
    def target_role_name(self):
        return f"{self.name}-target"

    @property
    def target_role_arn(self):
        return f"arn:{self.target.partition}:iam::{self.target.account_id}:role/{self.target_role_name}"

    # ------------------------------------------------------------- deployment
    def lay_out(self, readme_path=ROOT / "README.md", infra=ROOT / "infra"):
        """A folder that looks like the project's root to the README's commands."""
        self.workdir.mkdir(parents=True, exist_ok=True)
        shutil.copytree(
            infra, self.workdir / "infra", dirs_exist_ok=True, ignore=shutil.ignore_patterns("local", "__*")
        )
        # The local stack has zips of its own, which need not run in Lambda.
        zips = "target/local" if self.is_local else "target/lambda"
        for name, original in (("statemachine", "statemachine"), ("target/lambda", zips)):
            link = self.workdir / name
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.symlink_to(ROOT / original)
        self.readme = readme_path.read_text()

    def steps(self, **changed):
        """The README's steps for this stand."""
        values = Values(
            name=self.name,
            source_profile=self.source.profile,
            target_profile=self.target.profile,
            source_account=self.source.account_id,
            target_account=self.target.account_id,
            partition=self.target.partition,
            artifacts_bucket=self.artifacts_bucket,
            source_bucket=self.source_bucket,
            target_bucket=self.target_bucket,
            **changed,
        )
        return substituted(deployment_steps(self.readme), values)

    def shell(self, account):
        """Runs commands with the profiles, and in the Region of an account."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        # The command that was built here, and the project's aws unless the user has one.
        folders = [str(ROOT / "target" / "release"), os.environ.get("PATH", ""), os.path.dirname(sys.executable)]
        if self.is_local:
            folders = [folders[0], folders[2], folders[1]]
            environment.update(
                AWS_CONFIG_FILE=str(self.config_file),
                AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                AWS_EC2_METADATA_DISABLED="true",
            )
        else:
            kept = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE")
            environment.update({name: os.environ[name] for name in kept if name in os.environ})
        environment.update(PATH=os.pathsep.join(folders), AWS_REGION=account.region, AWS_DEFAULT_REGION=account.region)
        environment.update(
            AWS_PAGER="",
            AWS_DEFAULT_OUTPUT="json",
            EXTERNAL_ID=self.external_id or "",
            TARGET_REGION=self.target.region,
        )
        return Shell(self.workdir, environment, self.workdir / "commands.log")

    def make_buckets(self):
        """What the README requires before its first command: an artifacts bucket, and a source bucket with a policy."""
        for bucket in (self.artifacts_bucket, self.source_bucket):
            create_bucket(self.source, bucket, self.source.region)
        bucket = f"arn:{self.source.partition}:s3:::{self.source_bucket}"
        statement = {
            "Sid": KEPT_STATEMENT,
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.source.client("s3").put_bucket_policy(Bucket=self.source_bucket, Policy=json.dumps(policy))

    def deploy_source(self):
        """Runs the step of the source account. It prints the external id first and the stack's outputs last."""
        printed = self.shell(self.source).run(self.steps()[SOURCE])
        self.external_id, _, rest = printed.partition("\n")
        start = rest.find("\n[")
        outputs = json.loads(rest[start:] if start >= 0 else "null")
        if not outputs or not self.external_id:
            raise ReadmeError(f"{SOURCE}: it prints no external id and no outputs of the stack, but: {printed[-200:]}")
        self.outputs = self._named({output["OutputKey"]: output["OutputValue"] for output in outputs})
        # The target's stack names the new roles as principals.
        self.settle()
        return self.outputs

    def deploy_target(self, **parameters):
        """Runs the step of the target account, with further parameters as the README tells."""
        stack = {OUTPUT_NAMES[name]: value for name, value in self.outputs.items() if name in OUTPUT_NAMES}
        step = with_outputs(self.steps()[TARGET], stack)
        self.shell(self.target).run(step.with_parameters(parameters) if parameters else step)
        self.settle()

    def change_source_stack(self, **parameters):
        """The README's last command with other parameters: those that it does not name keep their values."""
        head, found, _rest = self.steps()[NIGHTLY].script.partition("--parameter-overrides")
        if not found:
            raise ReadmeError("the README's last command has no --parameter-overrides")
        named = "".join(f" {name}={value}" for name, value in parameters.items())
        # A case alone, or after another one, may ask for what is there already.
        head += "--no-fail-on-empty-changeset "
        self.shell(self.source).run(Step(NIGHTLY[0], f"{head}--parameter-overrides{named}\n"))
        self.settle()

    def asked_region(self):
        """What the README's command says is the target bucket's Region, if the README has one."""
        step = self.steps().get(BUCKET_REGION)
        if step is None:
            return self.target.region
        script = step.script.rstrip("\n") + '\necho "$TARGET_REGION"\n'
        return self.shell(self.target).run(Step(step.title, script)).strip()

    def allow_the_role(self):
        """Runs the step of the source bucket's policy."""
        self.shell(self.source).run(self.steps()[POLICY])
        self.settle()

    def settle(self):
        """Waits until a change of IAM is in force."""
        if not self.is_local:
            time.sleep(IAM_SECONDS)

    def _named(self, stack):
        missing = [key for key in OUTPUT_NAMES.values() if key not in stack]
        if missing:
            raise ReadmeError(f"the stack has no outputs {', '.join(missing)}")
        named = {name: stack[key] for name, key in OUTPUT_NAMES.items()}
        return {**named, "source_bucket": self.source_bucket, "target_bucket": self.target_bucket}

    # ------------------------------------------------------------------- runs
    @cached_property
    def machine(self):
        """The deployed state machine."""
        seconds, poll = AWS_RUN_SECONDS_MAX, AWS_POLL_SECONDS
        if self.is_local:
            seconds, poll = LOCAL_RUN_SECONDS_MAX, LOCAL_POLL_SECONDS
        return Machine(self, self.outputs, seconds_max=seconds, poll_seconds=poll)

    @cached_property
    def inbox(self):
        """A queue that hears what the stack's topic says."""
        inbox = Inbox(self.machine, f"{self.name}-inbox")
        self.settle()
        return inbox

    @property
    def policies(self):
        """The deployed policies."""
        return Policies(self, self.outputs, self.keys)

    @contextmanager
    def without(self, *cuts):
        """The stand while something is missing in its policies."""
        with self.policies.without(Mutation(cuts)):
            self.settle()
            yield
        self.settle()

    @cached_property
    def memory_mb(self):
        """The memory of the three functions together."""
        functions = self.source.client("lambda")
        names = [self.outputs[f"{function}_function"] for function in ("planner", "copier", "reporter")]
        return sum(functions.get_function_configuration(FunctionName=name)["MemorySize"] for name in names)

    def count(self, execution, seconds):
        """Counts a run, with what its report counts."""
        s3 = self.source.client("s3")
        key = {"Bucket": self.outputs["control_bucket"], "Key": f"runs/{execution.run_id}/report.json"}
        try:
            counted = json.loads(s3.get_object(**key)["Body"].read())["cost_usd"]["counted"]
        except s3.exceptions.NoSuchKey:
            # A run whose reporter failed, or that was stopped, has none: its requests are not in the estimate.
            counted = 0.0
        self.meter.add_run(seconds, self.memory_mb, counted)

    @contextmanager
    def changed(self, document, policy):
        """The stand with another policy document in the place of a deployed one."""
        original = self.policies.read(document)
        self.policies.write(document, policy)
        try:
            self.settle()
            yield
        finally:
            self.policies.write(document, original)
            self.settle()

    def pair(self, name):
        """A pair of prefixes that one case has for itself."""
        with self._lock:
            self._pairs += 1
            return MeteredPair(self.machine, f"{PREFIX}{self._pairs:02}-{name}/", self)


@dataclass(frozen=True)
class MeteredPair(TestPair):
    """A pair whose runs are counted by the meter."""

    stand: Stand

    __test__ = False

    def run(self, **run_input):
        """Runs with this pair's prefixes, and counts what the run's report counts."""
        started = time.monotonic()
        execution = super().run(**run_input)
        self.stand.count(execution, time.monotonic() - started)
        return execution


def create_bucket(account, bucket, region):
    """Creates a bucket. us-east-1 is the only Region that must not be named
    (docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html)."""
    place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    account.client("s3", region).create_bucket(Bucket=bucket, **place)
