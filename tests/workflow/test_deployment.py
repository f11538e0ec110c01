"""What stays of a deployment that failed, and of stacks that are deleted."""

import json

import pytest
from botocore.exceptions import ClientError
from samtranslator.yaml_helper import yaml_parse
from shardlift_local.accounts import source_account, target_account
from shardlift_local.deployment import INFRA, deploy_stack
from shardlift_local.server import StackError

TARGET_BUCKET = "first-try-target"


def target_template(**more):
    template = yaml_parse((INFRA / "target-account.yaml").read_text())
    template["Resources"].update(more)
    return json.dumps(template)


@pytest.fixture
def account(server):
    return target_account(server.endpoint_url)


@pytest.fixture
def parameters(real):
    roles = {name: real.outputs[key] for name, key in ROLES.items()}
    return {
        **roles,
        "ExternalId": "first-try",
        "RoleName": "first-try-role",
        "SourceAccountId": real.outputs["source_account_id"],
        "SourceBucketName": real.outputs["source_bucket"],
        "TargetBucketName": TARGET_BUCKET,
        "CreateTargetBucket": "true",
    }


ROLES = {
    "PlannerRoleArn": "planner_role_arn",
    "CopierRoleArn": "copier_role_arn",
    "ReporterRoleArn": "reporter_role_arn",
}


def buckets(account):
    return {bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]}


def delete_stack(account, name):
    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=name)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )


def test_a_failed_first_deployment_keeps_no_bucket_in_the_way_of_the_second(account, parameters):
    cloudformation = account.client("cloudformation")
    # Made after the target bucket, under a name that another account took. CloudFormation cannot know it beforehand.
    source_account(account.endpoint_url).client("s3").create_bucket(Bucket=f"{TARGET_BUCKET}-taken")
    taken = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${TargetBucket}-taken"}}}
    with pytest.raises(StackError, match="ROLLBACK"):
        deploy_stack(cloudformation, "first-try", {"TemplateBody": target_template(Taken=taken)}, parameters)
    events = cloudformation.describe_stack_events(StackName="first-try")["StackEvents"]
    assert ("TargetBucket", "CREATE_COMPLETE") in [(e["LogicalResourceId"], e["ResourceStatus"]) for e in events]
    assert TARGET_BUCKET not in buckets(account)
    delete_stack(account, "first-try")

    deploy_stack(cloudformation, "first-try", {"TemplateBody": target_template()}, parameters)
    assert TARGET_BUCKET in buckets(account)
    # Deleted with its stack it is not.
    account.client("s3").put_object(Bucket=TARGET_BUCKET, Key="precious", Body=b"1")
    delete_stack(account, "first-try")
    assert TARGET_BUCKET in buckets(account)
    with pytest.raises(ClientError, match="NoSuchEntity"):
        account.client("iam").get_role(RoleName="first-try-role")
