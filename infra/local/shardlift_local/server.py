"""The MiniStack process: it runs in the background, and a pid file identifies it."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from .accounts import remember_secret

LAUNCHER = Path(__file__).resolve().parent.parent / "ministack_launcher.py"
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 10
POLL_SECONDS = 0.1


class StackError(Exception):
    """An error that a person can fix. The message says how."""


@dataclass(frozen=True)
class Server:
    """MiniStack on a port of this machine, with its pid file and its log in the state folder."""

    state_dir: Path
    port: int
    # Multiplies the waits of Step Functions, so tests do not wait for retries.
    wait_scale: float = 0.1
    # The file that takes a line for each request of the functions and the operator's command, if any.
    requests_path: Path | None = None
    # Of the root of every account; new with each server, so that nothing that only knows the port can use it.
    secret: str = field(default_factory=secrets.token_urlsafe, repr=False)

    @property
    def endpoint_url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_path(self):
        return self.state_dir / "logs" / "ministack.log"

    @property
    def tmp_path(self):
        """MiniStack's temporary folder, with the functions' code."""
        return self.state_dir / "tmp"

    @property
    def pid_path(self):
        return self.state_dir / "ministack.json"

    def start(self):
        """Starts the server and waits until it is ready. Raises StackError if the port is in use."""
        self._require_free_port()
        self.state_dir.mkdir(parents=True, exist_ok=True)
        # Functions are started from there: nobody else may write it, and nobody can have made it first.
        shutil.rmtree(self.tmp_path, ignore_errors=True)
        self.tmp_path.mkdir(mode=0o700)
        remember_secret(self.endpoint_url, self.secret)
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, str(LAUNCHER)],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid_path.write_text(json.dumps({"pid": process.pid, "port": self.port}))
        self._wait_until_ready(process)

    def stop(self):
        """Stops the server of the pid file. Returns whether one was running."""
        running = running_server(self.state_dir)
        self.pid_path.unlink(missing_ok=True)
        if running is None:
            return False
        pid, _port = running
        # The functions' processes are children in the same session, and are stopped with it.
        os.killpg(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while _is_our_server(pid):
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
                break
            _reap(pid)
            time.sleep(POLL_SECONDS)
        return True

    def _require_free_port(self):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise StackError(
                    f"port {self.port} is in use by another program ({error.strerror}); "
                    f"choose another one: make local-up PORT={self.port + 1}"
                ) from error

    def _environment(self):
        environment = {
            name: value
            for name, value in os.environ.items()
            # The user's AWS settings must never reach the stack, and the stack never a real account.
            if not name.startswith("AWS_")
        }
        environment.update(
            AUTH="true",
            AWS_ACCESS_KEY_ID="test",
            AWS_SECRET_ACCESS_KEY=self.secret,
            AWS_EC2_METADATA_DISABLED="true",
            AWS_ENDPOINT_URL=self.endpoint_url,
            BIND_HOST="127.0.0.1",
            GATEWAY_PORT=str(self.port),
            IOT_MTLS_ENABLED="0",
            SFTP_ENABLED="0",
            SFN_WAIT_SCALE=str(self.wait_scale),
            SHARDLIFT_REQUESTS=str(self.requests_path or ""),
            TMPDIR=str(self.tmp_path.resolve()),
        )
        return environment

    def _wait_until_ready(self, process):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if process.poll() is not None:
                self.pid_path.unlink(missing_ok=True)
                raise StackError(f"MiniStack exited while starting; see its log: {self.log_path}")
            if _is_ready(self.endpoint_url):
                return
            time.sleep(POLL_SECONDS)
        self.stop()
        raise StackError(f"MiniStack was not ready within {START_SECONDS_MAX} s; see its log: {self.log_path}")


def running_server(state_dir):
    """Returns (pid, port) of the running server of this state folder, or None."""
    try:
        record = json.loads((state_dir / "ministack.json").read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return (record["pid"], record["port"]) if _is_our_server(record["pid"]) else None


def free_port():
    """Returns a port that is free now, for tests."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _is_our_server(pid):
    # Pids are reused after a reboot. Only a process that runs our launcher is ours.
    try:
        _reap(pid)
        command = subprocess.run(
            ["ps", "-ww", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
    except OSError as error:
        raise StackError(f"cannot inspect process {pid}: {error}") from error
    return LAUNCHER.name in command and not command.lstrip().startswith("Z")


def _reap(pid):
    # A process from an earlier command is not our child. init reaps it.
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _is_ready(endpoint_url):
    try:
        with urllib.request.urlopen(f"{endpoint_url}/_ministack/health", timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
