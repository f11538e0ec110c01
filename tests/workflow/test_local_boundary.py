"""The local stack on a developer's machine: closed to web pages, to other users and to guessed secrets."""

import http.client
import stat
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError
from shardlift_local import stack
from shardlift_local.accounts import remember_secret, source_account
from shardlift_local.server import Server, free_port

FOREIGN = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Host": "evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "10.0.0.1:4566"},
]


def status(server, headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/_ministack/health", headers=headers)
    return connection.getresponse().status


@pytest.mark.parametrize("headers", FOREIGN, ids=[next(iter(h.values())) for h in FOREIGN])
def test_a_web_page_is_refused(server, headers):
    assert status(server, headers) == 403


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost:80", "[::1]:80", "bucket.localhost"])
def test_a_client_that_names_the_loopback_is_served(server, host):
    assert status(server, {"Host": host}) == 200
    assert status(server, {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}) == 200


def test_nothing_that_only_knows_the_port_can_use_an_account(server):
    account = source_account(server.endpoint_url)
    account.client("s3").list_buckets()
    assert len(server.secret) >= 32
    assert replace(server).secret == server.secret
    assert Server(server.state_dir, 1).secret != server.secret
    try:
        remember_secret(server.endpoint_url, "test")
        with pytest.raises(ClientError) as refused:
            account.client("s3").list_buckets()
    finally:
        remember_secret(server.endpoint_url, server.secret)
    assert refused.value.response["Error"]["Code"] in ("SignatureDoesNotMatch", "InvalidClientTokenId")


def test_the_code_that_functions_run_lies_where_nobody_else_writes(server, real):
    assert real.outputs["planner_function"]
    assert stat.S_IMODE(server.tmp_path.stat().st_mode) == 0o700
    code = list(server.tmp_path.glob("**/bootstrap"))
    # A run has used the functions, whatever ran before.
    if not code:
        real.run({"dry_run": True})
        code = list(server.tmp_path.glob("**/bootstrap"))
    assert code, list(server.tmp_path.iterdir())


def test_the_outputs_with_the_secrets_are_their_owners_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "STATE_DIR", tmp_path)
    monkeypatch.setattr(stack, "OUTPUTS_PATH", tmp_path / "outputs.json")
    stack.OUTPUTS_PATH.write_text("{}")
    stack.OUTPUTS_PATH.chmod(0o644)
    try:
        outputs = stack.up(free_port())
        assert stat.S_IMODE(stack.OUTPUTS_PATH.stat().st_mode) == 0o600
        assert outputs["source_credentials"]["secret_access_key"] not in ("", "test")
    finally:
        stack.down()
