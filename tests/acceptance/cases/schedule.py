"""The nightly run. Played before the cases with many objects, since it takes everything under the prefix."""

import time

from tests.acceptance.case import Catalogue, expect
from tests.acceptance.readme import NIGHTLY

CASES = Catalogue()
STARTED_SECONDS_MAX = 180
POLL_SECONDS = 5


@CASES.case(
    "README: enable the nightly run",
    "the schedule is ENABLED, and parameters that the command does not name keep their values",
    "F2 N6",
)
def nightly(stand):
    stand.shell(stand.source).run(stand.steps()[NIGHTLY])
    schedule = stand.source.client("scheduler").get_schedule(Name=f"{stand.name}-nightly")
    seen = f"{schedule['State']} {schedule['ScheduleExpression']}"
    expect(seen == "ENABLED cron(0 2 * * ? *)", seen)
    stack = stand.source.client("cloudformation").describe_stacks(StackName=stand.name)["Stacks"][0]
    values = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack["Parameters"]}
    expect(values["TargetBucketName"] == stand.target_bucket, f"TargetBucketName is {values['TargetBucketName']}")
    stand.change_source_stack(ScheduleState="DISABLED")
    return f"{seen}; TargetBucketName is kept"


@CASES.case(
    "the schedule starts a run",
    "within three minutes an execution starts that nobody else started, with the input {}",
    "N6",
    only_aws="it takes minutes, which the local stack's tests do not have",
)
def schedule(stand):
    states, arn = stand.machine.states, stand.outputs["state_machine_arn"]

    def names():
        return {found["name"] for found in states.list_executions(stateMachineArn=arn)["executions"]}

    before = names()
    stand.change_source_stack(ScheduleState="ENABLED", ScheduleExpression='"rate(1 minute)"')
    deadline = time.monotonic() + STARTED_SECONDS_MAX
    while not (started := sorted(names() - before)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    stand.change_source_stack(ScheduleState="DISABLED", ScheduleExpression='"cron(0 2 * * ? *)"')
    expect(started, "no execution started within three minutes")
    execution = stand.machine.wait(stand.machine.execution_arn(started[0]))
    run_input = states.describe_execution(executionArn=stand.machine.execution_arn(started[0]))["input"]
    stand.count(execution, STARTED_SECONDS_MAX)
    expect(run_input == "{}", f"its input is {run_input}")
    return f"{execution.run_id}: {execution.status} {execution.error}"
