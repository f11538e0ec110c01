"""What the local engine does not check of the state machine."""

import json
import math
import re
import subprocess
from pathlib import Path

from .aws_error_names import LAMBDA_CLIENT, invoke_errors, known_names, not_retried
from .project import (
    ASL_PATH,
    ASL_README_PATH,
    ROOT,
    SOURCE_TEMPLATE_PATH,
    all_states,
    asl,
    resources_of,
    table_rows,
    template,
)

CFN_LINT = ROOT / ".venv" / "bin" / "cfn-lint"
ASL_VALIDATOR = Path(__file__).parent / "node_modules" / ".bin" / "asl-validator"
LAMBDA_SECONDS_MAX = 900
NO_SLOT = ["Lambda.TooManyRequestsException"]
# What a new account may run at once (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html says
# "reduced"; accounts report 10). The smallest that we plan for.
SLOTS_MIN = 10
FAILURES = {"RecordPlanAnomaly", "RecordReporterAnomaly", "RecordShardAnomaly"}


def tasks():
    return {name: state for name, state in all_states(asl()).items() if state["Type"] == "Task"}


def lambda_tasks():
    return {name: state for name, state in tasks().items() if state["Resource"].endswith("lambda:invoke")}


def lint_inline(machine, folder):
    """cfn-lint's findings: it reads a state machine only where it stands inline in a template."""
    properties = {"RoleArn": "arn:aws:iam::111111111111:role/any", "Definition": machine}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    path = folder / "inline.json"
    path.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": {"Machine": resource}}))
    return subprocess.run([CFN_LINT, path], capture_output=True, text=True, check=False, timeout=120)


def test_cfn_lint_finds_nothing(tmp_path):
    result = lint_inline(asl(), tmp_path)
    assert (result.returncode, result.stdout) == (0, "")


def test_cfn_lint_would_find_a_broken_machine(tmp_path):
    broken = asl()
    del broken["States"]["PlanShards"]["Resource"]
    assert "E3601" in lint_inline(broken, tmp_path).stdout


def test_asl_validator_finds_nothing(tmp_path):
    machine = tmp_path / "machine.json"
    machine.write_text(json.dumps(asl()))
    result = subprocess.run(
        [ASL_VALIDATOR, "--json-path", machine], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stdout


def test_every_state_says_why():
    assert [name for name, state in all_states(asl()).items() if len(state.get("Comment", "")) < 40] == []


def test_every_retry_and_catch_and_choice_says_why():
    for name, state in all_states(asl()).items():
        for field in ("Retry", "Catch", "Choices"):
            assert all(rule.get("Comment") for rule in state.get(field, [])), (name, field)


def test_the_readme_tabulates_every_state():
    rows = table_rows(ASL_README_PATH.read_text(), "States")
    tabulated = [re.match(r"`(\w+)`", row[0]).group(1) for row in rows]
    assert sorted(tabulated) == sorted(all_states(asl()))


def test_the_readme_tells_the_retries_of_the_functions():
    rows = {row[0].split("`")[1]: row[5] for row in table_rows(ASL_README_PATH.read_text(), "States")}
    for name, state in lambda_tasks().items():
        throttling, slots, faults, crashes = (retrier["MaxAttempts"] for retrier in state["Retry"])
        retries = f"throttling {throttling}, no free slot {slots}, service faults {faults}"
        assert rows[name] == f"{retries}, crashes and timeouts {crashes}"


def test_retries_are_named_bounded_and_jittered():
    for name, state in all_states(asl()).items():
        for retrier in state.get("Retry", []):
            assert "States.ALL" not in retrier["ErrorEquals"], name
            assert retrier["JitterStrategy"] == "FULL", name
            assert 1 <= retrier["MaxAttempts"] <= (1000 if retrier["ErrorEquals"] == NO_SLOT else 8), name
            assert retrier["IntervalSeconds"] <= retrier["MaxDelaySeconds"] <= 300, name
            assert retrier["BackoffRate"] > 1, name


def test_a_function_without_a_slot_outlasts_the_queue_for_it():
    """All copiers at once where a new account has few slots, and each of them holds its slot for as long as it may."""
    copiers = template(SOURCE_TEMPLATE_PATH)["Parameters"]["CopierConcurrency"]["Default"]
    queue_seconds = math.ceil(copiers / SLOTS_MIN) * LAMBDA_SECONDS_MAX
    for name, state in lambda_tasks().items():
        (rule,) = [retrier for retrier in state["Retry"] if retrier["ErrorEquals"] == NO_SLOT]
        # A wait is drawn evenly from between nothing and its limit. Four standard deviations below what is expected.
        limits = [
            min(rule["IntervalSeconds"] * rule["BackoffRate"] ** min(n, 20), rule["MaxDelaySeconds"])
            for n in range(rule["MaxAttempts"])
        ]
        waits = sum(limits) / 2 - 4 * math.sqrt(sum(limit**2 for limit in limits) / 12)
        # Ten queues, since a copier that yields stands in line again.
        assert waits > 10 * queue_seconds, name
        # 3 events a wait, and waiting as long as the machine may run.
        assert 3 * asl()["TimeoutSeconds"] / (rule["MaxDelaySeconds"] / 2) < 25_000, name


def test_the_functions_are_retried_alike_but_no_copier_that_lost_its_shard():
    def rules(name):
        return [
            {**retrier, "Comment": "", "ErrorEquals": sorted(set(retrier["ErrorEquals"]) - {"LedgerConflict"})}
            for retrier in lambda_tasks()[name]["Retry"]
        ]

    assert rules("PlanShards") == rules("CopyShard") == rules("RenderShard") == rules("ReportRun")
    # Two copiers of one shard that are called again would take it from each other for ever.
    retried = {
        name
        for name, state in lambda_tasks().items()
        if any("LedgerConflict" in retrier["ErrorEquals"] for retrier in state["Retry"])
    }
    assert retried == {"PlanShards", "ReportRun"}


def names_of(rules):
    return [name for rule in rules for name in rule["ErrorEquals"]]


def test_every_name_of_a_retry_or_catch_is_one_that_aws_gives():
    """A name that AWS does not know matches nothing, and nobody notices."""
    for name, state in all_states(asl()).items():
        named = {n for n in names_of(state.get("Retry", []) + state.get("Catch", [])) if "." in n}
        assert named <= known_names(), name


def test_a_function_is_called_again_after_every_error_that_another_call_may_heal():
    """Each error of lambda:Invoke is retried by name, or known to be hopeless; a new one of AWS's model fails here."""
    died = {"Sandbox.Timedout", "Runtime.ExitError", "Runtime.OutOfMemory", "States.Timeout"}
    for name, state in lambda_tasks().items():
        retried = names_of(state["Retry"])
        assert len(retried) == len(set(retried)), name
        assert {n for n in retried if "." in n} == died | LAMBDA_CLIENT | invoke_errors() - not_retried(), name
    assert not_retried() <= invoke_errors()


def test_whatever_fails_is_caught():
    for name, state in all_states(asl()).items():
        if state["Type"] in ("Task", "Map"):
            assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"], name


def test_a_choice_without_a_match_fails():
    choices = {name: state for name, state in all_states(asl()).items() if state["Type"] == "Choice"}
    assert {state["Default"] for state in choices.values()} == FAILURES


def test_timeouts_nest():
    """SDK call < Lambda < task < execution."""
    clients = (ROOT / "lambdas" / "aws" / "src" / "clients.rs").read_text()
    timeout = r"^const \w+_TIMEOUT: Duration = Duration::from_secs\((\d+)\)"
    calls = [int(seconds) for seconds in re.findall(timeout, clients, re.MULTILINE)]
    assert calls
    assert max(calls) < LAMBDA_SECONDS_MAX
    parameters = template(SOURCE_TEMPLATE_PATH)["Parameters"]
    functions = ("PlannerTimeoutSeconds", "CopierTimeoutSeconds", "ReporterTimeoutSeconds")
    assert all(parameters[name]["MaxValue"] == LAMBDA_SECONDS_MAX for name in functions)
    for name, state in lambda_tasks().items():
        assert LAMBDA_SECONDS_MAX < state["TimeoutSeconds"] < asl()["TimeoutSeconds"], name
    assert all("TimeoutSeconds" in state for state in tasks().values())


def test_the_history_holds_the_longest_run():
    # The numbers of OpenRun's comment: 7 events a planner call of 15 minutes, for as long as a run may take.
    planner_events = 7 * asl()["TimeoutSeconds"] // LAMBDA_SECONDS_MAX
    assert planner_events == 9408
    assert planner_events < 25_000 // 2


def test_no_jsonata():
    # The local engine leaves JSONata inside a Map unevaluated, and says nothing.
    text = ASL_PATH.read_text()
    assert "{%" not in text
    assert text.count('"QueryLanguage"') == 1
    assert asl()["QueryLanguage"] == "JSONPath"


def test_nothing_depends_on_the_result_of_the_map():
    copy_shards = asl()["States"]["CopyShards"]
    assert copy_shards["ResultPath"] is None
    assert copy_shards["ToleratedFailurePercentage"] == 100
    assert "ResultWriter" in copy_shards


def test_every_state_can_be_reached():
    for machine in (asl(), asl()["States"]["CopyShards"]["ItemProcessor"]):
        reached, waiting = set(), [machine["StartAt"]]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting += followers(machine["States"][name])
        assert reached == set(machine["States"])


def followers(state):
    rules = state.get("Choices", []) + state.get("Catch", [])
    return [n for n in [state.get("Next"), state.get("Default"), *(rule["Next"] for rule in rules)] if n]


def test_placeholders_are_those_that_the_template_fills():
    (machine,) = resources_of(template(SOURCE_TEMPLATE_PATH), "AWS::Serverless::StateMachine").values()
    placeholders = set(re.findall(r"\$\{(\w+)\}", ASL_PATH.read_text()))
    assert placeholders == set(machine["Properties"]["DefinitionSubstitutions"])
