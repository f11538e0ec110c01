"""Reruns on the real machine: what a run left undone is done, and the S3 model counts that nothing else is."""

import json
import subprocess
import time
from collections import Counter, defaultdict
from dataclasses import dataclass

import pytest
from shardlift_local.deployment import ROOT, Deployment

from .execution import Machine
from .modelled import ModelledPair, let_the_role_read, take_over_buckets

OBJECTS = 1_000
WAIT_SECONDS_MAX = 60


@pytest.fixture(scope="module")
def machine(server, model):
    parameters = {"DataS3EndpointUrl": model.endpoint_url}
    deployment = Deployment(server.endpoint_url, name="reruns", parameters=parameters)
    machine = Machine(deployment, deployment.deploy())
    take_over_buckets(model, deployment)
    return machine


@pytest.fixture
def pair(machine, model, request):
    pair = RerunPair(machine, f"{request.node.name.removeprefix('test_')}/", model)
    yield pair
    pair.deny(())
    pair.let_copy()


@dataclass(frozen=True)
class RerunPair(ModelledPair):
    """A pair of which some copies can be refused."""

    def keys(self, *last_two_digits):
        """Of every hundred objects, those whose numbers end so."""
        return {f"{self.prefix}{number:09}" for number in range(OBJECTS) if number % 100 in last_two_digits}

    def fill(self):
        document = {"key": self.prefix, "size_bytes": 1_000, "count": OBJECTS}
        self.model.control("POST", f"objects/{self.machine.outputs['source_bucket']}", document)

    def deny(self, keys):
        """What a person does to a bucket's policy in the console."""
        let_the_role_read(self.model, self.machine.deployment, denied={"s3:GetObject": keys})

    def change(self, keys):
        s3, bucket, _prefix = self.source
        for key in keys:
            s3.put_object(Bucket=bucket, Key=key, Body=b"changed " + key.encode())

    def remove(self, keys):
        s3, bucket, _prefix = self.source
        for key in keys:
            s3.delete_object(Bucket=bucket, Key=key)

    def begin(self, run_id):
        """Starts a run whose copies S3 slows down until `let_copy`, and waits until it copies: its plan is made."""
        hold = {"operations": ["CopyObject"], "fault": {"kind": "refuse", "code": "SlowDown"}}
        self.model.control("PUT", "weather", {"rules": [hold]})
        places = {"source": {"prefix": self.prefix}, "target": {"prefix": self.prefix}}
        arn = self.machine.start({**places, "compare": "etag", "on_change": "fail"}, run_id)
        deadline = time.monotonic() + WAIT_SECONDS_MAX
        while self.model.control("GET", "weather")["fired"] == [0]:
            assert time.monotonic() < deadline, "the run never copies"
        return arn

    def let_copy(self):
        self.model.control("PUT", "weather", {})

    def rerun(self, run_id):
        """Starts what a person types into the console. Returns the execution, and its requests by operation."""
        self.model.control("DELETE", "counters")
        execution = self.machine.run({"rerun_of": run_id})
        requests = self.model.counters()["requests"]
        return execution, Counter({operation: sum(by_status.values()) for operation, by_status in requests.items()})

    def failed_keys(self, execution):
        """The failed keys of a run by reason."""
        found = defaultdict(set)
        for row in self.failures(execution):
            found[row["reason"]].add(row["key"])
        return dict(found)

    def at_target(self):
        """What stands at the target: ETags and times by key."""
        s3, bucket, prefix = self.target
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return {o["Key"]: (o["ETag"], o["LastModified"]) for page in pages for o in page.get("Contents", [])}

    def compared(self):
        """What the model finds when it compares both sides by provenance."""
        source, target = ({"bucket": bucket, "prefix": prefix} for _s3, bucket, prefix in (self.source, self.target))
        return self.model.control("POST", "compare", {"source": source, "target": target})


def test_a_rerun_copies_exactly_what_is_undone_and_touches_nothing_else(machine, pair):
    pair.fill()
    denied, vanished, changed = pair.keys(3, 33, 63), pair.keys(50), pair.keys(77)
    pair.deny(denied)
    arn = pair.begin("three-percent")
    # Planned as they were; now they are others.
    pair.remove(vanished)
    pair.change(changed)
    pair.let_copy()
    first = machine.wait(arn)

    assert (first.status, first.error) == ("FAILED", "AccessDenied")
    report = pair.report(first)
    assert report["verdict"] == "INCOMPLETE"
    assert report["failed"]["by_reason"] == {"AccessDenied": 30, "SourceChanged": 10, "SourceMissing": 10}
    expected = {"AccessDenied": denied, "SourceChanged": changed, "SourceMissing": vanished}
    assert pair.failed_keys(first) == expected
    before = pair.at_target()
    assert len(before) == OBJECTS - 50

    pair.deny(())
    execution, requests = pair.rerun("three-percent")

    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    report = pair.report(execution)
    assert (report["verdict"], report["rerun_of"]) == ("COMPLETE", "three-percent")
    assert report["planned"] == report["copied"]
    assert report["copied"]["objects"] == 40
    assert report["not_planned"]["gone"]["objects"] == 10
    assert report["verified"] == {"method": "relist", "missing": 0, "different": 0}
    assert pair.failed_keys(execution) == {}
    compared = pair.compared()
    assert compared["identical"] == OBJECTS - 10
    assert not any(compared[difference] for difference in ("missing", "different", "extra"))
    after = pair.at_target()
    assert {key: after[key] for key in before} == before
    assert set(after) - set(before) == denied | changed
    # What a rerun asks for that has nothing to do: the checks before a run, and the proof after it.
    idle, idle_requests = pair.rerun(execution.run_id)
    assert (idle.status, idle_requests["CopyObject"]) == ("SUCCEEDED", 0)
    more = requests - idle_requests
    assert more.pop("CopyObject") == 40
    assert set(more) <= {"ListObjectsV2"}, "the fifty objects are looked up by listing them"
    assert more["ListObjectsV2"] <= 50


def test_a_rerun_that_fails_is_rerun_itself(machine, pair):
    pair.fill()
    denied, vanished = pair.keys(5), pair.keys(6)
    pair.deny(denied | vanished)
    arn = pair.begin("first-of-three")
    pair.let_copy()
    assert machine.wait(arn).error == "AccessDenied"
    pair.remove(vanished)
    second, _requests = pair.rerun("first-of-three")
    assert (second.status, second.error) == ("FAILED", "AccessDenied")
    assert pair.failed_keys(second) == {"AccessDenied": denied}
    assert pair.report(second)["not_planned"]["gone"]["objects"] == 10

    pair.deny(())
    third, requests = pair.rerun(second.run_id)
    assert (third.status, third.cause) == ("SUCCEEDED", "")
    assert requests["CopyObject"] == 10
    report = pair.report(third)
    assert (report["verdict"], report["rerun_of"]) == ("COMPLETE", second.run_id)
    assert report["not_planned"]["gone"]["objects"] == 0


def test_a_run_to_a_nested_target_is_refused_by_the_name_of_the_other(machine, pair):
    pair.fill()
    arn = pair.begin("nested-outer")
    places = {"source": {"prefix": f"{pair.prefix}x/"}, "target": {"prefix": f"{pair.prefix}x/"}}
    refused = machine.run({**places, "mode": "sync"})
    assert (refused.status, refused.error) == ("FAILED", "RunOverlap")
    for named in ("nested-outer", machine.outputs["target_bucket"], pair.prefix):
        assert named in refused.cause, named
    beside = machine.run({"source": {"prefix": "beside/"}, "target": {"prefix": f"{pair.prefix.rstrip('/')}-2/"}})
    assert beside.status == "SUCCEEDED", beside.cause
    pair.let_copy()
    assert machine.wait(arn).status == "SUCCEEDED"
    # Nobody holds anything any more.
    assert machine.run({**places, "mode": "sync"}).status == "SUCCEEDED"


def test_a_run_that_is_under_way_or_unknown_is_refused_by_name(machine, pair):
    pair.fill()
    arn = pair.begin("under-way")
    # The input of the first is right: it has to wait.
    for run_id, error, named in (
        ("under-way", "RunOverlap", "run under-way is still under way"),
        ("nobody", "InvalidRun", "field `rerun_of`: the ledger of this stack has no run nobody"),
    ):
        refused, _requests = pair.rerun(run_id)
        assert (refused.status, refused.error) == ("FAILED", error)
        assert named in refused.cause
    pair.let_copy()
    assert machine.wait(arn).status == "SUCCEEDED"
    # Nothing is undone: that is reported, and proven.
    execution, requests = pair.rerun("under-way")
    assert execution.status == "SUCCEEDED"
    assert requests["CopyObject"] == 0
    assert pair.report(execution)["planned"]["objects"] == 0


def test_a_run_that_was_stopped_while_it_copied_says_when_it_may_be_rerun(machine, pair, tmp_path):
    """What the command says is done, at the time that it says."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(machine.outputs))
    shardlift = [ROOT / "target" / "release" / "shardlift", "--local", "--local-outputs", outputs]

    def watched():
        return subprocess.run([*shardlift, "watch", "stopped"], capture_output=True, text=True, timeout=60).stdout

    pair.fill()
    arn = pair.begin("stopped")
    machine.states.stop_execution(executionArn=arn, error="Stopped", cause="by a person")
    told = watched()
    assert "a copier of this run may still be working" in told
    # Started too early, it is told to wait, and what to start after that is the same rerun.
    early, _requests = pair.rerun("stopped")
    assert (early.status, early.error) == ("FAILED", "RunOverlap")
    assert "a copier of run stopped may still work until" in early.cause
    pair.let_copy()
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while "may still be working" in told:
        assert time.monotonic() < deadline, told
        told = watched()
    command = [line.strip() for line in told.splitlines() if line.strip().startswith("shardlift --local start")]
    assert command == ["shardlift --local start --rerun-of stopped --watch"]
    rerun = subprocess.run([*shardlift, *command[0].split()[2:]], capture_output=True, text=True, timeout=120)
    assert rerun.returncode == 0, rerun.stdout + rerun.stderr
    assert not pair.compared()["missing"]
