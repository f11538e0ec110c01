"""The operator's command in its first minute: what it says where something is missing."""

import fcntl
import json
import os
import pty
import re
import socket
import struct
import subprocess
import termios
import threading
import time
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from shardlift_local.accounts import source_account, target_account
from shardlift_local.deployment import ROOT
from shardlift_local.server import free_port

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
DEAD_SECONDS_MAX = 10
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
PASTED = re.compile(r"s3://|Digest|shardlift --local|aws ")
# Each with its exit code.
SCREENS = [
    (["report", "RUN"], 0),
    (["status"], 0),
    (["shards", "RUN"], 0),
    (["watch", "RUN"], 0),
    (["failures", "RUN"], 0),
    (["stop", "RUN"], 0),
    # 1 as long as nobody is subscribed to the topic, which other tests do; test_doctor.py judges its codes.
    (["doctor"], None),
]


def said(server, *arguments, **variables):
    """What the command says, which is a usage error."""
    account = source_account(server.endpoint_url)
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": server.endpoint_url,
        "AWS_ACCESS_KEY_ID": account.access_key_id,
        "AWS_SECRET_ACCESS_KEY": account.secret_access_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
    }
    ran = subprocess.run([SHARDLIFT, *arguments], env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0
    assert ran.stdout == ""
    # A sentence, not the debug form of a response.
    assert len(ran.stderr) < 450, ran.stderr
    assert not any(sign in ran.stderr for sign in ("SdkBody", "Error(", "{", "\n\n")), ran.stderr
    return ran.stderr


def test_a_stack_that_does_not_exist_is_named_with_its_region(server):
    text = said(server, "--stack", "no-such", "--region", "us-east-1", "status")
    assert "no stack no-such in us-east-1" in text


def test_a_missing_region_is_named_with_what_to_do(server):
    assert "--region" in said(server, "--stack", "no-such", "status")


def test_a_refused_call_says_what_aws_said(server):
    wrong = {"AWS_SECRET_ACCESS_KEY": "wrong"}
    text = said(server, "--stack", "no-such", "--region", "us-east-1", "status", **wrong)
    assert "cloudformation:DescribeStacks failed: " in text
    assert "(SignatureDoesNotMatch)" in text


@pytest.mark.parametrize("arguments", [["status"], ["report", "x"], ["watch", "x"], ["shards", "x"], ["verify", "x"]])
def test_a_local_stack_that_is_down_is_started_with_make(server, real, tmp_path, arguments):
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({**real.outputs, "endpoint_url": f"http://127.0.0.1:{free_port()}"}))
    begin = time.monotonic()
    text = said(server, "--local", "--local-outputs", outputs, *arguments)
    assert time.monotonic() - begin < DEAD_SECONDS_MAX
    assert "the local stack does not respond (Connection refused" in text
    assert "make local-up" in text


def test_an_endpoint_that_never_responds_is_given_up(server):
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begin = time.monotonic()
        text = said(server, "--stack", "any", "--region", "us-east-1", "status", AWS_ENDPOINT_URL=url)
        assert time.monotonic() - begin < DEAD_SECONDS_MAX
    assert "cloudformation:DescribeStacks got no response (timed out)" in text
    assert "--region" in text


def test_a_profile_that_is_not_there_is_named(server):
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    text = said(server, "--stack", "any", "--region", "us-east-1", "--profile", "nope", "status", **nothing)
    assert "there is no profile nope" in text
    assert "aws configure list-profiles" in text
    text = said(server, "--stack", "any", "--region", "us-east-1", "status", **nothing)
    assert "there are no AWS credentials" in text
    assert "aws configure" in text


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ExpiredToken", "aws sso login"),
        ("InvalidClientTokenId", "aws configure list"),
        ("AccessDenied", "aws sts get-caller-identity"),
    ],
)
def test_what_aws_says_about_credentials_comes_with_what_to_do(server, code, told):
    """The local stack takes any key and ends no session, so a server says it."""
    with refusing_server(code) as url:
        text = said(server, "--stack", "any", "--region", "us-east-1", "status", AWS_ENDPOINT_URL=url)
    assert f"cloudformation:DescribeStacks failed: no ({code}). " in text
    assert told in text


def test_a_run_that_is_not_there_has_no_shards_and_no_report(server, real, tmp_path):
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(real.outputs))
    for command in ("shards", "report", "watch", "verify"):
        assert "there is no run nix" in said(server, "--local", "--local-outputs", outputs, command, "nix"), command


def test_two_stacks_and_a_profile_that_is_of_no_use_are_refused(server):
    both = [SHARDLIFT, "--local", "--stack", "s", "status"]
    refused = subprocess.run(both, capture_output=True, text=True, timeout=60)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "--local and --stack" in refused.stderr
    text = said(server, "--local", "verify", "x", "--target-profile", "p", SHARDLIFT_LOCAL_OUTPUTS=os.devnull)
    assert "--target-profile" in text


def test_an_empty_file_is_merged_as_no_policy(real, tmp_path):
    """What `aws s3api get-bucket-policy > old.json` leaves where there is none."""
    outputs, old = tmp_path / "outputs.json", tmp_path / "old.json"
    outputs.write_text(json.dumps(real.outputs))
    old.write_text("")
    command = [SHARDLIFT, "--local", "--local-outputs", outputs, "policy", "source-bucket"]
    ours, merged = (
        json.loads(subprocess.run([*command, *more], capture_output=True, check=True, timeout=60).stdout)
        for more in ([], ["--merge", old])
    )
    assert merged == ours


def test_a_dumb_terminal_gets_no_colors_and_a_narrow_one_no_broken_words(real, tmp_path):
    run = real.run({"source": {"prefix": "nothing/"}, "target": {"prefix": "nothing/"}})
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(real.outputs))
    command = [SHARDLIFT, "--local", "--local-outputs", outputs]
    for columns in (60, 80, 120):
        for arguments, code in SCREENS:
            arguments = [run.run_id if word == "RUN" else word for word in arguments]
            text = on_a_terminal([*command, *arguments], columns, "xterm", code)
            assert "\x1b[" in text or arguments[0] == "shards", "a terminal gets colors"
            lines = [ANSI.sub("", line) for line in text.splitlines()]
            wide = [line for line in lines if len(line) > columns and " " in line.strip()]
            # Only what is pasted stays in one line: an address, a digest, a command.
            assert not [line for line in wide if not PASTED.search(line)], (columns, arguments, wide)
    for arguments in (["report", run.run_id], ["failures", run.run_id], ["stop", run.run_id]):
        assert "\x1b[" not in on_a_terminal([*command, *arguments], 80, "dumb")
        assert "\x1b[" not in on_a_terminal([*command, *arguments], 80, "xterm", NO_COLOR="1")


def test_completion_loads_in_a_shell_and_knows_every_command():
    script = """
        source <("$1" completions bash)
        COMP_WORDS=(shardlift "$2"); COMP_CWORD=1
        "$(complete -p shardlift | sed 's/.*-F \\([^ ]*\\).*/\\1/')" shardlift "$2" shardlift
        echo "${COMPREPLY[@]}"
    """
    for typed, expected in (("fai", ["failures"]), ("st", ["start", "status", "stop"])):
        line = ["bash", "--norc", "-c", script, "bash", SHARDLIFT, typed]
        ran = subprocess.run(line, capture_output=True, text=True, timeout=60, check=True)
        assert ran.stderr == ""
        assert sorted(ran.stdout.split()) == expected


def test_every_command_has_a_manual_page(tmp_path):
    subprocess.run([SHARDLIFT, "man", "--dir", tmp_path], capture_output=True, timeout=60, check=True)
    pages = {path.name for path in tmp_path.iterdir()}
    assert {"shardlift.1", "shardlift-failures.1", "shardlift-stop.1", "shardlift-events-on.1"} <= pages
    # Also the options that the help leaves out.
    assert r"\-\-rounds\-max" in (tmp_path / "shardlift-start.1").read_text()


def test_the_command_ends_within_three_seconds_of_the_run(real, tmp_path):
    """Whatever reading the ledger takes."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(real.outputs))
    command = [SHARDLIFT, "--local", "--local-outputs", outputs, "start", "--name", "watched", "--watch", "--input"]
    run_input = {"source": {"prefix": "nothing/"}, "target": {"prefix": "nothing/"}}
    subprocess.run([*command, json.dumps(run_input)], capture_output=True, check=True, timeout=60)
    ended = time.time()
    seen = real.states.describe_execution(executionArn=real.execution_arn("watched"))
    assert ended - seen["stopDate"].timestamp() < 3


@contextmanager
def refusing_server(code):
    """An endpoint of AWS's query protocol that refuses everything with one code."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>".encode()

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(403)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def on_a_terminal(command, columns, term, code=0, **variables):
    """What a command writes on a terminal of so many columns."""
    main, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "TERM": term, **variables}
    process = subprocess.Popen(command, env=environment, stdin=child, stdout=child, stderr=child)
    os.close(child)
    written = b""
    # A terminal whose other end is closed is an error to read.
    with suppress(OSError):
        while piece := os.read(main, 4096):
            written += piece
    os.close(main)
    ended = process.wait(timeout=60)
    assert code is None or ended == code, written.decode()
    return written.decode().replace("\r\n", "\n")


def test_a_control_bucket_of_another_account_is_not_read(server, real, tmp_path):
    """Somebody took the bucket's name, and lets us read a report of their own making."""
    s3, us = target_account(server.endpoint_url).client("s3"), source_account(server.endpoint_url).account_id
    s3.create_bucket(Bucket="taken-name")
    trap = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{us}:root"}, "Action": "s3:GetObject"}
    trap["Resource"] = "arn:aws:s3:::taken-name/*"
    s3.put_bucket_policy(Bucket="taken-name", Policy=json.dumps({"Version": "2012-10-17", "Statement": [trap]}))
    s3.put_object(Bucket="taken-name", Key="runs/planted/report.json", Body=b"{}")
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps({**real.outputs, "control_bucket": "taken-name"}))
    text = said(server, "--local", "--local-outputs", outputs, "report", "--json", "planted")
    assert f"taken-name does not belong to the account {us}" in text
