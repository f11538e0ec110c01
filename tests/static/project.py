"""The files that the static tests read."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).resolve().parents[2]
ASL_PATH = ROOT / "statemachine" / "sync.asl.json"
ASL_README_PATH = ROOT / "statemachine" / "README.md"
SOURCE_TEMPLATE_PATH = ROOT / "infra" / "template.yaml"
TARGET_TEMPLATE_PATH = ROOT / "infra" / "target-account.yaml"
PAIR_TEMPLATE_PATH = ROOT / "infra" / "pair.yaml"
SOURCE_POLICY_PATH = ROOT / "infra" / "source-bucket-policy.json"


def asl(partition="aws"):
    """The state machine as it is deployed in a partition; the names of the stack's resources are left open."""
    return json.loads(ASL_PATH.read_text().replace("${Partition}", partition))


def template(path):
    return yaml_parse(path.read_text())


def all_states(machine):
    """Every state by name, those inside the Map too."""
    found = dict(machine["States"])
    for state in machine["States"].values():
        if state["Type"] == "Map":
            found |= state["ItemProcessor"]["States"]
    return found


def table_rows(text, heading):
    """The body rows of the first table after a heading, as lists of cells."""
    section = text.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


@dataclass(frozen=True)
class FailureCode:
    """A row of the table that lambdas/core/src/failure/code.rs declares."""

    name: str
    concerns: str
    retry: str
    meaning: str
    action: str


SCOPES = {"Run": "run", "Object": "object", "RunOrObject": "run or object"}
RETRIES = {"Later": "later", "AfterAction": "after action"}


def rust_failure_codes():
    source = (ROOT / "lambdas" / "core" / "src" / "failure" / "code.rs").read_text()
    (body,) = re.findall(r"^failure_codes! \{$(.*?)^\}$", source, re.MULTILINE | re.DOTALL)
    row = re.compile(r'(\w+),\s*(\w+),\s*(\w+),\s*"([^"]*)",\s*"([^"]*)";')
    found = [FailureCode(n, SCOPES[s], RETRIES[r], m, a) for n, s, r, m, a in row.findall(body)]
    # Nothing of the declaration may slip through the pattern.
    assert row.sub("", body).strip() == ""
    return found


def resources_of(template_, kind):
    return {name: r for name, r in template_["Resources"].items() if r["Type"] == kind}


def statements_of(role):
    """The statements of a role's inline policies, those of conditions (Fn::If) with both branches."""
    found = []
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            found += [branch for branch in branches if "Effect" in branch]
    return found


def by_sid(role):
    """The statements of a role by their ids."""
    return {statement["Sid"]: statement for statement in statements_of(role)}


def listed(value):
    return value if isinstance(value, list) else [value]
