"""Deploys the real templates, the real state machine and the built functions to the local stack."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from botocore.exceptions import ClientError

from .accounts import REGION, source_account, target_account
from .server import StackError

ROOT = Path(__file__).resolve().parents[3]
INFRA = ROOT / "infra"
ARTIFACTS_BUCKET = "shardlift-artifacts"
DEPLOY_SECONDS_MAX = 120
POLL_SECONDS = 0.1
# What `shardlift policy source-bucket --versions` adds.
VERSION_READS = [
    "s3:GetObjectVersion",
    "s3:GetObjectVersionTagging",
    "s3:GetObjectVersionAnnotation",
    "s3:ListObjectVersionAnnotations",
]
# Outputs of a stack that starts runs from events.
# The roles that the target role trusts, by the outputs of one stack and the parameters of the other.
ROLE_OUTPUTS = ("PlannerRoleArn", "CopierRoleArn", "ReporterRoleArn", "RendererRoleArn")
# What a stack has only with an option.
OPTIONAL_OUTPUTS = {
    "renderer_function": "RendererFunctionName",
    "renderer_role_arn": "RendererRoleArn",
    "intake_function": "IntakeFunctionName",
    "intake_role_arn": "IntakeRoleArn",
    "events_queue_url": "EventsQueueUrl",
    "events_dead_letters_url": "EventsDeadLettersUrl",
}


@dataclass(frozen=True)
class Deployment:
    """One pair of stacks. Several pairs with different names can share one server."""

    endpoint_url: str
    name: str = "shardlift"
    source_prefix: str = ""
    target_prefix: str = ""
    external_id: str = "local-external-id"
    # The folder of the functions' zips.
    zips_dir: Path = ROOT / "target" / "local"
    # Further parameters of template.yaml, and of target-account.yaml.
    parameters: dict = field(default_factory=dict)
    target_parameters: dict = field(default_factory=dict)
    allow_mirror_deletes: bool = True
    # Whether the target role may read versions of the source by their ids.
    allow_versions: bool = True
    # What bounds the input of a run: the widest, so that everything can be tried. Without it, the
    # template's defaults are in force.
    has_widest_ceilings: bool = True
    # Whether what is written at the source starts a run.
    starts_on_events: bool = False
    # Whether the source bucket sends its events from the beginning, as after `shardlift events on`.
    sends_events: bool = True

    @property
    def source(self):
        return source_account(self.endpoint_url)

    @property
    def target(self):
        return target_account(self.endpoint_url)

    @property
    def source_bucket(self):
        return f"{self.name}-source"

    @property
    def target_bucket(self):
        return f"{self.name}-target"

    @property
    def target_role_name(self):
        return f"{self.name}-target-role"

    @property
    def target_role_arn(self):
        return f"arn:aws:iam::{self.target.account_id}:role/{self.target_role_name}"

    def deploy(self):
        """Deploys both stacks in the order of the README, and the source bucket policy. Returns the outputs."""
        self._require_zips()
        s3 = self.source.client("s3")
        for bucket in (ARTIFACTS_BUCKET, self.source_bucket):
            _create_bucket(s3, bucket)
        stack = self._deploy_source_stack()
        self._deploy_target_stack(stack)
        self.apply_source_bucket_policy()
        if self.starts_on_events and self.sends_events:
            # As `shardlift events on` does; a new bucket sends nothing else.
            notifications = {"EventBridgeConfiguration": {}}
            s3.put_bucket_notification_configuration(Bucket=self.source_bucket, NotificationConfiguration=notifications)
        return self._outputs(stack)

    def apply_source_bucket_policy(self):
        """Allows the target role to read the source. Other statements of the bucket policy are kept."""
        s3 = self.source.client("s3")
        policy = merged_policy(existing_policy(s3, self.source_bucket), self.source_bucket_policy())
        s3.put_bucket_policy(Bucket=self.source_bucket, Policy=json.dumps(policy))

    def source_bucket_policy(self):
        """Returns the policy statements that Shardlift needs on the source bucket."""
        text = (INFRA / "source-bucket-policy.json").read_text()
        values = {
            "Partition": "aws",
            "SourceBucketName": self.source_bucket,
            "SourcePrefix": self.source_prefix,
            "TargetRoleArn": self.target_role_arn,
        }
        for name, value in values.items():
            # Escaped for a JSON string: a prefix can contain quotes.
            text = text.replace("${" + name + "}", json.dumps(value)[1:-1])
        policy = json.loads(text)
        if self.allow_versions:
            (read,) = (s for s in policy["Statement"] if s["Sid"] == "ShardliftReadSource")
            read["Action"] += VERSION_READS
        return policy

    def _require_zips(self):
        functions = ("planner", "copier", "renderer", "reporter", "intake")
        missing = [name for name in functions if not (self.zips_dir / f"{name}.zip").is_file()]
        if missing:
            raise StackError(f"{self.zips_dir} has no {', '.join(missing)}: run make local-up, or make package-local")

    def _deploy_source_stack(self):
        # Too large for a request (51,200 bytes), as for the README's commands: CloudFormation fetches it from S3.
        template = f"{self.name}.yaml"
        body = packaged_template(self.endpoint_url, self.zips_dir).encode()
        self.source.client("s3").put_object(Bucket=ARTIFACTS_BUCKET, Key=template, Body=body)
        parameters = {
            "SourceBucketName": self.source_bucket,
            "SourcePrefix": self.source_prefix,
            "TargetBucketName": self.target_bucket,
            "TargetPrefix": self.target_prefix,
            "TargetAccountRoleArn": self.target_role_arn,
            "TargetExternalId": self.external_id,
            **(self.widest_ceilings() if self.has_widest_ceilings else {}),
            **({"StartOnEvents": "true", "EventsWindowSeconds": 1} if self.starts_on_events else {}),
            **self.parameters,
        }
        place = {"TemplateURL": f"{self.endpoint_url}/{ARTIFACTS_BUCKET}/{template}"}
        return deploy_stack(self.source.client("cloudformation"), self.name, place, parameters)

    def widest_ceilings(self):
        """Parameters of template.yaml with which a run may ask for anything."""
        keys = [f"arn:aws:kms:{REGION}:{account.account_id}:key/*" for account in (self.source, self.target)]
        classes = "STANDARD STANDARD_IA ONEZONE_IA INTELLIGENT_TIERING GLACIER_IR GLACIER DEEP_ARCHIVE"
        return {
            "AllowMirror": "true",
            "AllowVersions": "true",
            "EnableTransforms": "true",
            "DeleteMaxPercentCeiling": 100,
            "DeleteMaxObjectsCeiling": 1_000_000_000,
            "AllowedKmsKeyArns": ",".join(keys),
            "AllowedStorageClasses": ",".join(["preserve", *classes.split(), "REDUCED_REDUNDANCY"]),
        }

    def _deploy_target_stack(self, source_outputs):
        parameters = {
            **{name: source_outputs[name] for name in ROLE_OUTPUTS if name in source_outputs},
            "ExternalId": self.external_id,
            "RoleName": self.target_role_name,
            "SourceAccountId": self.source.account_id,
            "SourceBucketName": self.source_bucket,
            "SourcePrefix": self.source_prefix,
            "TargetBucketName": self.target_bucket,
            "TargetPrefix": self.target_prefix,
            "CreateTargetBucket": "true",
            "AllowMirrorDeletes": str(self.allow_mirror_deletes).lower(),
            "AllowVersions": str(self.allow_versions).lower(),
            **self.target_parameters,
        }
        template = {"TemplateBody": (INFRA / "target-account.yaml").read_text()}
        deploy_stack(self.target.client("cloudformation"), f"{self.name}-target", template, parameters)

    def _outputs(self, stack):
        """Returns the content of .local/outputs.json."""
        return {
            "endpoint_url": self.endpoint_url,
            "region": REGION,
            "source_account_id": self.source.account_id,
            "target_account_id": self.target.account_id,
            "source_credentials": self.source.credentials,
            "target_credentials": self.target.credentials,
            "state_machine_arn": stack["StateMachineArn"],
            "ledger_table": stack["LedgerTable"],
            "control_bucket": stack["ControlBucketName"],
            "source_bucket": self.source_bucket,
            "source_prefix": self.source_prefix,
            "target_bucket": self.target_bucket,
            "target_prefix": self.target_prefix,
            "target_role_arn": self.target_role_arn,
            "external_id": self.external_id,
            "topic_arn": stack["TopicArn"],
            "planner_function": stack["PlannerFunctionName"],
            "copier_function": stack["CopierFunctionName"],
            "reporter_function": stack["ReporterFunctionName"],
            "planner_role_arn": stack["PlannerRoleArn"],
            "copier_role_arn": stack["CopierRoleArn"],
            "reporter_role_arn": stack["ReporterRoleArn"],
            **{name: stack[output] for name, output in OPTIONAL_OUTPUTS.items() if output in stack},
        }


def packaged_template(endpoint_url, zips_dir):
    """Runs `aws cloudformation package` on template.yaml, which uploads zips and state machine. Returns the result."""
    account = source_account(endpoint_url)
    template = (INFRA / "template.yaml").read_text()
    # The copy of the template is in another folder, so its relative paths become absolute.
    template = template.replace("../target/lambda/", f"{zips_dir}/")
    template = template.replace("../statemachine/", f"{ROOT / 'statemachine'}/")
    copy = zips_dir / "template.resolved.yaml"
    copy.write_text(template)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment.update(
        # The upload to S3 ignores --endpoint-url.
        AWS_ENDPOINT_URL=endpoint_url,
        AWS_ACCESS_KEY_ID=account.access_key_id,
        AWS_SECRET_ACCESS_KEY=account.secret_access_key,
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
    )
    command = [sys.executable, "-m", "awscli", "cloudformation", "package"]
    command += ["--region", REGION, "--template-file", str(copy), "--s3-bucket", ARTIFACTS_BUCKET]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    if result.returncode != 0:
        raise StackError(f"aws cloudformation package failed: {result.stderr.strip()}")
    return result.stdout


def deploy_stack(cloudformation, name, template, parameters):
    """Creates or updates a stack, waits for it, and returns its outputs by key.

    `template` is its body or its address, by the name of the request's member.
    """
    request = {
        "StackName": name,
        **template,
        "Parameters": [{"ParameterKey": k, "ParameterValue": str(v)} for k, v in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
    }
    if _exists(cloudformation, name):
        try:
            cloudformation.update_stack(**request)
        except ClientError as error:
            if "No updates are to be performed" not in str(error):
                raise
    else:
        cloudformation.create_stack(**request)
    deadline = time.monotonic() + DEPLOY_SECONDS_MAX
    while time.monotonic() < deadline:
        stack = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        if stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            return {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
        if not stack["StackStatus"].endswith("_IN_PROGRESS"):
            raise StackError(f"stack {name}: {stack['StackStatus']}: {_first_failure(cloudformation, name)}")
        time.sleep(POLL_SECONDS)
    raise StackError(f"stack {name} was not deployed within {DEPLOY_SECONDS_MAX} s")


def existing_policy(s3, bucket):
    """Returns the bucket's policy document, or an empty one."""
    try:
        return json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        return {"Version": "2012-10-17", "Statement": []}


def merged_policy(existing, ours):
    """Adds our statements to the existing policy. Statements with the same Sid are replaced, so merging
    twice changes nothing."""
    sids = {statement["Sid"] for statement in ours["Statement"]}
    kept = [statement for statement in existing["Statement"] if statement.get("Sid") not in sids]
    return {**existing, "Statement": kept + ours["Statement"]}


def _exists(cloudformation, name):
    try:
        cloudformation.describe_stacks(StackName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ValidationError":
            raise
        return False
    return True


def _first_failure(cloudformation, name):
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [e for e in events if e["ResourceStatus"].endswith("FAILED") and e.get("ResourceStatusReason")]
    return f"{failed[-1]['LogicalResourceId']}: {failed[-1]['ResourceStatusReason']}" if failed else "no reason given"


def _create_bucket(s3, bucket):
    try:
        s3.create_bucket(Bucket=bucket)
    except ClientError as error:
        # Deploying twice is not an error.
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
