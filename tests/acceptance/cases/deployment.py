"""The README's commands."""

import json
import re

from tests.acceptance.case import Catalogue, expect
from tests.acceptance.readme import BUILD, TRY
from tests.acceptance.stand import KEPT_STATEMENT, PREFIX

CASES = Catalogue()


@CASES.case("README: build", "the step is `make package`, which this suite runs before it starts", "F1")
def build(stand):
    command = stand.steps()[BUILD].script.partition("#")[0].strip()
    expect(command == "make package", f"the README says {command!r}")
    zips = [(stand.workdir / "target" / "lambda" / f"{name}.zip") for name in ("planner", "copier", "reporter")]
    missing = [path.name for path in zips if not path.is_file()]
    expect(not missing, f"target/lambda has no {', '.join(missing)}")
    return "make package; " + ", ".join(f"{path.name} {path.stat().st_size / 2**20:.1f} MiB" for path in zips)


@CASES.case(
    "README: deploy the source account",
    "package and deploy create the stack, and describe-stacks prints the roles' ARNs",
    "F1 F3 F5 L1 L2 I1",
    lenient="the local stack checks few of the templates' properties; static tests check them",
)
def deploy_source(stand):
    stand.make_buckets()
    outputs = stand.deploy_source()
    return f"stack {stand.name}, {len(outputs)} outputs, {outputs['state_machine_arn'].rpartition(':')[2]}"


@CASES.case(
    "README: deploy the target account",
    "a role is created that trusts the source's three roles, and a bucket with its policy",
    "F1 I1 I2",
    lenient="the local stack does not check whether a principal of a policy exists",
)
def deploy_target(stand):
    stand.deploy_target()
    role = stand.target.client("iam").get_role(RoleName=stand.target_role_name)["Role"]
    trusted = role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"]
    expect(len(trusted) == 3, f"it trusts {trusted}")
    stand.target.client("s3").head_bucket(Bucket=stand.target_bucket)
    region = stand.asked_region()
    expect(region == stand.target.region, f"the README's command says that the bucket is in {region!r}")
    return f"role {role['RoleName']} trusts 3 roles, bucket {stand.target_bucket}"


@CASES.case(
    "README: merge the source bucket's policy",
    "S3 takes the merged policy, with the statement that was there and the actions on annotations",
    "I3 I4",
    lenient="the local stack takes any action in a bucket policy",
)
def merge_policy(stand):
    stand.allow_the_role()
    policy = stand.source.client("s3").get_bucket_policy(Bucket=stand.source_bucket)["Policy"]
    sids = [statement["Sid"] for statement in json.loads(policy)["Statement"]]
    expect(sorted(sids) == sorted([KEPT_STATEMENT, "ShardliftListSource", "ShardliftReadSource"]), f"statements {sids}")
    return f"statements {', '.join(sids)}"


@CASES.case(
    "README: try it",
    "the dry run ends PLANNED, the run COMPLETE, both executions SUCCEEDED, and one object is copied",
    "I5 I6 M1 D1 N2",
)
def try_it(stand):
    s3 = stand.source.client("s3")
    s3.put_object(Bucket=stand.source_bucket, Key=f"{PREFIX}first", Body=b"the first object")
    printed = stand.shell(stand.source).run(stand.steps()[TRY])
    verdicts = re.findall(r"\b(PLANNED|COMPLETE|INCOMPLETE)\b", printed)
    expect("PLANNED" in verdicts and "COMPLETE" in verdicts and "INCOMPLETE" not in verdicts, f"printed {printed}")
    executions = stand.machine.states.list_executions(stateMachineArn=stand.outputs["state_machine_arn"])["executions"]
    statuses = [execution["status"] for execution in executions]
    expect(statuses == ["SUCCEEDED"] * 2, f"the executions' statuses are {statuses}")
    body = stand.target.client("s3").get_object(Bucket=stand.target_bucket, Key=f"{PREFIX}first")["Body"].read()
    expect(body == b"the first object", f"the target has {body[:40]!r}")
    return "PLANNED, then COMPLETE; the object is at the target"
