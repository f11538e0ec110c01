"""The README's commands deploy the templates as CloudFormation takes them."""

import re
import shlex

import botocore.session

from .project import PAIR_TEMPLATE_PATH, ROOT, SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH, template


def test_the_target_stack_is_deployed_in_the_buckets_region():
    """A stack elsewhere cannot set the policy of an existing bucket, and no rule of a template knows its Region."""
    target = template(TARGET_TEMPLATE_PATH)
    assert "Region" in target["Description"]
    assert "Region" in target["Parameters"]["ManageTargetBucketPolicy"]["Description"]
    readme = (ROOT / "README.md").read_text("utf-8")
    (deploy,) = re.findall(r"aws cloudformation deploy --profile target(.*?)```", readme, re.DOTALL)
    assert '--region "$TARGET_REGION"' in deploy
    (ask,) = re.findall(r"TARGET_REGION=\$\((.*)\)\n", readme)
    assert ask.startswith("aws s3api head-bucket --profile target --bucket MY-TARGET --query BucketRegion ")
    # The member of the response that it reads is one that S3 sends.
    s3 = botocore.session.get_session().get_service_model("s3")
    assert "BucketRegion" in s3.operation_model("HeadBucket").output_shape.members


def test_a_template_that_is_too_large_for_a_request_is_uploaded():
    """CloudFormation takes 51,200 bytes in a request and 1 MB from S3
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""
    readme = (ROOT / "README.md").read_text("utf-8")
    deploys = re.findall(r"aws cloudformation deploy --profile source (.*?)--stack-name", readme, re.DOTALL)
    assert len(deploys) == 2
    assert all("--s3-bucket MY-ARTIFACTS" in deploy for deploy in deploys)
    assert TARGET_TEMPLATE_PATH.stat().st_size <= 51_200
    assert PAIR_TEMPLATE_PATH.stat().st_size <= 51_200


def parameters(command):
    """The names of the parameters that a deployment sets."""
    return {word.split("=", 1)[0] for word in shlex.split(command) if "=" in word}


def test_the_other_account_gets_the_command_of_the_readme():
    """The stack's output, with its values in it, sets what the README's command sets."""
    readme = (ROOT / "README.md").read_text("utf-8")
    (deploy,) = re.findall(r"aws cloudformation deploy --profile target(.*?)```", readme, re.DOTALL)
    (sub, values) = template(SOURCE_TEMPLATE_PATH)["Outputs"]["TargetAccountCommand"]["Value"]["Fn::Sub"]
    assert set(values) == {"RoleName", "Renderer"}
    # In a stack that renders images alone.
    assert values["Renderer"]["Fn::If"][0] == "RendersImages"
    sub = sub.replace("${Renderer}", "")
    assert parameters(sub) == parameters(deploy.replace("\\\n", " "))
    assert parameters(sub) <= set(template(TARGET_TEMPLATE_PATH)["Parameters"])
    (of_pair, values) = template(PAIR_TEMPLATE_PATH)["Outputs"]["TargetAccountCommand"]["Value"]["Fn::Sub"]
    assert parameters(of_pair) == parameters(sub)
    assert set(values) == {"RoleName", "Planner", "Copier", "Reporter"}
    # Parameters that may hold a space are quoted for the shell.
    for name in ("TargetExternalId", "SourcePrefix", "TargetPrefix"):
        assert f"'${{{name}}}'" in sub
        assert f"'${{{name}}}'" in of_pair
