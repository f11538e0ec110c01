"""A permission taken out of a template and a wrong command in the README each turn the suite red."""

import shutil
from dataclasses import dataclass

import pytest
from shardlift_local.deployment import ROOT

from .case import AS_EXPECTED, RED
from .cases import ALL_CASES, DEPLOYMENT_CASES
from .suite import play

BUILD, SOURCE, TARGET, POLICY, TRY = [case.name for case in DEPLOYMENT_CASES]
NOTIFY = "              - Sid: Notify\n                Effect:"
HAPPY_PATH = [case for case in ALL_CASES if case.name == "a run copies every byte under every key"]


@dataclass(frozen=True)
class Fault:
    """A text that is replaced in a file, and the case that must turn red."""

    name: str
    path: str
    before: str
    after: str
    red: str


README_FAULTS = (
    Fault("an option is misspelt", "README.md", "--stack-name shardlift ", "--stackname shardlift ", SOURCE),
    Fault("a parameter is misspelt", "README.md", "TargetExternalId=$", "ExternalID=$", SOURCE),
    Fault("an output has another name", "README.md", "CopierRoleArn=…", "CopierArn=…", TARGET),
    Fault("the document has another name", "README.md", "policy source-bucket --m", "policy source --m", POLICY),
    Fault("a step is gone", "README.md", "**4. Source bucket policy.**", "Source bucket policy.", BUILD),
)
TEMPLATE_FAULTS = (
    Fault(
        "the target role may not read the source",
        "infra/target-account.yaml",
        "Action:\n                  - s3:GetObject\n                  - !If [MayTag",
        "Action:\n                  - !If [MayTag",
        TRY,
    ),
    Fault("the reporter may not publish", "infra/template.yaml", f"{NOTIFY} Allow", f"{NOTIFY} Deny", TRY),
)


@pytest.mark.parametrize("fault", [*README_FAULTS, *TEMPLATE_FAULTS], ids=lambda fault: fault.name)
def test_a_planted_fault_turns_the_suite_red(new_stand, tmp_path, fault):
    readme = tmp_path / "README.md"
    shutil.copy(ROOT / "README.md", readme)
    shutil.copytree(ROOT / "infra", tmp_path / "infra", ignore=shutil.ignore_patterns("local", "__*"))
    changed = tmp_path / fault.path
    text = changed.read_text()
    assert fault.before in text, f"{fault.path} no longer has what is replaced"
    changed.write_text(text.replace(fault.before, fault.after))

    results = play(new_stand(readme_path=readme, infra=tmp_path / "infra"), HAPPY_PATH)

    red = [result for result in results if result.verdict in RED]
    assert red, "nothing turned red"
    assert red[0].case.name == fault.red, [(r.case.name, r.verdict, r.seen) for r in results]
    # Nothing is played on stacks that were not deployed, and nothing of it is green.
    assert AS_EXPECTED not in {result.verdict for result in results[results.index(red[0]) :]}
