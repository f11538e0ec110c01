"""The screens in docs/OPERATIONS.md are those of the command, on a terminal of 80 columns.

With `UPDATE_SCREENS=1` in the environment, the page gets the screens as they are now.
"""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import textwrap
import threading
from contextlib import suppress

from shardlift_local.comparison import listing
from shardlift_local.deployment import ROOT
from shardlift_local.sample import Item

from .execution import Inbox
from .operator_command import INCOMPLETE, SHARDLIFT
from .pair import TestPair
from .restoring import instant_after_the_last_write, restoring_machine
from .test_operating import refusing

PAGE = ROOT / "docs" / "OPERATIONS.md"
BEGIN, END = "<!-- screens: begin -->\n", "<!-- screens: end -->"
COLUMNS = 80
# What is another one each time, and what stands for it.
VARYING = (
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "2026-11-22T02:00:00Z"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "2026-11-22 02:00:00 UTC"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "6 s"),
    (r" +6 s$", "  6 s"),
    (r"run-\d{8}T\d{9}", "run-20261122T020000000"),
    (r"[0-9a-f]{64}", "5b1f" * 16),
    (r"\(HTTP 403,[^)]*\)", "(HTTP 403, …)"),
    (r"(Request cost ).*", r"\1$0.01 (estimated $0.01)"),
    (r"account may run \d+ functions", "account may run 1000 functions"),
    # The control bucket's name ends in letters that CloudFormation chooses.
    (r"pictured-control[a-z]*-[\w-]+|pictured-[\w]*control[\w-]*", "pictured-control"),
)


class Pictured:
    """The command, on a terminal that keeps what it shows."""

    def __init__(self, outputs_path):
        self._outputs_path = outputs_path
        self.screens = []

    def shows(self, title, *arguments, code=0, stays=()):
        """Runs the command, and keeps the screen below a title. `stays` are arguments that nobody types."""
        main, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        environment = {"PATH": os.environ["PATH"], "TERM": "xterm", "NO_COLOR": "1"}
        line = [SHARDLIFT, "--local", "--local-outputs", self._outputs_path, *arguments, *stays]
        # Progress is redrawn, and no picture of it would be the same twice.
        process = subprocess.Popen(line, env=environment, stdin=child, stdout=child, stderr=subprocess.PIPE)
        os.close(child)
        beside = []
        reader = threading.Thread(target=lambda: beside.append(process.stderr.read()))
        reader.start()
        written = b""
        # A terminal whose other end is closed is an error to read.
        with suppress(OSError):
            while piece := os.read(main, 4096):
                written += piece
        os.close(main)
        reader.join()
        assert process.wait(timeout=120) == code, (written.decode(), beside)
        text = written.decode().replace("\r\n", "\n").strip("\n")
        typed = " ".join(["$ shardlift", *(str(argument) for argument in arguments)])
        lines = textwrap.wrap(plain(typed), COLUMNS - 6, break_long_words=False, break_on_hyphens=False)
        self.screens.append((title, " \\\n    ".join(lines), text))

    def markdown(self):
        parts = []
        for title, typed, text in self.screens:
            shown = "\n".join(line.rstrip() for line in plain(text).splitlines())
            parts.append(f"{title}\n\n```text\n{typed}\n{shown}\n```\n")
        return "\n".join(parts)


def plain(text):
    text = text.replace("shardlift --local ", "shardlift ")
    for pattern, stands in VARYING:
        text = re.sub(pattern, stands, text, flags=re.MULTILINE)
    return text


def test_the_screens_of_the_page_are_those_of_the_command(server, tmp_path):
    machine = restoring_machine(server, "pictured", source_prefix="data/", target_prefix="data/")
    Inbox(machine, "pictured-inbox")
    outputs_path = tmp_path / "outputs.json"
    outputs_path.write_text(json.dumps(machine.outputs))
    pair = TestPair(machine, "data/")
    pair.upload([Item(f"2026/11/{day:02}.csv", generated_bytes=2_000) for day in range(1, 23)])
    pictured = Pictured(outputs_path)
    pictured.shows("Before the first run:", "doctor")
    pictured.shows("A run, watched to its end:", "start", "--watch", stays=["--name", "nightly-22"])
    pair.upload([Item("2026/11/23.csv", generated_bytes=2_000), Item("2026/11/24.csv", generated_bytes=2_000)])
    policies, allowed, refused = refusing(machine, pair, "2026/11/24.csv")
    policies.write("source-bucket", refused)
    name = ["--name", "nightly-23", "--rounds-max", "1"]
    pictured.shows(
        "The next one, after somebody changed the source bucket's policy:", "start", "--watch", code=1, stays=name
    )
    pictured.shows("The cause, and what to do about it:", "failures", code=INCOMPLETE)
    policies.write("source-bucket", allowed)
    again = ["--name", "nightly-23-again"]
    pictured.shows("After fixing it, the rest:", "rerun", "--watch", stays=again)
    machine.start({}, "by-mistake")
    pictured.shows("A run that should not have been started:", "stop")
    instant = instant_after_the_last_write()
    source, bucket, prefix = pair.source
    for day in range(1, 11):
        source.delete_object(Bucket=bucket, Key=f"{prefix}2026/11/{day:02}.csv")
    restore = ["start", "--watch", "--mode", "copy", "--as-of", instant, "--source", f"s3://{bucket}/{prefix}"]
    restore += ["--target", f"s3://{bucket}/restored/", "--role-arn", machine.outputs["restore_role_arn"]]
    title = "Ten objects that somebody deleted at the source, brought back into a new prefix with all others:"
    pictured.shows(title, *restore, stays=["--name", "restore"])
    assert len(listing(source, bucket, "restored/")) == 24
    pictured.shows("All of them:", "status")
    page = PAGE.read_text()
    before, _begin, rest = page.partition(BEGIN)
    _old, _end, after = rest.partition(END)
    new = f"{before}{BEGIN}\n{pictured.markdown()}\n{END}{after}"
    if os.environ.get("UPDATE_SCREENS"):
        PAGE.write_text(new)
    assert page == new or os.environ.get("UPDATE_SCREENS"), "the screens changed: run this test with UPDATE_SCREENS=1"
    for _title, _typed, text in pictured.screens:
        wide = [line for line in text.splitlines() if len(line) > COLUMNS]
        assert not [line for line in wide if not re.search(r"s3://|shardlift --local|aws |Digest", line)], wide
