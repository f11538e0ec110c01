"""Every state of the machine that can fail, made to fail with the real functions: the run ends as it should, with the
report that there must be, and people are notified.

Each case names what befalls the run and what must come of it. The table of all cases is printed at the end.
"""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
from shardlift_local.deployment import Deployment

from tests.model_server import running_model
from tests.security.mutations import Cut

from .conftest import FAILED_STATES
from .execution import Inbox, Machine
from .modelled import take_over_buckets
from .trouble import World, zip_with_switches

OBJECTS = 30
NOTICE_SECONDS_MAX = 20
POLL_SECONDS = 0.05
# What one message of the topic can be: the report's, the machine's own when there is no report, the rule's.
REPORT, PLAIN, RULE = "report", "plain notice", "rule"


def without(document, sid):
    return lambda world: world.without(Cut(document, sid, "statement"))


def switch(role, word):
    return lambda world: world.switch(role, word)


def timeout(role, seconds=1):
    return lambda world: world.timeout(role, seconds)


@dataclass(frozen=True)
class Case:
    name: str
    # Contexts over the world, entered before the run.
    trouble: tuple
    error: str
    # What the report names as broken, (state, error); None when the run went its way and its objects failed.
    problem: tuple | None = None
    status: str = "FAILED"
    last_state: str = "RunFailed"
    notified_by: tuple = (REPORT,)
    run_input: object = field(default_factory=dict)
    run_id: str | None = None
    # What happens while it runs: a call with the world and the run's id.
    meanwhile: object = None
    # How many objects the report has as failed.
    failed: int = 0


def broken_plan(name, error, *trouble, **more):
    return Case(name, trouble, error, ("PlanShards", error), **more)


def broken_report(name, error, *trouble, **more):
    return Case(name, trouble, error, notified_by=(PLAIN,), **more)


def lost_objects(name, error, *trouble, failed=OBJECTS, **more):
    return Case(name, trouble, error, last_state="RunIncomplete", failed=failed, **more)


def copiers_may_not_enter(world):
    return world.without(Cut("target-trust", "LetTheFunctionsEnter", "principal", "CopierRole"))


REPORTERS_DOCUMENTS = ("reporter-role", "WriteTheRunsDocuments")

CASES = [
    # ---- PlanShards
    broken_plan("planner: the input is no object", "InvalidRun", run_input=["source"]),
    broken_plan("planner: the source may not be listed", "AccessDenied", World.no_leave_to_read),
    broken_plan("planner: the ledger may not be written", "AccessDenied", without("planner-role", "WriteTheLedger")),
    broken_plan("planner: killed while it works, each time", "Runtime.ExitError", switch("planner", "crash")),
    broken_plan("planner: does not start", "Runtime.Unknown", switch("planner", "absent")),
    broken_plan(
        "planner: S3 does not respond before the timeout",
        "Sandbox.Timedout",
        lambda world: world.stuck("ListObjectsV2"),
        timeout("planner"),
    ),
    broken_plan(
        # The plan is in the ledger all the same, so its objects are known, and missing.
        "planner: its response is lost, each time",
        "Sandbox.Timedout",
        switch("planner", "mute"),
        timeout("planner"),
        failed=OBJECTS,
    ),
    # ---- CopyShards
    Case(
        "Map: its index is gone",
        (switch("planner", "hold"),),
        "States.ItemReaderFailed",
        ("CopyShards", "States.ItemReaderFailed"),
        meanwhile=World.lose_the_index,
        failed=OBJECTS,
    ),
    lost_objects("copier: killed while it works, each time", "ServiceFault", switch("copier", "crash")),
    lost_objects("copier: does not start", "ServiceFault", switch("copier", "absent")),
    lost_objects(
        "copier: S3 takes no copy before the timeout",
        "ServiceFault",
        lambda world: world.stuck("CopyObject"),
        timeout("copier"),
    ),
    lost_objects("copier: may not enter the target account", "RoleUnavailable", copiers_may_not_enter),
    lost_objects("copier: may not write the ledger", "ServiceFault", without("copier-role", "WriteTheLedger")),
    # ---- ReportRun
    broken_report("reporter: killed while it works, each time", "Runtime.ExitError", switch("reporter", "crash")),
    broken_report("reporter: does not start", "Runtime.Unknown", switch("reporter", "absent")),
    broken_report(
        "reporter: S3 does not respond before the timeout",
        "Sandbox.Timedout",
        switch("planner", "hold"),
        timeout("reporter"),
        World.calm_at_last,
        meanwhile=World.get_stuck_after_planning,
    ),
    broken_report("reporter: may not read the ledger", "AccessDenied", without("reporter-role", "ReadTheLedger")),
    broken_report(
        "reporter: may not write the report", "AccessDenied", without("reporter-role", "WriteTheRunsDocuments")
    ),
    broken_report("reporter: may not publish", "AccessDenied", without("reporter-role", "Notify")),
    broken_report(
        "planner and reporter: both killed, each time",
        "Runtime.ExitError",
        switch("planner", "crash"),
        switch("reporter", "crash"),
    ),
    broken_report("all: a run's name that none of them takes", "InvalidRun", run_id="night\u202e1"),
    # ---- the execution itself
    Case(
        "execution: stopped by a person while it copies",
        (lambda world: world.stuck("CopyObject"),),
        "Stopped",
        status="ABORTED",
        last_state="CopyShards",
        notified_by=(RULE,),
        meanwhile=World.stop_while_copying,
    ),
]


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    zips_dir, switches = tmp_path_factory.mktemp("zips"), tmp_path_factory.mktemp("switches")
    zip_with_switches(zips_dir, switches)
    with running_model() as model:
        parameters = {"DataS3EndpointUrl": model.endpoint_url, "RunRoundsMax": 1}
        deployment = Deployment(server.endpoint_url, name="faulty", zips_dir=zips_dir, parameters=parameters)
        machine = Machine(deployment, deployment.deploy())
        take_over_buckets(model, deployment)
        objects = {"key": "data/", "size_bytes": 1024, "count": OBJECTS}
        model.control("POST", f"objects/{deployment.source_bucket}", objects)
        yield World(machine, model, switches)


@pytest.fixture(scope="module")
def inbox(world):
    return Inbox(world.machine, "failed-states")


@pytest.fixture
def table(request):
    """Takes a line for each case that was run."""
    return request.config.stash.setdefault(FAILED_STATES, []).append


@pytest.mark.parametrize("role", ["planner", "copier", "reporter"])
def test_a_function_without_a_slot_waits_for_one(world, inbox, role):
    """More often than any other error is retried, and then the run is as any other."""
    with world.no_concurrency(role):
        execution_arn = world.machine.start({"mode": "copy"}, f"waits-for-a-{role}")
        world.machine.wait_for_errors(execution_arn, "Lambda.TooManyRequestsException", count=10)
    execution = world.machine.wait(execution_arn)
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert [kind for kind, _message in notifications_of(inbox, execution.run_id, 1)] == [REPORT]


@pytest.mark.parametrize(("number", "case"), list(enumerate(CASES)), ids=[case.name for case in CASES])
def test_a_failed_state_is_reported_and_notified(world, inbox, table, number, case):
    # No id is the beginning of another one.
    run_id = case.run_id or f"fails-{number:02}"
    run_input = {"mode": "copy", **case.run_input} if isinstance(case.run_input, dict) else case.run_input
    with ExitStack() as troubles:
        for trouble in case.trouble:
            troubles.enter_context(trouble(world))
        execution_arn = world.machine.start(run_input, run_id)
        if case.meanwhile:
            case.meanwhile(world, run_id)
        execution = world.machine.wait(execution_arn)
    notifications = notifications_of(inbox, run_id, len(case.notified_by))
    report = world.report(run_id)

    assert (execution.status, execution.error) == (case.status, case.error), execution.cause
    assert execution.states[-1] == case.last_state
    assert sorted(kind for kind, _message in notifications) == sorted(case.notified_by)
    if REPORT in case.notified_by:
        assert report["verdict"] == "INCOMPLETE"
        problem = report.get("problem")
        assert (problem and (problem["state"], problem["code"])) == case.problem
        assert report["failed"]["objects"] == case.failed
    if PLAIN in case.notified_by:
        (plain,) = [message for kind, message in notifications if kind == PLAIN]
        assert case.error in plain
    table((case, execution, [kind for kind, _message in notifications]))


def test_the_rule_announces_an_execution_of_which_nobody_was_told(world):
    """The local engine ends no execution by its own timeout, and no notice is lost here, so the pattern is tested with
    events. One whose cause is not there is told: better twice than never."""
    events = world.machine.deployment.source.client("events")
    pattern = events.describe_rule(Name="faulty-failed-runs")["EventPattern"]
    arn = world.machine.outputs["state_machine_arn"]
    matches = {}
    sent = "INCOMPLETE: 1 of 2 objects failed. The report (s3://control/runs/1/report.html) was sent."
    cases = {
        "timed out": {"status": "TIMED_OUT"},
        "stopped": {"status": "ABORTED", "error": None, "cause": None},
        "failed, cause unknown": {"status": "FAILED"},
        "failed, no cause": {"status": "FAILED", "cause": None},
        "failed, not told": {"status": "FAILED", "cause": "the run ended without a report"},
        "failed, told": {"status": "FAILED", "cause": sent},
        "succeeded": {"status": "SUCCEEDED"},
        "running": {"status": "RUNNING"},
    }
    for case, detail in cases.items():
        event = {
            "id": "1",
            "account": world.machine.deployment.source.account_id,
            "source": "aws.states",
            "time": "2026-11-22T00:00:00Z",
            "region": world.machine.outputs["region"],
            "resources": [],
            "detail-type": "Step Functions Execution Status Change",
            "detail": {"stateMachineArn": arn, **detail},
        }
        matches[case] = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    assert {case for case, is_told in matches.items() if not is_told} == {"failed, told", "succeeded", "running"}


def test_the_pair_is_free_after_all_of_them_and_nobody_is_notified_twice(world, inbox):
    """Behind the run that was stopped while it copied, whose copier may write until its lease ends."""
    early = world.machine.run({"mode": "copy"})
    assert (early.status, early.error) == ("FAILED", "RunOverlap")
    assert "one of its copiers may still be working" in early.cause
    assert [kind for kind, _message in notifications_of(inbox, early.run_id, 1)] == [REPORT]
    world.let_leases_end()
    execution = world.machine.run({"mode": "copy"})
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert [kind for kind, _message in notifications_of(inbox, execution.run_id, 1)] == [REPORT]


def notifications_of(inbox, run_id, count):
    """The messages about a run, as (kind, text): as many as are expected, and those that come with them. Of the runs
    before it every notification has come, so that one of theirs is found that came twice."""
    found = []
    deadline = time.monotonic() + NOTICE_SECONDS_MAX
    while len(found) < count and time.monotonic() < deadline:
        for notice in inbox.drain():
            subject, message = notice.get("Subject", ""), notice["Message"]
            assert run_id in message, f"of an earlier run: {subject}\n{message}"
            found.append((kind_of(subject), f"{subject}\n{message}"))
        time.sleep(POLL_SECONDS)
    return found


def kind_of(subject):
    if subject == "Shardlift: a run ended without a report":
        return PLAIN
    return REPORT if subject.startswith("Shardlift ") else RULE
