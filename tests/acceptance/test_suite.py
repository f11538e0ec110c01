"""The suite's own rules: verdicts, the README's placeholders, prices, what is written where."""

import pytest
from shardlift_local.deployment import ROOT

from . import metering, readme
from .case import (
    AS_EXPECTED,
    BROKE,
    KNOWN_FAULT,
    MENDED,
    NOT_AS_EXPECTED,
    NOT_RUN,
    ONLY_AWS,
    RED,
    Case,
    Result,
    expect,
    played,
)
from .cases.conformance import NOT_ON_AWS
from .readme import ReadmeError, Step, Values, deployment_steps, substituted, with_outputs
from .suite import play
from .table import reality

README = (ROOT / "README.md").read_text()
VALUES = Values("slacc-1", "prod-a", "prod-b", "333333333333", "444444444444", "art", "src", "tgt", "rate(1 minute)")


class AnyStand:
    """As much of a stand as a case that does nothing takes."""

    errors = ReadmeError

    def __init__(self, is_local):
        self.is_local = is_local


def raises(error):
    def play(_stand):
        raise error

    return play


def is_so(_stand):
    return "so"


def is_not_so(_stand):
    expect(False, "not so")


@pytest.mark.parametrize(
    ("play", "marks", "is_local", "verdict"),
    [
        (is_so, {}, True, AS_EXPECTED),
        (is_not_so, {}, True, NOT_AS_EXPECTED),
        (raises(ValueError("x")), {}, True, BROKE),
        (raises(ReadmeError("x")), {}, False, BROKE),
        (is_so, {"only_aws": "a reason"}, True, ONLY_AWS),
        (is_not_so, {"only_aws": "a reason"}, False, NOT_AS_EXPECTED),
        (is_not_so, {"known_fault": "a fault"}, True, KNOWN_FAULT),
        (is_so, {"known_fault": "a fault"}, True, MENDED),
    ],
)
def test_a_case_has_the_verdict_that_it_deserves(play, marks, is_local, verdict):
    result = played(Case("name", "expected", ("S1",), play, **marks), AnyStand(is_local))
    assert result.verdict == verdict
    assert (verdict in RED) == (verdict not in (AS_EXPECTED, ONLY_AWS, KNOWN_FAULT))


class SpentStand(AnyStand):
    """A stand whose first case costs too much."""

    def __init__(self):
        super().__init__(is_local=False)
        self.meter = metering.Meter()


def test_a_suite_that_has_spent_its_budget_plays_no_more():
    def spend(stand):
        stand.meter.runs_usd += metering.BUDGET_USD

    cases = [Case("spend", "expected", ("S1",), spend), Case("next", "expected", ("S1",), is_so)]
    results = play(SpentStand(), cases, deployment_cases=())
    assert [result.verdict for result in results] == [AS_EXPECTED, NOT_RUN]
    assert "spent" in results[1].seen


def test_the_meter_counts_requests_runs_and_data():
    meter = metering.Meter()
    for _ in range(1000):
        meter._count("before-send.s3.PutObject")
    meter._count("before-send.s3.HeadObject")
    meter._count("before-send.iam.GetRole")
    meter.add_run(seconds=60, memory_mb=1024, counted_usd=0.25)
    meter.between_regions_gb = 1
    expected = 0.005 + 0.0000004 + 0.25 + 60 * 0.0000166667 + 0.02
    assert meter.usd() == pytest.approx(expected, rel=1e-6)


def test_the_table_hides_account_ids_and_says_what_was_not_judged():
    case = Case("a | b", "expected", ("S1",), is_so, only_aws="no <such> thing")
    facts = {"is_local": False, "commit": "c", "regions": "r", "aws": "aws", "secrets": {"333333333333": "1" * 12}}
    text = reality([Result(case, ONLY_AWS, "role 333333333333: no <such> thing")], ["333333333333"], facts)
    assert "333333333333" not in text
    assert "| a \\| b | S1 | expected | role 111111111111: no &lt;such> thing | only AWS can judge | 0.0 |" in text


def test_every_placeholder_of_the_readme_is_replaced():
    outputs = dict.fromkeys(("PlannerRoleArn", "CopierRoleArn", "ReporterRoleArn"), "arn:role")
    for step in substituted(deployment_steps(README), VALUES).values():
        script = with_outputs(step, outputs).script
        assert not readme.LEFT_OVER.search(script), script
        for word in ("--profile source", "--profile target", "=source ", "111111111111", "222222222222", "cron("):
            assert word not in script, script


def test_a_readme_without_a_placeholder_is_refused():
    with pytest.raises(ReadmeError, match="MY-TARGET"):
        substituted(deployment_steps(README.replace("MY-TARGET", "my-bucket")), VALUES)


def test_a_block_that_the_suite_does_not_know_is_refused():
    more = README.replace("**5. Try it.**", "**5. Try it.**\n\n```sh\naws s3 rb --force s3://MY-SOURCE\n```\n")
    with pytest.raises(ReadmeError, match="does not know"):
        deployment_steps(more)


def test_a_readme_without_a_step_is_refused():
    with pytest.raises(ReadmeError):
        deployment_steps(README.replace("**3. Target account.**", ""))


def test_an_output_that_the_stack_lacks_is_refused():
    with pytest.raises(ReadmeError, match="CopierRoleArn"):
        with_outputs(Step("Target account", "CopierRoleArn=…"), {})


def test_the_conformance_cases_that_aws_cannot_be_asked_exist():
    text = (ROOT / "docs" / "MODEL.md").read_text()
    assert [name for name in NOT_ON_AWS if f"::{name}`" not in text] == []


def test_nobody_recorded_a_run_on_aws_so_far():
    """Whoever records one deletes this test, and the sentences in README.md and docs that it holds."""
    assert "**No run against AWS has been recorded.**" in (ROOT / "docs" / "REALITY.md").read_text()
    assert "**No AWS account has been used for this project so far.**" in README
