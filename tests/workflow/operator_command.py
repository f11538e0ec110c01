"""The operator's command on a deployed machine."""

import json
import os
import subprocess
from dataclasses import dataclass

from shardlift_local.accounts import REGION
from shardlift_local.deployment import ROOT

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
GOOD, INCOMPLETE, BROKEN = 0, 1, 2


@dataclass(frozen=True)
class OperatorCommand:
    """`shardlift --local` with the outputs of one deployment."""

    outputs_path: object

    @classmethod
    def on(cls, machine, folder):
        """The command on a machine, with its outputs in this folder."""
        path = folder / "outputs.json"
        path.write_text(json.dumps(machine.outputs))
        return cls(path)

    def line(self, *arguments):
        return [SHARDLIFT, "--local", "--local-outputs", self.outputs_path, *arguments]

    def __call__(self, *arguments, code=GOOD, seconds_max=180):
        """Runs it, and returns what it wrote: (standard output, standard error)."""
        ran = subprocess.run(self.line(*arguments), capture_output=True, text=True, timeout=seconds_max)
        assert ran.returncode == code, (ran.returncode, ran.stdout, ran.stderr)
        # Piped, nothing acts on a terminal.
        assert "\x1b" not in ran.stdout + ran.stderr
        return ran.stdout, ran.stderr

    def json(self, *arguments, code=GOOD):
        """The document that it writes for programs."""
        text, _beside = self(*arguments, "--output", "json", code=code)
        (line,) = text.splitlines()
        document = json.loads(line)
        assert document["version"] == 1
        return document


@dataclass(frozen=True)
class UserCommand:
    """`shardlift --stack` with the access key of an IAM user."""

    endpoint_url: str
    stack: str
    access_key: dict

    def run(self, *arguments):
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": self.access_key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": self.access_key["SecretAccessKey"],
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        line = [SHARDLIFT, "--stack", self.stack, *arguments]
        return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=180)
