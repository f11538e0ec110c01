"""The payloads are one contract: in Rust, in the state machine, in its fixtures."""

import json
import re

import pytest

from .project import ROOT, all_states, asl

FIXTURES = ROOT / "statemachine" / "fixtures"
ROLES = {
    "planner": ("PlanShards", "CheckPlan"),
    "copier": ("CopyShard", "CheckShard"),
    "renderer": ("RenderShard", "CheckShard"),
    "reporter": ("ReportRun", "CheckReport"),
}
WORKERS = {"copier", "renderer"}
EVENT_RS = (ROOT / "lambdas" / "core" / "src" / "run" / "event.rs").read_text()


def rust_item(kind, name):
    (body,) = re.findall(rf"^pub {kind} {name} \{{$(.*?)^\}}$", EVENT_RS, re.MULTILINE | re.DOTALL)
    return body


def rust_fields(name):
    return set(re.findall(r"^    pub (\w+):", rust_item("struct", name), re.MULTILINE))


def rust_name(role, kind):
    """Copier and renderer are called alike."""
    return f"{'Worker' if role in WORKERS else role.capitalize()}{kind}"


def rust_statuses(role):
    variants = re.findall(r"^    (\w+),", rust_item("enum", rust_name(role, "Status")), re.MULTILINE)
    return {re.sub(r"(?<=[a-z])(?=[A-Z])", "_", variant).upper() for variant in variants}


def fixture(name):
    return json.loads((FIXTURES / f"{name}.json").read_text())


def statuses_of_choice(state):
    rules = [rule for choice in state["Choices"] for rule in choice["And"]]
    return {rule["StringEquals"] for rule in rules if "StringEquals" in rule}


@pytest.mark.parametrize("role", ROLES)
def test_the_machine_sends_the_fields_that_rust_reads(role):
    payload = all_states(asl())[ROLES[role][0]]["Parameters"]["Payload"]
    sent = {name.removesuffix(".$") for name in payload}
    name = "copier" if role in WORKERS else role
    assert sent == rust_fields(rust_name(role, "Event")) == set(fixture(f"{name}-event"))


@pytest.mark.parametrize("role", ROLES)
def test_the_machine_routes_every_status_that_rust_returns(role):
    routed = statuses_of_choice(all_states(asl())[ROLES[role][1]])
    name = "copier" if role in WORKERS else role
    assert routed == rust_statuses(role) == {reply["status"] for reply in fixture(f"{name}-replies")}


@pytest.mark.parametrize("role", ROLES)
def test_the_fixtures_have_the_fields_of_the_reply(role):
    fields = rust_fields(rust_name(role, "Result"))
    name = "copier" if role in WORKERS else role
    assert all(set(reply) == fields for reply in fixture(f"{name}-replies"))


def test_a_problem_has_the_fields_that_the_machine_writes():
    written = {name.removesuffix(".$") for name in all_states(asl())["RecordPlanProblem"]["Parameters"]}
    assert written == rust_fields("Problem") == set(fixture("reporter-event-after-a-problem")["problem"])


def test_the_map_hands_each_child_what_the_copier_is_sent():
    selector = asl()["States"]["CopyShards"]["ItemSelector"]
    assert {name.removesuffix(".$") for name in selector} == rust_fields("WorkerEvent") | {"kind"}


def test_a_shard_goes_to_the_function_of_its_runs_kind():
    states = all_states(asl())
    rules = {choice["And"][-1]["StringEquals"]: choice["Next"] for choice in states["ChooseFunction"]["Choices"]}
    assert rules == {"COPY": "CopyShard", "RENDER": "RenderShard"}
    kinds = re.findall(r"^    (\w+),", rust_item("enum", "RunKind"), re.MULTILINE)
    assert {kind.upper() for kind in kinds} == set(rules)
    # A copier that yields is called again, and no renderer in its place.
    again = [c for c in states["CheckShard"]["Choices"] if c["And"][-1]["StringEquals"] == "YIELD"]
    assert [choice["Next"] for choice in again] == ["ChooseFunction"]
