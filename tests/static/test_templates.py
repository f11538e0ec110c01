"""The templates grant what is needed and no more, and watch what they deploy."""

import json
import re
import subprocess

import pytest

from tests.security.rendering import Rendering

from .project import (
    PAIR_TEMPLATE_PATH,
    ROOT,
    SOURCE_POLICY_PATH,
    SOURCE_TEMPLATE_PATH,
    TARGET_TEMPLATE_PATH,
    asl,
    by_sid,
    listed,
    resources_of,
    statements_of,
    template,
)

TEMPLATES = (SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH, PAIR_TEMPLATE_PATH)
REGIONS = ("us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1", "eusc-de-east-1")
FUNCTIONS = ("PlannerFunction", "CopierFunction", "ReporterFunction")
# Those of a stack that starts runs from events, and of one that renders images (test_renderer.py).
INTAKE, RENDERER = "IntakeFunction", "RendererFunction"
# The names that the functions read (one of them glibc), per function, beside what all three get.
# What bounds a run is among the latter: each function that acts checks it.
COMMON_ENVIRONMENT = set(
    "LEDGER_TABLE CONTROL_BUCKET CONTROL_BUCKET_OWNER LOG_LEVEL DATA_S3_ENDPOINT_URL ALLOW_OTHER_DATA_S3_ENDPOINT "
    "COPIER_CONCURRENCY WRITES_PER_SECOND_MAX S3_BUCKET S3_KEY TARGET_S3_BUCKET TARGET_S3_KEY TARGET_EXTERNAL_ID "
    "TARGET_ACCOUNT_ROLE_ARN FURTHER_SOURCE_BUCKET_ARNS FURTHER_TARGET_BUCKETS FURTHER_TARGET_ROLE_ARNS RUN_MODE "
    "RUN_STORAGE_CLASS RUN_KMS_KEY_ARN RUN_ACL RUN_DELETE_MAX_PERCENT RUN_DELETE_MAX_OBJECTS ALLOW_MIRROR "
    "ALLOW_VERSIONS ENABLE_TRANSFORMS DELETE_MAX_PERCENT_CEILING DELETE_MAX_OBJECTS_CEILING ALLOWED_KMS_KEY_ARNS "
    "ALLOWED_STORAGE_CLASSES ALLOWED_LIST_BUCKETS".split()
)
ENVIRONMENT = {
    "PlannerFunction": set(
        "STATE_MACHINE_ARN FUNCTION_ROLE_ARNS RUN_COMPARE RUN_TAGS RUN_VERIFY RUN_FILTERS RUN_ARCHIVED RUN_SSE "
        "RUN_REQUEST_PAYER RUN_TRANSFORM RUN_ROUNDS_MAX LEDGER_TTL_DAYS COPIER_MEMORY_MB RENDERER_MEMORY_MB "
        "MALLOC_MMAP_THRESHOLD_".split()
    ),
    "CopierFunction": set(),
    "ReporterFunction": {"STATE_MACHINE_ARN", "TOPIC_ARN"},
    INTAKE: {"STATE_MACHINE_ARN", "RUN_FILTERS"},
    RENDERER: {"RENDERER_MEMORY_MB", "MALLOC_MMAP_THRESHOLD_"},
}


@pytest.fixture(scope="module")
def source():
    return template(SOURCE_TEMPLATE_PATH)


@pytest.fixture(scope="module")
def target():
    return template(TARGET_TEMPLATE_PATH)


def actions(statement):
    return [action for action in listed(statement["Action"]) if isinstance(action, str)]


def dimension_values(alarm):
    return [dimension["Value"] for dimension in alarm["Properties"]["Dimensions"]]


def flat(node):
    """A node as text, to look for names in it."""
    return json.dumps(node, sort_keys=True)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_cfn_lint_finds_nothing(path):
    """By the resource schemas of a Region in each partition; where a type is not offered, it is found."""
    command = [ROOT / ".venv" / "bin" / "cfn-lint", "--regions", *REGIONS, "--", path]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (result.returncode, result.stdout) == (0, "")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_parameter_is_described_guarded_and_grouped(path):
    parsed = template(path)
    groups = parsed["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    grouped = [name for group in groups for name in group["Parameters"]]
    assert sorted(grouped) == sorted(parsed["Parameters"])
    for name, parameter in parsed["Parameters"].items():
        assert parameter["Description"], name
        guards = {"AllowedPattern", "AllowedValues", "MinValue"} & set(parameter)
        # The service checks a schedule's time itself; everything else is refused before anything is made.
        assert guards, name


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_wildcard_resource_cites_why(path):
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if re.search(r'Resource: "\*"', line):
            above = " ".join(lines[number - 4 : number])
            assert "https://docs.aws.amazon.com/" in above, f"{path.name}:{number + 1}"


def test_only_log_delivery_has_a_wildcard_resource(source, target):
    wild = [
        statement["Sid"]
        for parsed in (source, target)
        for role in resources_of(parsed, "AWS::IAM::Role").values()
        for statement in statements_of(role)
        if "*" in listed(statement["Resource"])
    ]
    assert wild == ["DeliverItsLog"]


def test_each_function_has_its_own_role_log_and_alarm(source):
    functions = resources_of(source, "AWS::Serverless::Function")
    assert set(functions) == {*FUNCTIONS, INTAKE, RENDERER}
    alarms = resources_of(source, "AWS::CloudWatch::Alarm").values()
    for name, function in functions.items():
        properties, role = function["Properties"], name.replace("Function", "Role")
        assert properties["Role"] == {"Fn::GetAtt": [role, "Arn"]}
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert source["Resources"][group]["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}
        (own_log,) = [s for s in statements_of(source["Resources"][role]) if s["Sid"] == "WriteItsLog"]
        assert own_log["Resource"] == {"Fn::GetAtt": [group, "Arn"]}
        watching = [a["Properties"] for a in alarms if {"Ref": name} in dimension_values(a)]
        (alarm,) = watching
        assert (alarm["MetricName"], alarm["Threshold"]) == ("Errors", 0)
        assert alarm["ComparisonOperator"] == "GreaterThanThreshold"


def test_every_alarm_reaches_the_topic(source):
    for alarm in resources_of(source, "AWS::CloudWatch::Alarm").values():
        assert alarm["Properties"]["AlarmActions"] == [{"Ref": "Topic"}]
        # The topic's policy lets alarms of this name publish.
        assert flat(alarm["Properties"]["AlarmName"]).startswith('{"Fn::Sub": "${AWS::StackName}-')


def test_runs_that_end_badly_are_announced_by_a_rule(source):
    rule = source["Resources"]["FailedRunsRule"]
    pattern = rule["Properties"]["EventPattern"]
    ended, failed = pattern["detail"]["$or"]
    assert ended == {"status": ["TIMED_OUT", "ABORTED"]}
    assert failed["status"] == ["FAILED"]
    # The words by which it knows that a report or a plain notice was sent.
    (told,) = [choice["anything-but"]["suffix"] for choice in failed["cause"] if choice and "anything-but" in choice]
    assert told + "'" in asl()["States"]["RecordNotice"]["Parameters"]["reply"]["summary.$"]
    assert f'){told}"' in (ROOT / "lambdas/reporter/src/reply.rs").read_text()
    assert pattern["detail"]["stateMachineArn"] == [{"Ref": "StateMachine"}]
    assert rule["Properties"]["Targets"][0]["Arn"] == {"Ref": "Topic"}


def test_functions_get_the_environment_that_they_read(source):
    everywhere = source["Globals"]["Function"]["Environment"]["Variables"]
    assert set(everywhere) == COMMON_ENVIRONMENT
    for name, function in resources_of(source, "AWS::Serverless::Function").items():
        own = function["Properties"].get("Environment", {}).get("Variables", {})
        assert set(own) == ENVIRONMENT[name], name


def test_a_new_account_may_configure_every_functions_default_memory(source):
    """New accounts have reduced memory quotas (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
    Lambda names the number: "'MemorySize' value failed to satisfy constraint: Member must have value less than or
    equal to 3008" (https://github.com/alexcasalboni/aws-lambda-power-tuning/pull/181)."""
    for name, function in resources_of(source, "AWS::Serverless::Function").items():
        parameter = source["Parameters"][function["Properties"]["MemorySize"]["Ref"]]
        assert parameter["Default"] <= 3008, name


def test_the_schedule_is_off_by_default_and_loses_nothing(source):
    assert source["Parameters"]["ScheduleState"]["Default"] == "DISABLED"
    (properties,) = [schedule["Properties"] for schedule in resources_of(source, "AWS::Scheduler::Schedule").values()]
    assert json.loads(properties["Target"]["Input"]) == {"started_by": "schedule"}
    assert properties["Target"]["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["ScheduleDeadLetters", "Arn"]}
    assert properties["ScheduleExpressionTimezone"] == {"Ref": "ScheduleTimezone"}


def test_the_machines_role_grants_what_the_machine_does(source):
    """Nobody enforces it on the local stack: each grant is derived from the ASL instead."""
    role = by_sid(source["Resources"]["StateMachineRole"])
    machine = asl()
    copy_shards = machine["States"]["CopyShards"]
    called = sorted(set(re.findall(r'"FunctionName": "\$\{(\w+)Arn\}"', json.dumps(machine))))
    called_by_role = [r["Fn::GetAtt"][0] for r in role["CallTheFunctions"]["Resource"] if "Fn::GetAtt" in r]
    assert called_by_role == list(FUNCTIONS)
    assert sorted([*FUNCTIONS, RENDERER]) == called
    assert actions(role["CallTheFunctions"]) == ["lambda:InvokeFunction"]

    assert copy_shards["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    own_name = source["Resources"]["StateMachine"]["Properties"]["Name"]["Fn::Sub"]
    assert actions(role["StartTheChildrenOfItsMap"]) == ["states:StartExecution"]
    assert role["StartTheChildrenOfItsMap"]["Resource"]["Fn::Sub"].endswith(f":stateMachine:{own_name}")
    watched = role["WatchTheChildrenOfItsMap"]["Resource"]
    children = [resource["Fn::Sub"].partition(":execution:")[2] for resource in watched]
    assert children == [f"{own_name}:*", f"{own_name}/{copy_shards['Label']}:*"]
    assert actions(role["WatchTheChildrenOfItsMap"]) == ["states:DescribeExecution", "states:StopExecution"]

    assert copy_shards["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
    assert actions(role["ReadTheIndexOfARound"]) == ["s3:GetObject"]
    assert copy_shards["ResultWriter"]["Parameters"]["Prefix.$"] == "States.Format('runs/{}/map', $.run.run_id)"
    assert role["KeepTheChildrensResults"]["Resource"] == {"Fn::Sub": "${ControlBucket.Arn}/runs/*/map/*"}
    assert sorted(actions(role["KeepTheChildrensResults"])) == [
        "s3:AbortMultipartUpload", "s3:GetObject", "s3:ListMultipartUploadParts", "s3:PutObject",
    ]  # fmt: skip

    assert machine["States"]["NotifyReporterFailure"]["Resource"] == "arn:aws:states:::sns:publish"
    assert role["SendThePlainNotice"]["Resource"] == {"Ref": "Topic"}
    assert set(role) == {
        "CallTheFunctions", "StartTheChildrenOfItsMap", "WatchTheChildrenOfItsMap", "ReadTheIndexOfARound",
        "KeepTheChildrensResults", "SendThePlainNotice", "DeliverItsLog",
    }  # fmt: skip


def test_only_the_machine_itself_may_use_its_role(source):
    (trust,) = source["Resources"]["StateMachineRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    own = source["Resources"]["StateMachine"]["Properties"]["Name"]["Fn::Sub"]
    named = [arn["Fn::Sub"].partition(":stateMachine:")[2] for arn in trust["Condition"]["ArnLike"]["aws:SourceArn"]]
    assert named == [own, f"{own}/*"]
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}


def test_the_machine_logs_no_execution_data(source):
    """An input may have an external id in it."""
    assert source["Resources"]["StateMachine"]["Properties"]["Logging"]["IncludeExecutionData"] is False


def test_every_ceiling_is_closed_by_default(source):
    """Whoever may only start runs gets no more than the stack's own values."""
    defaults = {name: parameter.get("Default") for name, parameter in source["Parameters"].items()}
    assert defaults["RunMode"] == "sync"
    assert defaults["AllowMirror"] == defaults["AllowVersions"] == defaults["EnableTransforms"] == "false"
    assert (defaults["DeleteMaxPercentCeiling"], defaults["DeleteMaxObjectsCeiling"]) == (-1, -1)
    assert (defaults["AllowedKmsKeyArns"], defaults["AllowedListBuckets"]) == ("", "")
    assert {value for name, value in defaults.items() if name.startswith("Further")} == {""}
    classes = set(source["Parameters"]["RunStorageClass"]["AllowedValues"])
    assert set(defaults["AllowedStorageClasses"].split(",")) == classes - {"GLACIER", "DEEP_ARCHIVE"}
    pattern = re.compile(source["Parameters"]["AllowedStorageClasses"]["AllowedPattern"])
    assert all(pattern.fullmatch(name) for name in classes)
    assert not any(pattern.fullmatch(name) for name in ("COLD", "preserve,"))
    keys = re.compile(source["Parameters"]["AllowedKmsKeyArns"]["AllowedPattern"])
    key = "arn:aws:kms:us-east-1:222222222222:key/"
    assert all(keys.fullmatch(text) for text in ("", key + "0a1b", f"{key}*,{key}mrk-1"))
    assert not any(keys.fullmatch(text) for text in ("*", key, f"{key}a*", f"{key}a,", f"{key}a\n"))


def test_arns_that_are_built_from_names_fit_the_named_resource(source):
    machine = source["Resources"]["StateMachine"]["Properties"]["Name"]["Fn::Sub"]
    text = SOURCE_TEMPLATE_PATH.read_text()
    assert set(re.findall(r":stateMachine:(\$\{AWS::StackName\}[\w-]*)", text)) == {machine}
    assert set(re.findall(r":execution:(\$\{AWS::StackName\}[\w-]*)", text)) == {machine}


def test_three_roles_may_enter_and_the_renderers_where_it_is_named_and_only_with_the_external_id(target):
    (statement,) = target["Resources"]["TargetRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    *trusted, _renderer = statement["Principal"]["AWS"]
    assert [principal["Ref"] for principal in trusted] == ["PlannerRoleArn", "CopierRoleArn", "ReporterRoleArn"]
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": {"Ref": "ExternalId"}}}


def test_only_the_functions_that_work_there_may_enter_the_target_account(source):
    entering = [
        name
        for name, role in resources_of(source, "AWS::IAM::Role").items()
        if any("sts:AssumeRole" in actions(statement) for statement in statements_of(role))
    ]
    assert entering == ["PlannerRole", "CopierRole", "RendererRole", "ReporterRole"]


def test_deleting_at_the_target_has_to_be_allowed_by_name(target):
    deletes = [
        statement
        for statement in target["Resources"]["TargetRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        if "s3:DeleteObject" in flat(statement)
    ]
    assert [statement["Fn::If"][0] for statement in deletes] == ["MayDelete"]
    assert target["Parameters"]["AllowMirrorDeletes"]["Default"] == "false"
    assert target["Parameters"]["AllowVersions"]["Default"] == "false"


def test_the_source_is_never_written(target):
    """P3: not by the role, not by the source bucket's policy."""
    role = by_sid(target["Resources"]["TargetRole"])
    granted = [statement for statement in role.values() if "SourceBucketName" in flat(statement["Resource"])]
    granted += json.loads(SOURCE_POLICY_PATH.read_text())["Statement"]
    assert {action.split(":")[1][:3] for statement in granted for action in actions(statement)} == {"Get", "Lis"}


def test_writes_are_confined_to_the_target_prefix(target):
    """P2."""
    role = by_sid(target["Resources"]["TargetRole"])
    for sid in ("WriteTheTarget", "DeleteAtTheTarget"):
        assert role[sid]["Resource"]["Fn::Sub"].endswith(":s3:::${TargetBucketName}/${TargetPrefix}*")


@pytest.mark.parametrize("path", [SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH], ids=lambda path: path.name)
def test_resource_policies_refuse_plain_http(path):
    parsed = template(path)
    kinds = ("AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy")
    policies = [policy for kind in kinds for policy in resources_of(parsed, kind).values()]
    assert policies
    for policy in policies:
        refusal = policy["Properties"]["PolicyDocument"]["Statement"][0]
        assert (refusal["Effect"], refusal["Principal"]) == ("Deny", "*")
        assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_a_session_of_the_role_is_no_longer_than_role_chaining_allows(target):
    """A Lambda's own credentials are a session, and a session of a session lasts an hour at most."""
    hour = 3600
    assert target["Resources"]["TargetRole"]["Properties"]["MaxSessionDuration"] == hour
    code = (ROOT / "lambdas/aws/src/accounts/session.rs").read_text()
    (asked_for,) = re.findall(r"const SESSION_LENGTH: Duration = Duration::from_secs\(([\d_]+)\);", code)
    assert int(asked_for) <= hour


@pytest.mark.parametrize(("path", "bucket"), [(SOURCE_TEMPLATE_PATH, "Source"), (TARGET_TEMPLATE_PATH, "Target")])
def test_each_side_offers_a_trail_of_its_prefix_that_is_off_by_default(path, bucket):
    parsed = template(path)
    (trail,) = resources_of(parsed, "AWS::CloudTrail::Trail").values()
    selector = trail["Properties"]["EventSelectors"][0]
    (objects,) = selector["DataResources"]
    prefix = f"${{{bucket}BucketName}}/${{{bucket}Prefix}}"
    assert objects["Values"] == [{"Fn::Sub": f"arn:${{AWS::Partition}}:s3:::{prefix}"}]
    assert selector["IncludeManagementEvents"] is True
    parts = [r for name, r in parsed["Resources"].items() if name.startswith("Audit")]
    (condition,) = {part["Condition"] for part in parts}
    assert len(parts) == 3
    (option,) = [name for name in parsed["Parameters"] if name.endswith("AuditTrail")]
    assert parsed["Conditions"][condition] == {"Fn::Equals": [{"Ref": option}, "true"]}
    assert parsed["Parameters"][option]["Default"] == "false"


def test_what_is_kept_is_not_kept_by_a_failed_first_deployment(source, target):
    """Only the trails' buckets are: by then the trail has written into them, and S3 deletes no bucket with objects."""
    kept = {
        (name, resource["DeletionPolicy"])
        for parsed in (source, target)
        for name, resource in parsed["Resources"].items()
        if "DeletionPolicy" in resource
    }
    assert kept == {
        ("Ledger", "RetainExceptOnCreate"),
        ("ControlBucket", "RetainExceptOnCreate"),
        ("TargetBucket", "RetainExceptOnCreate"),
        ("AuditBucket", "Retain"),
    }


@pytest.mark.parametrize(("days", "kept_for"), [(90, 90), (1, 1), (0, None)])
def test_old_versions_at_the_target_have_an_end_and_current_ones_none(target, days, kept_for):
    values = {"TargetBucketName": "target", "TargetPrefix": "copy/", "CreateTargetBucket": "true"}
    rendering = Rendering(target, {**values, "NoncurrentVersionExpiryDays": days}, {})
    bucket = rendering.resource("TargetBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = bucket["LifecycleConfiguration"]["Rules"]
    ending = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]
    assert [rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in ending] == (
        [kept_for] if kept_for else []
    )
    # What others keep in the bucket is none of our business.
    assert {rule["Prefix"] for rule in ending} <= {"copy/"}
    assert not any(key.startswith(("Expiration", "Transition")) for rule in rules for key in rule)
    assert target["Parameters"]["NoncurrentVersionExpiryDays"]["Default"] == 90


def test_the_ledger_expires_and_can_be_restored(source):
    properties = source["Resources"]["Ledger"]["Properties"]
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_silence_is_an_alarm_after_26_hours_where_the_schedule_is_on(source):
    switch, hours = source["Resources"]["DeadMansSwitch"], source["Parameters"]["DeadMansSwitchHours"]
    assert switch["Condition"] == "WatchesSilence"
    assert "ScheduleIsOn" in json.dumps(source["Conditions"]["WatchesSilence"])
    properties = switch["Properties"]
    assert properties["Period"] == 3600
    assert "DeadMansSwitchHours" in json.dumps(properties["EvaluationPeriods"])
    assert hours["Default"] == 26
    # With a period of an hour, an alarm looks back seven days at most (API_PutMetricAlarm, EvaluationPeriods).
    assert hours["MaxValue"] <= 7 * 24
    assert properties["DatapointsToAlarm"] == properties["EvaluationPeriods"]
    assert properties["TreatMissingData"] == "breaching"
    assert (properties["MetricName"], properties["Statistic"]) == ("RunsComplete", "Sum")
    assert flat(properties["AlarmActions"]) == flat([{"Ref": "Topic"}])


def test_every_metric_on_the_dashboard_and_in_an_alarm_is_one_that_the_reporter_sends(source):
    sent = set(re.findall(r'\.with\(\s*"(\w+)"', (ROOT / "lambdas/reporter/src/metrics.rs").read_text("utf-8")))
    body = source["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    metrics = [metric for widget in json.loads(body)["widgets"] for metric in widget["properties"]["metrics"]]
    shown = {metric[1] for metric in metrics if len(metric) > 2 and metric[1] != "Errors"}
    assert shown
    assert shown <= sent
    assert source["Resources"]["DeadMansSwitch"]["Properties"]["MetricName"] in sent
    documented = (ROOT / "docs/OPERATIONS.md").read_text("utf-8")
    assert [name for name in sorted(sent) if f"`{name}`" not in documented] == []
