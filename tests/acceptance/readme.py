"""The commands of README.md that deploy Shardlift, taken out of it and run as they are written there.

Only placeholders are replaced: names, account ids, profiles. Each must be in the README, and none may be left, so a
README whose commands no longer deploy turns the suite red.
"""

import contextlib
import os
import re
import signal
import subprocess
from dataclasses import dataclass

SECTION = "## Deploy to two accounts"
BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)
TITLE = re.compile(r"^\*\*\d+\. ([^*]+?)\.\*\*", re.MULTILINE)
# The blocks of the README in its order: the title above each, and what is in it alone.
BUILD = ("Build", "make package")
SOURCE = ("Source account", "cloudformation package")
BUCKET_REGION = ("Target account", "head-bucket")
TARGET = ("Target account", "cloudformation deploy")
POLICY = ("Source bucket policy", "put-bucket-policy")
TRY = ("Try it", "start --watch")
NIGHTLY = ("Try it", "ScheduleState=ENABLED")
STEPS = (BUILD, SOURCE, BUCKET_REGION, TARGET, POLICY, TRY, NIGHTLY)
# A README may leave this one out.
OPTIONAL = (BUCKET_REGION,)
# What would be a placeholder that nobody replaced.
LEFT_OVER = re.compile(r"MY-[A-Z]+|…|example\.com|(?<!-)\bshardlift-target\b")
COMMAND_SECONDS_MAX = 900
SHOWN_CHARACTERS_MAX = 600


class ReadmeError(Exception):
    """The README's commands are not what the suite can run, or one of them failed. The message says which."""


@dataclass(frozen=True)
class Step:
    """One code block of the section."""

    title: str
    script: str

    def with_parameters(self, parameters):
        """The step with further parameters of the stack, as the README tells to add them."""
        if "--parameter-overrides" not in self.script:
            raise ReadmeError(f"{self.title}: the README's command has no --parameter-overrides to add to")
        added = "".join(f" \\\n        {name}={value}" for name, value in parameters.items())
        return Step(self.title, self.script.rstrip("\n") + added + "\n")


def deployment_steps(text):
    """Returns the steps of a README by their keys. Raises ReadmeError if they are not the expected ones."""
    _before, found, section = text.partition(f"\n{SECTION}\n")
    if not found:
        raise ReadmeError(f"README.md has no section {SECTION!r}")
    section = section.partition("\n## ")[0]
    steps = {}
    for block in BLOCK.finditer(section):
        title = (TITLE.findall(section[: block.start()]) or ["(no title)"])[-1]
        script = block.group(1)
        keys = [key for key in STEPS if key[0] == title and key[1] in script]
        if len(keys) != 1 or keys[0] in steps:
            raise ReadmeError(f"README.md has a block under {title!r} that the suite does not know: {script}")
        steps[keys[0]] = Step(title, script)
    expected = [key for key in STEPS if key in steps or key not in OPTIONAL]
    if list(steps) != expected:
        raise ReadmeError(f"the blocks of README.md are {list(steps)}; the suite expects {expected}")
    return steps


@dataclass(frozen=True)
class Values:
    """What stands for the README's placeholders."""

    name: str
    source_profile: str
    target_profile: str
    source_account: str
    target_account: str
    artifacts_bucket: str
    source_bucket: str
    target_bucket: str
    schedule: str = "cron(0 2 * * ? *)"
    partition: str = "aws"

    def substitutions(self):
        """Pairs of (pattern in the README, what takes its place), in the order in which they are made."""
        return (
            (r"--profile source\b", f"--profile {self.source_profile}"),
            (r"--profile target\b", f"--profile {self.target_profile}"),
            (r"AWS_PROFILE=source\b", f"AWS_PROFILE={self.source_profile}"),
            (r"\barn:aws:", f"arn:{self.partition}:"),
            (r"222222222222", self.target_account),
            (r"111111111111", self.source_account),
            (r"\bMY-ARTIFACTS\b", self.artifacts_bucket),
            (r"\bMY-SOURCE\b", self.source_bucket),
            (r"\bMY-TARGET\b", self.target_bucket),
            # A queue gets the notifications instead: nobody would confirm the subscription of an address.
            (r"\bme@example\.com\b", ""),
            (r"\bshardlift-target\b", f"{self.name}-target"),
            (r"(--stack-name|--stack) shardlift(?![\w-])", rf"\1 {self.name}"),
            (re.escape("cron(0 2 * * ? *)"), self.schedule),
        )


def substituted(steps, values):
    """The steps with values in the place of the placeholders. Every placeholder must occur."""
    unused = []
    for pattern, value in values.substitutions():
        replaced = {}
        count = 0
        for name, step in steps.items():
            script, found = re.subn(pattern, value, step.script)
            replaced[name] = Step(step.title, script)
            count += found
        if count == 0:
            unused.append(pattern)
        steps = replaced
    if unused:
        raise ReadmeError(f"README.md no longer has the placeholders {', '.join(unused)}")
    return steps


def with_outputs(step, outputs):
    """The step with the outputs of the source account's stack in the place of `Name=…`."""

    def output(match):
        name = match.group(1)
        if name not in outputs:
            raise ReadmeError(f"{step.title}: the README takes {name} from the stack's outputs, which lack it")
        return f"{name}={outputs[name]}"

    return Step(step.title, re.sub(r"(\w+)=…", output, step.script))


class Shell:
    """Runs steps with bash in a folder that looks like the project's root."""

    def __init__(self, folder, environment, log):
        self._folder = folder
        self._environment = environment
        self._log = log

    def run(self, step, variables=None):
        """Runs a step. Returns what it printed; raises ReadmeError with the end of its errors."""
        left = LEFT_OVER.search(step.script)
        if left:
            raise ReadmeError(f"{step.title}: nothing stands for the placeholder {left.group()} of README.md")
        script = "set -euo pipefail\n" + step.script
        code, printed, errors = self._bash(script, {**self._environment, **(variables or {})})
        with self._log.open("a") as log:
            log.write(f"# {step.title}\n{step.script}# exit code {code}\n{printed}{errors}\n")
        if code != 0:
            raise ReadmeError(f"{step.title}: exit code {code}: {_end_of(errors or printed)}")
        return printed

    def _bash(self, script, environment):
        process = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            printed, errors = process.communicate(timeout=COMMAND_SECONDS_MAX)
        except BaseException:
            # With all that it started: a deployment that goes on after Ctrl-C would undo the removal.
            # They may have ended by themselves, and the interruption must not turn into another error.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return process.returncode, printed, errors


def _end_of(text):
    # The CLI draws its progress with carriage returns.
    lines = [line.rpartition("\r")[2].strip() for line in text.splitlines()]
    return " ".join(line for line in lines if line)[-SHOWN_CHARACTERS_MAX:]
