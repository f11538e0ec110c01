"""Inputs as people write them: each has a run, and a report that says what it did or what is wrong."""

import json

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.sample import Item

from .execution import Inbox, Machine
from .pair import TestPair

ITEMS = [Item("kept", generated_bytes=5), Item("left.tmp", generated_bytes=7)]


@pytest.fixture(scope="module")
def inbox(real):
    return Inbox(real, "inputs")


@pytest.mark.parametrize("name", ["nightly.2026-11-26@ops", "it's(me)!+1=2", "-dash", "nächtlich"])
def test_a_run_of_any_name_that_step_functions_takes_is_complete(real, inbox, name):
    pair = TestPair(real, f"names/{name.encode().hex()}/")
    uploaded = pair.upload(ITEMS)
    places = {"source": {"prefix": pair.prefix}, "target": {"prefix": pair.prefix}}
    execution = real.run(places, run_id=name)
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert pair.differences(uploaded) == []
    report = pair.report(execution)
    assert (report["run_id"], report["verdict"]) == (name, "COMPLETE")
    assert any(name in notice["Message"] for notice in inbox.drain())


def nested(levels):
    value = "x"
    for _ in range(levels):
        value = [value]
    return value


REFUSED = [
    ("the input", {"filters": {"include": nested(200)}}),
    ("the input", {"source": nested(400)}),
    ("source", {"source": ["a-bucket", "data/"]}),
    ("filters", {"filters": [["**"]]}),
    ("the input has", {"filters": {"exclude": ["x" * 1_000] * 240}}),
    ("filters.include[0]", {"filters": {"include": [nested(100)]}}),
]


@pytest.mark.parametrize(("named", "run_input"), REFUSED, ids=range(len(REFUSED)))
def test_an_input_of_the_wrong_shape_gets_a_report(real, inbox, named, run_input):
    execution = real.run(run_input)
    assert (execution.status, execution.error) == ("FAILED", "InvalidRun")
    assert named in execution.cause
    report = TestPair(real, "").report(execution)
    assert (report["verdict"], report["problem"]["code"]) == ("INCOMPLETE", "InvalidRun")
    assert any("InvalidRun" in notice["Message"] for notice in inbox.drain())


def test_the_nightly_run_has_the_filters_of_the_stack(server):
    filters = {"exclude": ["**.{tmp,bak}"], "size_min_bytes": 1}
    parameters = {"RunFilters": json.dumps(filters)}
    deployment = Deployment(server.endpoint_url, name="filtered", parameters=parameters)
    pair = TestPair(Machine(deployment, deployment.deploy()), "filtered/")
    pair.upload([*ITEMS, Item("empty", generated_bytes=0)])
    execution = pair.run()
    assert execution.status == "SUCCEEDED"
    assert pair.target_keys() == {"kept"}
    assert pair.report(execution)["filtered"] == {"objects": 2, "bytes": 7}
    # A filter of the input replaces the one of the same name, and leaves the others.
    pair.run(filters={"exclude": []})
    assert pair.target_keys() == {"kept", "left.tmp"}


def test_a_prefix_without_a_slash_says_what_it_takes_along(real):
    folder, neighbour = TestPair(real, "beside/data/"), TestPair(real, "beside/data2/")
    folder.upload(ITEMS)
    neighbour.upload(ITEMS)
    raw = TestPair(real, "beside/data")
    report = raw.report(raw.run())
    assert report["copied"]["objects"] == 4
    assert report["beside_prefix"] == 2
    (warning,) = report["warnings"]
    assert warning["code"] == "beside_prefix"
    assert "2 objects next to that folder" in warning["message"]
    assert "beside_prefix" not in folder.report(folder.run())
