"""Nothing names a partition of AWS: what is deployed in one works in each."""

import json
import re

import botocore.session
import pytest

from .project import (
    ASL_PATH,
    PAIR_TEMPLATE_PATH,
    ROOT,
    SOURCE_POLICY_PATH,
    SOURCE_TEMPLATE_PATH,
    TARGET_TEMPLATE_PATH,
    all_states,
    asl,
    template,
)

LITERAL = re.compile(r"arn:aws(?:-[a-z-]+)?:")


def partitions():
    """AWS's own list of partitions, with the suffix of their endpoints."""
    data = botocore.session.get_session().get_component("data_loader").load_data("partitions")
    return {partition["id"]: partition["outputs"]["dnsSuffix"] for partition in data["partitions"]}


def strings(node, path=()):
    """Every text of a document with its path, those of Fn::Sub too."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from strings(value, (*path, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from strings(value, (*path, number))
    elif isinstance(node, str):
        yield path, node


@pytest.mark.parametrize(
    "path", [SOURCE_TEMPLATE_PATH, TARGET_TEMPLATE_PATH, PAIR_TEMPLATE_PATH], ids=lambda path: path.name
)
def test_no_template_names_a_partition(path):
    named = [where for where, text in strings(template(path)) if LITERAL.search(text) and where[-1] != "Description"]
    assert named == []


@pytest.mark.parametrize("path", [ASL_PATH, SOURCE_POLICY_PATH], ids=lambda path: path.name)
def test_no_document_names_a_partition(path):
    assert LITERAL.findall(path.read_text()) == []


@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn", "aws-eusc"])
def test_the_machine_uses_the_integrations_of_its_partition(partition):
    assert partition in partitions()
    resources = [state["Resource"] for state in all_states(asl(partition)).values() if state["Type"] == "Task"]
    resources += [asl(partition)["States"]["CopyShards"][field]["Resource"] for field in ("ItemReader", "ResultWriter")]
    assert {resource.rpartition(":::")[0] for resource in resources} == {f"arn:{partition}:states"}


def test_no_function_or_command_names_a_partition():
    """Beside tests, comments, and messages that say what an ARN looks like."""
    named = []
    for path in sorted([*ROOT.glob("lambdas/*/src/**/*.rs"), *ROOT.glob("cli/src/**/*.rs")]):
        if path.stem == "tests":
            continue
        code = path.read_text().split("#[cfg(test)]")[0]
        lines = [line for line in code.splitlines() if not line.lstrip().startswith("//")]
        named += [
            f"{path.name}: {line.strip()}" for line in lines if LITERAL.search(line) and "expected arn:" not in line
        ]
    assert named == []


def test_the_suffixes_of_endpoints_are_those_of_aws():
    code = (ROOT / "lambdas/core/src/value/arn/partition.rs").read_text()
    body = code.split("pub fn dns_suffix", 1)[1].split("\n}\n", 1)[0]
    ours = dict(re.findall(r'"(aws[\w-]*)" => "([\w.-]+)"', body))
    (common,) = re.findall(r'_ => "([\w.-]+)"', body)
    assert {partition: ours.get(partition, common) for partition in partitions()} == partitions()
    assert set(ours) <= set(partitions())


def test_a_partition_that_is_named_would_be_found():
    document = json.dumps({"Resource": "arn:aws-us-gov:states:::lambda:invoke"})
    assert LITERAL.findall(document) == ["arn:aws-us-gov:"]
