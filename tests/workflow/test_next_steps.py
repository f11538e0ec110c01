"""After every kind of end, the command says what to start next; that is started, and the pair is as it should be."""

import json
import shlex
import subprocess

import pytest
from shardlift_local.deployment import ROOT, Deployment
from shardlift_local.sample import Item

from tests.security.mutations import Cut, Mutation, Policies

from .execution import Machine
from .pair import TestPair

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
KEYS = {"a", "b", "kept.tmp"}
INCOMPLETE, BROKEN = 1, 2


@pytest.fixture(scope="module")
def machine(server):
    deployment = Deployment(server.endpoint_url, name="advised")
    return Machine(deployment, deployment.deploy())


@pytest.fixture(scope="module")
def outputs_path(machine, tmp_path_factory):
    path = tmp_path_factory.mktemp("advised") / "outputs.json"
    path.write_text(json.dumps(machine.outputs))
    return path


class Advised:
    """A pair, and the command with which a person looks after it."""

    def __init__(self, machine, outputs_path, prefix):
        self.pair = TestPair(machine, prefix)
        self.machine = machine
        self.policies = Policies(machine.deployment, machine.outputs, {})
        self._outputs_path = outputs_path
        self.pair.upload([Item(key, generated_bytes=10) for key in sorted(KEYS)])

    def command(self, *arguments):
        arguments = [SHARDLIFT, "--local", "--local-outputs", self._outputs_path, *arguments]
        return subprocess.run(arguments, capture_output=True, text=True, timeout=120)

    def input(self, **more):
        """The input of a run over this pair; a field that a rerun or another start must not lose."""
        places = {"source": {"prefix": self.pair.prefix}, "target": {"prefix": self.pair.prefix}}
        return {**places, "filters": {"exclude": ["**.tmp"]}, **more}

    def look(self, run_id, code):
        """What a person is told who comes back to a run."""
        seen = self.command("watch", run_id)
        assert seen.returncode == code, seen.stdout + seen.stderr
        return seen.stdout

    def start_what_is_said(self, told):
        """Starts what the last line of the next steps says. Returns what is told then."""
        lines = [line.split() and line.strip() for line in told.splitlines()]
        (command,) = [line for line in lines if line and line.startswith("shardlift --local start")]
        arguments = shlex.split(command)[2:]
        started = self.command(*arguments)
        assert started.returncode == 0, told + started.stdout + started.stderr
        return started.stdout

    def assert_done(self):
        assert self.pair.target_keys() == KEYS - {"kept.tmp"}


@pytest.fixture
def advised(machine, outputs_path, request):
    return Advised(machine, outputs_path, f"{request.node.name.removeprefix('test_')}/")


def test_after_a_dry_run_it_is_copied(advised):
    run = advised.machine.run(advised.input(dry_run=True))
    told = advised.look(run.run_id, 0)
    assert advised.start_what_is_said(told).lstrip().startswith("COMPLETE")
    advised.assert_done()


def test_a_run_that_broke_before_its_plan_is_started_with_its_own_input(advised):
    gone = Mutation((Cut("source-bucket", "ShardliftReadSource", "statement"),))
    with advised.policies.without(gone):
        run = advised.machine.run(advised.input(mode="copy"))
    told = advised.look(run.run_id, INCOMPLETE)
    assert "rerun" not in told, "a rerun would be refused"
    advised.start_what_is_said(told)
    advised.assert_done()


def test_a_refused_input_is_shown_to_be_corrected(advised):
    wrong = advised.input(multipart_threshold_bytes=1)
    run = advised.machine.run(wrong)
    told = advised.look(run.run_id, INCOMPLETE)
    (command,) = [line.strip() for line in told.splitlines() if line.strip().startswith("shardlift --local start")]
    arguments = shlex.split(command)
    assert json.loads(arguments[arguments.index("--input") + 1]) == wrong
    assert "start the run again" not in told, "with the same input it would be refused again"


def test_what_failed_is_rerun(advised):
    _s3, bucket, prefix = advised.pair.source
    allowed = advised.policies.read("source-bucket")
    deny = {"Sid": "RefuseOne", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    deny["Resource"] = f"arn:aws:s3:::{bucket}/{prefix}b"
    advised.policies.write("source-bucket", {**allowed, "Statement": [*allowed["Statement"], deny]})
    run = advised.machine.run(advised.input(rounds_max=1))
    advised.policies.write("source-bucket", allowed)
    told = advised.look(run.run_id, INCOMPLETE)
    advised.start_what_is_said(told)
    advised.assert_done()


def test_what_an_audit_finds_missing_is_copied_over_the_same_pair(advised):
    run = advised.machine.run(advised.input(mode="audit"))
    told = advised.look(run.run_id, INCOMPLETE)
    advised.start_what_is_said(told)
    advised.assert_done()


def test_a_run_that_was_stopped_before_its_plan_is_started_with_its_own_input(advised):
    run_id = "stopped-at-once"
    arn = advised.machine.start(advised.input(), run_id)
    advised.machine.states.stop_execution(executionArn=arn, error="Stopped", cause="by a person")
    advised.machine.wait(arn)
    told = advised.look(run_id, BROKEN)
    assert "ended without a report" in told
    advised.start_what_is_said(told)
    advised.assert_done()


def test_a_run_that_nobody_could_report_is_rerun(advised):
    gone = Mutation((Cut("reporter-role", "ReadTheLedger", "statement"),))
    with advised.policies.without(gone):
        run = advised.machine.run(advised.input())
    told = advised.look(run.run_id, BROKEN)
    assert "--rerun-of" in told
    advised.start_what_is_said(told)
    advised.assert_done()


def test_a_rerun_that_was_refused_for_its_input_names_what_can_be_started(advised):
    run = advised.machine.run(advised.input())
    refused = advised.machine.run({"rerun_of": "no-such-run"})
    told = advised.look(refused.run_id, INCOMPLETE)
    assert "InvalidRun" in told
    assert "no run no-such-run" in told
    assert run.status == "SUCCEEDED"
