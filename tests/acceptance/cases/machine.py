"""The state machine, the functions, and what people are told."""

import io
import json
import time
import zipfile

from shardlift_local.sample import Item

from tests.acceptance.case import Catalogue, expect
from tests.security.mutations import Cut

from .runs import denying, small_objects, told

CASES = Catalogue()
MIB8 = 8 * 2**20
# Keys so long that few failures fill a report on the local stack, where each object takes a millisecond.
# Doubled in a CSV file.
FILLER = '"'
FAILURES, KEY_FILLER = 30_000, 300
FAILURES_LOCAL, KEY_FILLER_LOCAL = 1_450, 940
HEARD_SECONDS_MAX, HEARD_SECONDS_MAX_LOCAL = 180, 10
POLL_SECONDS = 0.2
METRIC_POLL_SECONDS = 10
PLAIN_NOTICE = "Shardlift: a run ended without a report"
MEMORY_OF_THE_BURST_MB = 128
# Takes an event from Lambda's runtime API and then doubles a text until the memory is used up.
OUT_OF_MEMORY = """#!/bin/bash
exec 3<>"/dev/tcp/${AWS_LAMBDA_RUNTIME_API/:/\\/}"
printf 'GET /2018-06-01/runtime/invocation/next HTTP/1.1\\r\\nHost: runtime\\r\\n\\r\\n' >&3
read -r _status <&3
text=x
while :; do text=$text$text; done
"""


def heard(stand, is_it):
    """Waits for a message on the stack's topic."""
    deadline = time.monotonic() + (HEARD_SECONDS_MAX_LOCAL if stand.is_local else HEARD_SECONDS_MAX)
    others = []
    while time.monotonic() < deadline:
        for notice in stand.inbox.drain():
            if is_it(notice):
                return notice
            others.append(notice.get("Subject", notice["Message"][:60]))
        time.sleep(POLL_SECONDS)
    expect(False, f"no such message arrived; others: {others[-5:]}")
    return None


@CASES.case("the report is told", "the topic gets the verdict as subject and report.json as message", "N1 N2")
def report_is_told(stand):
    assert stand.inbox
    pair = stand.pair("told")
    pair.upload(small_objects(2))
    execution = pair.run()
    notice = heard(stand, lambda n: execution.run_id in n.get("Subject", ""))
    report = json.loads(notice["Message"])
    expect(report["verdict"] == "COMPLETE", notice["Message"])
    return f"{notice['Subject']}; {told(report)}"


@CASES.case(
    "a plain notice, written by States.Format with line breaks",
    "when the reporter fails, the machine itself sends a notice, whose lines are lines",
    "M7 M8 N1",
)
def plain_notice(stand):
    assert stand.inbox
    pair = stand.pair("plain")
    pair.upload(small_objects(2))
    with stand.without(Cut("reporter-role", "ReadTheLedger", "statement")):
        execution = pair.run()
    notice = heard(stand, lambda n: n.get("Subject") == PLAIN_NOTICE and execution.run_id in n["Message"])
    lines = notice["Message"].split("\n")
    is_so = any(line.startswith("Error: ") for line in lines) and "\\n" not in notice["Message"].partition("Cause:")[0]
    expect(is_so, f"lines {lines}")
    return f"{execution.status} {execution.error}; a notice of {len(lines)} lines: {' / '.join(lines[:3])}"


@CASES.case("a stopped run", "ABORTED without a report; the event rule tells the topic", "N3")
def stopped(stand):
    assert stand.inbox
    pair = stand.pair("stopped")
    pair.upload(small_objects(2))
    run_id = stand.machine.new_run_id()
    places = {"source": {"prefix": pair.prefix}, "target": {"prefix": pair.prefix}}
    arn = stand.machine.start(places, run_id)
    stand.machine.states.stop_execution(executionArn=arn, error="Stopped", cause="by the acceptance suite")
    execution = stand.machine.wait(arn)
    expect(execution.status == "ABORTED", f"{execution.status} {execution.error}")
    notice = heard(stand, lambda n: "ABORTED" in n["Message"] and run_id in n["Message"])
    return f"{execution.status}; {notice['Message']}"


@CASES.case("an alarm", "an alarm of the stack in ALARM reaches the topic", "N4")
def alarm(stand):
    assert stand.inbox
    name = f"{stand.name}-copier-errors"
    cloudwatch = stand.source.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="the acceptance suite says so")
    notice = heard(stand, lambda n: name in n["Message"] and n.get("Subject", "").startswith("ALARM"))
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="the acceptance suite says so")
    return notice["Subject"]


@CASES.case(
    "a report above 8 MiB",
    "the report of a run with 30,000 failures is whole: failures.csv, written in parts, has a row for each",
    "M9 S12",
    lenient="fewer failures with longer keys; the local stack does not compare the checksums of parts",
)
def large_report(stand):
    count, filler = (FAILURES_LOCAL, KEY_FILLER_LOCAL) if stand.is_local else (FAILURES, KEY_FILLER)
    pair = stand.pair("failures")
    # The smallest object is the planner's sample, and may be read.
    items = [Item(f"denied/{n:05}-{FILLER * filler}", generated_bytes=2) for n in range(count)]
    pair.upload([Item("a-sample", generated_bytes=1), *items])
    policy = denying(stand.policies.read("source-bucket"), stand, f"{pair.prefix}denied/*")
    with stand.changed("source-bucket", policy):
        execution = pair.run(rounds_max=1)
    report = pair.report(execution)
    expect(report["failed"]["objects"] == count, told(report))
    s3 = stand.source.client("s3")
    key = {"Bucket": stand.outputs["control_bucket"], "Key": f"runs/{execution.run_id}/failures.csv"}
    size = s3.head_object(**key)["ContentLength"]
    rows = len({failure["key"] for failure in pair.failures(execution)})
    expect(size > MIB8 and rows == count, f"{size:,} bytes, {rows:,} keys; {told(report)}")
    return f"{told(report)}; failures.csv: {size:,} bytes, {rows:,} keys"


@CASES.case(
    "a planner that runs out of memory",
    "the error has a name that a Retry of PlanShards has; after the retries the run fails with a report that names it",
    "L3 M7",
    only_aws="the local stack does not limit a function's memory",
)
def out_of_memory(stand):
    functions, name = stand.source.client("lambda"), stand.outputs["planner_function"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as bundle:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        bundle.writestr(entry, OUT_OF_MEMORY)
    original = (stand.workdir / "target" / "lambda" / "planner.zip").read_bytes()
    pair = stand.pair("memory")
    pair.upload(small_objects(1))
    memory_mb = functions.get_function_configuration(FunctionName=name)["MemorySize"]
    try:
        replace_function(functions, name, archive.getvalue(), MEMORY_OF_THE_BURST_MB)
        execution = pair.run()
    finally:
        replace_function(functions, name, original, memory_mb)
    failures = task_failures(stand, execution)
    definition = json.loads(describe_machine(stand)["definition"])
    retried = {name for retry in definition["States"]["PlanShards"]["Retry"] for name in retry["ErrorEquals"]}
    seen = f"{len(failures)} attempts failed as {sorted(set(failures))}; {execution.error}: {execution.cause}"
    expect(failures and set(failures) <= retried, f"no Retry names it: {seen}")
    expect(pair.report(execution)["problem"]["code"] == failures[-1], f"the report names another problem: {seen}")
    return seen


def replace_function(functions, name, archive, memory_mb):
    """Gives a function other code and memory."""
    functions.update_function_code(FunctionName=name, ZipFile=archive)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)
    functions.update_function_configuration(FunctionName=name, MemorySize=memory_mb)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def task_failures(stand, execution):
    """The errors of a run's failed tasks, in order."""
    arn = stand.machine.execution_arn(execution.run_id)
    pages = stand.machine.states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    return [event["taskFailedEventDetails"]["error"] for event in events if "taskFailedEventDetails" in event]


def describe_machine(stand):
    """The deployed state machine."""
    return stand.machine.states.describe_state_machine(stateMachineArn=stand.outputs["state_machine_arn"])


@CASES.case(
    "the Map keeps its children's results",
    "ResultWriter writes them under runs/<run id>/map/, as the machine's role may",
    "M5",
    only_aws="the local stack ignores ResultWriter",
)
def result_writer(stand):
    pair = stand.pair("map")
    pair.upload(small_objects(2))
    execution = pair.run()
    prefix = f"runs/{execution.run_id}/map/"
    page = stand.source.client("s3").list_objects_v2(Bucket=stand.outputs["control_bucket"], Prefix=prefix)
    names = [found["Key"].rpartition("/")[2] for found in page.get("Contents", [])]
    expect("manifest.json" in names, f"under {prefix}: {names}")
    return f"{', '.join(names)}"


@CASES.case(
    "a run's metrics",
    "CloudWatch has RunsComplete in the namespace Shardlift, as the alarm for silence needs it",
    "N5",
    only_aws="the local stack reads no metrics out of logs",
)
def metrics(stand):
    cloudwatch = stand.source.client("cloudwatch")
    dimensions = [{"Name": "StateMachine", "Value": f"{stand.name}-sync"}]
    deadline = time.monotonic() + 2 * HEARD_SECONDS_MAX
    while time.monotonic() < deadline:
        now = time.time()
        found = cloudwatch.get_metric_statistics(
            Namespace="Shardlift", MetricName="RunsComplete", Dimensions=dimensions, Statistics=["Sum"],
            StartTime=now - 6 * 3600, EndTime=now, Period=3600,
        )["Datapoints"]  # fmt: skip
        if found:
            return f"RunsComplete {sum(point['Sum'] for point in found):.0f}"
        time.sleep(METRIC_POLL_SECONDS)
    expect(False, "no datapoint within six minutes")
    return None
