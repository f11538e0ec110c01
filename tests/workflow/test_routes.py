"""Every route of the real state machine, with functions whose results are scripted.

Each case names the replies, and what must come of them: the execution's end, the states on the
way, and what the reporter received. Together the cases enter every state and take every Choice and
every Catch; `test_the_cases_enter_every_state` holds them to it.
"""

import json
from dataclasses import dataclass, field

import pytest
from shardlift_local.deployment import ROOT

from .execution import Inbox

PLAIN_NOTICE = "Shardlift: a run ended without a report"
PLAN = ["OpenRun", "PlanShards", "CheckPlan"]
COPY = [*PLAN, "CopyShards"]
REPORT = ["ReportRun", "CheckReport"]


def plans(status, **more):
    reply = {"schema_version": 1, "status": status, "round": 1, "index": None, "max_concurrency": 2, "kind": "COPY"}
    return {**reply, **more}


def reports(status, code="", summary="a sentence for the console", **more):
    return {**plans(status, **more), "code": code, "summary": summary}


def fails(error, message="a sentence that says what to do"):
    return {"errorType": error, "errorMessage": message}


def shard(status):
    return {"schema_version": 1, "status": status}


PLANS_COPY = [plans("COPY", index="INDEX")]
DONE = [shard("DONE")]
COMPLETE = [reports("COMPLETE")]


@dataclass(frozen=True)
class Case:
    name: str
    planner: list
    reporter: list
    states: list
    copiers: list = field(default_factory=list)
    status: str = "SUCCEEDED"
    error: str = ""
    # (state, error) that the reporter received, or None.
    problem: tuple | None = None
    # The children's ends, sorted.
    children: list = field(default_factory=list)
    # How often each function was called, where retries are the point.
    calls: dict = field(default_factory=dict)
    notice: bool = False


CASES = [
    Case(
        "a run copies and completes",
        PLANS_COPY,
        COMPLETE,
        [*COPY, *REPORT, "RunComplete"],
        [DONE, DONE],
        children=[("SUCCEEDED", "")] * 2,
    ),
    Case("nothing to copy goes straight to the report", [plans("REPORT")], COMPLETE, [*PLAN, *REPORT, "RunComplete"]),
    Case("a dry run succeeds", [plans("REPORT")], [reports("PLANNED")], [*PLAN, *REPORT, "RunComplete"]),
    Case(
        "a planner that yields is called again",
        [plans("CONTINUE"), plans("CONTINUE"), plans("REPORT")],
        COMPLETE,
        [*PLAN, *PLAN[1:], *PLAN[1:], *REPORT, "RunComplete"],
        calls={"planner": 3},
    ),
    Case(
        "a copier that yields is called again",
        PLANS_COPY,
        COMPLETE,
        [*COPY, *REPORT, "RunComplete"],
        [[shard("YIELD"), shard("YIELD"), shard("DONE")]],
        children=[("SUCCEEDED", "")],
        calls={"copier": 3},
    ),
    Case(
        "a shard of a run with a transform goes to the renderer, in each round",
        [plans("COPY", index="INDEX", kind="RENDER")],
        [reports("ROUND", index="INDEX", round=2, kind="RENDER"), reports("COMPLETE", round=2)],
        [*COPY, *REPORT, "OpenRound", "CopyShards", *REPORT, "RunComplete"],
        [[shard("YIELD"), shard("DONE")]],
        children=[("SUCCEEDED", "")] * 2,
        calls={"renderer": 3, "copier": 0},
    ),
    Case(
        "a shard of an unknown kind fails",
        [plans("COPY", index="INDEX", kind="MOVE")],
        [reports("INCOMPLETE", "InvariantViolated")],
        [*COPY, *REPORT, "RunIncomplete"],
        [DONE],
        status="FAILED",
        error="InvariantViolated",
        children=[("FAILED", "InvariantViolated")],
        calls={"copier": 0, "renderer": 0},
    ),
    Case(
        "a reporter that yields is called again",
        [plans("REPORT")],
        [reports("CONTINUE"), reports("COMPLETE")],
        [*PLAN, *REPORT, *REPORT, "RunComplete"],
        calls={"reporter": 2},
    ),
    Case(
        "what is not done gets another round",
        PLANS_COPY,
        [reports("ROUND", index="INDEX", round=2), reports("COMPLETE", round=2)],
        [*COPY, *REPORT, "OpenRound", "CopyShards", *REPORT, "RunComplete"],
        [DONE],
        children=[("SUCCEEDED", "")] * 2,
    ),
    Case(
        "an incomplete run fails under its code",
        PLANS_COPY,
        [reports("INCOMPLETE", "AccessDenied")],
        [*COPY, *REPORT, "RunIncomplete"],
        [DONE],
        status="FAILED",
        error="AccessDenied",
        children=[("SUCCEEDED", "")],
    ),
    Case(
        "a failed report fails the run under its code",
        PLANS_COPY,
        [reports("FAILED", "InvariantViolated")],
        [*COPY, *REPORT, "RunFailed"],
        [DONE],
        status="FAILED",
        error="InvariantViolated",
        children=[("SUCCEEDED", "")],
    ),
    Case(
        "a failed shard fails neither its neighbour nor the Map",
        PLANS_COPY,
        [reports("INCOMPLETE", "AccessDenied")],
        [*COPY, *REPORT, "RunIncomplete"],
        [[fails("AccessDenied")], DONE],
        status="FAILED",
        error="AccessDenied",
        children=[("FAILED", "AccessDenied"), ("SUCCEEDED", "")],
        calls={"copier": 2},
    ),
    Case(
        "a shard with an unknown reply fails",
        PLANS_COPY,
        [reports("INCOMPLETE", "InvariantViolated")],
        [*COPY, *REPORT, "RunIncomplete"],
        [[shard("FINISHED")]],
        status="FAILED",
        error="InvariantViolated",
        children=[("FAILED", "InvariantViolated")],
    ),
    Case(
        "a shard without a status fails",
        PLANS_COPY,
        [reports("INCOMPLETE", "InvariantViolated")],
        [*COPY, *REPORT, "RunIncomplete"],
        [[{}]],
        status="FAILED",
        error="InvariantViolated",
        children=[("FAILED", "InvariantViolated")],
    ),
    Case(
        "a throttled copier is retried",
        PLANS_COPY,
        COMPLETE,
        [*COPY, *REPORT, "RunComplete"],
        [[fails("Throttled"), fails("ServiceFault"), shard("DONE")]],
        children=[("SUCCEEDED", "")],
        calls={"copier": 3},
    ),
    Case(
        "a crashed copier is retried",
        PLANS_COPY,
        COMPLETE,
        [*COPY, *REPORT, "RunComplete"],
        [["crash", shard("DONE")]],
        children=[("SUCCEEDED", "")],
        calls={"copier": 2},
    ),
    Case(
        "a copier that overruns its time is retried",
        PLANS_COPY,
        COMPLETE,
        [*COPY, *REPORT, "RunComplete"],
        [["hang", shard("DONE")]],
        children=[("SUCCEEDED", "")],
        calls={"copier": 2},
    ),
    Case(
        "a planner's fault is retried",
        [fails("ServiceFault"), plans("REPORT")],
        COMPLETE,
        [*PLAN, *REPORT, "RunComplete"],
        calls={"planner": 2},
    ),
    Case(
        "a planner's conflict with one that was taken for dead is retried",
        [fails("LedgerConflict"), plans("REPORT")],
        COMPLETE,
        [*PLAN, *REPORT, "RunComplete"],
        calls={"planner": 2},
    ),
    Case(
        "a reporter's conflict with a copier that was taken for dead is retried",
        [plans("REPORT")],
        [fails("LedgerConflict"), reports("COMPLETE")],
        [*PLAN, *REPORT, "RunComplete"],
        calls={"reporter": 2},
    ),
    Case(
        "a copier that lost its shard is not called again",
        PLANS_COPY,
        [reports("INCOMPLETE", "ServiceFault")],
        [*COPY, *REPORT, "RunIncomplete"],
        [[fails("LedgerConflict")]],
        status="FAILED",
        error="ServiceFault",
        children=[("FAILED", "LedgerConflict")],
        calls={"copier": 1},
    ),
    Case(
        "a planner that keeps failing is reported",
        [fails("ServiceFault")],
        [reports("FAILED", "ServiceFault")],
        ["OpenRun", "PlanShards", "RecordPlanProblem", *REPORT, "RunFailed"],
        status="FAILED",
        error="ServiceFault",
        problem=("PlanShards", "ServiceFault"),
        calls={"planner": 6},
    ),
    Case(
        "an unknown error of the planner is reported, not retried",
        [fails("Surprise")],
        [reports("FAILED", "InvariantViolated")],
        ["OpenRun", "PlanShards", "RecordPlanProblem", *REPORT, "RunFailed"],
        status="FAILED",
        error="InvariantViolated",
        problem=("PlanShards", "Surprise"),
        calls={"planner": 1},
    ),
    Case(
        "an unknown reply of the planner is reported",
        [plans("MAYBE")],
        [reports("FAILED", "InvariantViolated")],
        [*PLAN, "RecordPlanAnomaly", *REPORT, "RunFailed"],
        status="FAILED",
        error="InvariantViolated",
        problem=("PlanShards", "InvariantViolated"),
    ),
    Case(
        "COPY without an index is reported",
        [plans("COPY")],
        [reports("FAILED", "InvariantViolated")],
        [*PLAN, "RecordPlanAnomaly", *REPORT, "RunFailed"],
        status="FAILED",
        error="InvariantViolated",
        problem=("PlanShards", "InvariantViolated"),
    ),
    Case(
        "an index that is not there is reported",
        [plans("COPY", index={"bucket": "no-such-bucket", "key": "runs/x/index.json"})],
        [reports("FAILED", "ServiceFault")],
        [*COPY, "RecordCopyProblem", *REPORT, "RunFailed"],
        status="FAILED",
        error="ServiceFault",
        problem=("CopyShards", "States.ItemReaderFailed"),
    ),
    Case(
        "a reporter's fault is retried",
        [plans("REPORT")],
        [fails("Throttled"), reports("COMPLETE")],
        [*PLAN, *REPORT, "RunComplete"],
        calls={"reporter": 2},
    ),
    Case(
        "a reporter that fails for good leaves a plain notice",
        [plans("REPORT")],
        [fails("AccessDenied", "no table")],
        [*PLAN, "ReportRun", "RecordReporterFailure", "NotifyReporterFailure", "RecordNotice", "RunFailed"],
        status="FAILED",
        error="AccessDenied",
        calls={"reporter": 1},
        notice=True,
    ),
    Case(
        "a reporter that crashes for good leaves a plain notice",
        [plans("REPORT")],
        ["crash"],
        [*PLAN, "ReportRun", "RecordReporterFailure", "NotifyReporterFailure", "RecordNotice", "RunFailed"],
        status="FAILED",
        error="Runtime.ExitError",
        calls={"reporter": 4},
        notice=True,
    ),
    Case(
        "a verdict without its code leaves a plain notice",
        [plans("REPORT")],
        [plans("INCOMPLETE")],
        [*PLAN, *REPORT, "RecordReporterAnomaly", "NotifyReporterFailure", "RecordNotice", "RunFailed"],
        status="FAILED",
        error="InvariantViolated",
        notice=True,
    ),
    Case(
        "ROUND without an index leaves a plain notice",
        [plans("REPORT")],
        [reports("ROUND")],
        [*PLAN, *REPORT, "RecordReporterAnomaly", "NotifyReporterFailure", "RecordNotice", "RunFailed"],
        status="FAILED",
        error="InvariantViolated",
        notice=True,
    ),
]

# Each failure code that can end a run, as the planner's error: none of these is tried again.
RUN_CODES = (
    "InvalidRun", "AccessDenied", "RoleUnavailable", "BucketOwnerMismatch", "BucketUnavailable", "ListingIncomplete",
    "RunOverlap", "DeleteLimitExceeded", "InvariantViolated",
)  # fmt: skip
CASES += [
    Case(f"the planner's {code} is reported and not retried", [fails(code)], [reports("FAILED", code)],
         ["OpenRun", "PlanShards", "RecordPlanProblem", *REPORT, "RunFailed"], status="FAILED", error=code,
         problem=("PlanShards", code), calls={"planner": 1})
    for code in RUN_CODES
]  # fmt: skip


@pytest.fixture(scope="module")
def inbox(stubbed):
    return Inbox(stubbed.machine, "routes")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_route(stubbed, inbox, case):
    inbox.drain()
    execution, calls = stubbed.run(case.planner, case.reporter, case.copiers)

    assert (execution.status, execution.error) == (case.status, case.error)
    assert execution.states == case.states
    assert sorted(stubbed.machine.children(stubbed.machine.execution_arn(execution.run_id))) == case.children
    for role, count in case.calls.items():
        assert sum(1 for call in calls if call["role"] == role) == count, role
    for event in (call["event"] for call in calls if call["role"] == "reporter"):
        problem = event["problem"]
        assert (problem and (problem["state"], problem["error"])) == case.problem
    notices = [notice for notice in inbox.drain() if execution.run_id in notice["Message"]]
    by_the_machine = [notice for notice in notices if notice.get("Subject") == PLAIN_NOTICE]
    by_the_rule = [notice for notice in notices if notice not in by_the_machine]
    assert len(by_the_machine) == (1 if case.notice else 0)
    assert all(case.error in notice["Message"] for notice in by_the_machine)
    # The EventBridge rule speaks for a run that failed unless somebody else did, as the notice says of itself.
    # The reporter here says nothing.
    assert len(by_the_rule) == (1 if case.status == "FAILED" and not case.notice else 0)


def test_events_of_the_functions_are_as_agreed(stubbed):
    """The payloads, field by field: what the Rust side parses."""
    execution, calls = stubbed.run(PLANS_COPY, COMPLETE, [DONE])
    by_role = {call["role"]: call["event"] for call in calls}
    arn = stubbed.machine.execution_arn(execution.run_id)
    run = {"schema_version": 1, "run_id": execution.run_id, "execution_arn": arn}

    started_at = by_role["planner"]["started_at"]
    assert started_at.endswith("Z")
    run_input = by_role["planner"]["input"]
    assert set(run_input) == {"script"}
    assert by_role["planner"] == {**run, "started_at": started_at, "input": run_input}
    assert by_role["copier"] == {**run, "round": 1, "shard_id": f"0:{json.dumps(DONE)}"}
    assert by_role["reporter"] == {**run, "started_at": started_at, "input": run_input, "round": 1, "problem": None}


def test_a_later_round_is_numbered_and_tells_no_old_problem(stubbed):
    broken = [plans("COPY", index={"bucket": "no-such-bucket", "key": "runs/x/index.json"})]
    script = [reports("ROUND", index="INDEX", round=2), reports("COMPLETE", round=2)]
    _execution, calls = stubbed.run(broken, script, [DONE])
    assert [call["event"]["round"] for call in calls if call["role"] == "copier"] == [2]
    seen = [(call["event"]["round"], bool(call["event"]["problem"])) for call in calls if call["role"] == "reporter"]
    assert seen == [(1, True), (2, False)]


def test_the_cases_enter_every_state():
    machine = json.loads((ROOT / "statemachine" / "sync.asl.json").read_text())
    entered = {state for case in CASES for state in case.states}
    assert entered == set(machine["States"])
