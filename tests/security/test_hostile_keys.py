"""Keys that somebody chose to do harm are text wherever they are shown: in the terminal, the table, the page, the mail
and the log."""

import html
import json
import re
import subprocess
from contextlib import contextmanager

import pytest
from shardlift_local.deployment import Deployment
from shardlift_local.sample import Item

from tests.workflow.execution import Inbox, Machine
from tests.workflow.pair import TestPair

from .test_documents import SHARDLIFT

HOSTILE = [
    '=HYPERLINK("http://evil.example","click")',
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1+1",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "'; DROP TABLE runs; --",
    "\x1b[2J\x1b]0;title\x07",
    'line\nbreak\r\nand {"json": true}',
    "\u202egpj.exe",
    "../../../etc/passwd",
    "a//./..//b",
    "%2e%2e%2f%00",
    'quote"comma,semicolon;',
    "\u0085next\u2028line",
    "a;=1+1\n@b\t'c",
    "hidden\U000e0041\U000e0042 \u3164\u034f",
    "k" * 1024,
]
ACTIVE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u200b-\u200f\u3164\u034f\U000e0000-\U000e0fff]"
)


@pytest.fixture(scope="module")
def machine(server):
    deployment = Deployment(server.endpoint_url, name="hostile")
    return Machine(deployment, deployment.deploy())


@contextmanager
def denied(machine, keys):
    """The source bucket's policy, refusing these keys to the role: each of them fails and is shown."""
    deployment = machine.deployment
    s3, bucket = deployment.source.client("s3"), deployment.source_bucket
    policy = deployment.source_bucket_policy()
    arns = [f"arn:aws:s3:::{bucket}/{key}" for key in keys]
    refusal = {"Sid": "Refuse", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": arns}
    refused = {**policy, "Statement": [*policy["Statement"], refusal]}
    # The owner's own root must still put objects: only reading is refused.
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(refused))
    try:
        yield
    finally:
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


@pytest.fixture(scope="module")
def failed_run(machine):
    """A run in which every hostile key fails."""
    pair = TestPair(machine, "")
    # The smallest object is what the preflight reads.
    pair.upload([Item("0", generated_bytes=1), *(Item(key, generated_bytes=20) for key in HOSTILE)])
    inbox = Inbox(machine, "hostile")
    with denied(machine, HOSTILE):
        execution = pair.run(rounds_max=1)
    assert (execution.status, execution.error) == ("FAILED", "AccessDenied"), execution.cause
    assert pair.report(execution)["failed"]["objects"] == len(HOSTILE)
    return pair, execution, inbox.drain()


def test_the_list_of_failures_calculates_nothing_and_keeps_every_key(failed_run):
    pair, execution, _notices = failed_run
    rows = pair.failures(execution)
    for row in rows:
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
    # As docs/OPERATIONS.md says.
    keys = {re.sub(r"(^|[;\t\r\n])'", r"\1", row["key"]) for row in rows}
    assert keys == set(HOSTILE)


def test_the_page_shows_keys_as_text(failed_run):
    pair, execution, _notices = failed_run
    s3 = pair.machine.deployment.source.client("s3")
    key = f"runs/{execution.run_id}/report.html"
    page = s3.get_object(Bucket=pair.machine.outputs["control_bucket"], Key=key)["Body"].read().decode()
    for hostile in ("<script>alert", "<img src=x", '" onmouseover="', "\x1b", "\u202e"):
        assert hostile not in page
    assert not ACTIVE.search(html.unescape(page)), ACTIVE.search(html.unescape(page))


def test_the_notification_and_the_console_show_keys_as_text(failed_run):
    _pair, execution, notices = failed_run
    assert notices
    for notice in notices:
        assert not ACTIVE.search(notice["Message"])
        assert not ACTIVE.search(notice.get("Subject", ""))
        assert "\n" not in notice.get("Subject", "")
    assert not ACTIVE.search(execution.cause)


def test_the_terminal_shows_keys_as_text(failed_run, tmp_path):
    pair, execution, _notices = failed_run
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(pair.machine.outputs))
    command = [SHARDLIFT, "--local", "--local-outputs", outputs]
    report = subprocess.run(
        [*command, "report", execution.run_id, "--failures"], capture_output=True, check=False, timeout=60
    )
    assert report.returncode == 1, report.stderr
    shards = {row["shard"] for row in pair.failures(execution)}
    manifests = [
        subprocess.run([*command, "manifest", execution.run_id, shard], capture_output=True, check=True, timeout=60)
        for shard in shards
    ]
    for shown in (report.stdout, *(re.sub(rb"\t", b"", manifest.stdout) for manifest in manifests)):
        assert not ACTIVE.search(shown.decode())
    lines = b"".join(manifest.stdout for manifest in manifests).decode().splitlines()
    assert len(lines) == len(HOSTILE) + 1, "one line an object, whatever its key"


def test_a_log_line_is_one_line_of_json(failed_run):
    pair, _execution, _notices = failed_run
    logs = pair.machine.deployment.source.client("logs")
    lines = []
    for name in ("planner", "copier", "reporter"):
        group = f"/aws/lambda/{pair.machine.deployment.name}-{name}"
        lines += [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
    ours = [line for line in lines if line.lstrip().startswith("{")]
    assert ours
    for line in ours:
        json.loads(line)
        assert not ACTIVE.search(line.strip("\r\n")), line
    text = "\n".join(lines)
    for secret in ("SecretAccessKey", "SessionToken", "secret_access_key", "AWS_SECRET"):
        assert secret not in text
