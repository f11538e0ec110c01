"""The lifecycle of the local stack: up and down."""

import json
import os

from .deployment import ROOT, Deployment
from .server import Server, running_server

STATE_DIR = ROOT / ".local"
OUTPUTS_PATH = STATE_DIR / "outputs.json"
PORT_DEFAULT = 4566


def up(port, events=False, sends_events=True):
    """Starts a new local stack, with both stacks deployed and every bucket empty. Returns the outputs.

    With `events`, what is written at the source starts a run, once the source bucket sends its events.
    """
    down()
    server = Server(STATE_DIR, port)
    server.start()
    outputs = Deployment(server.endpoint_url, starts_on_events=events, sends_events=sends_events).deploy()
    outputs["log"] = str(server.log_path)
    _write_for_owner(OUTPUTS_PATH, json.dumps(outputs, indent=2) + "\n")
    print(f"The local stack is up at {server.endpoint_url}. Its outputs: {OUTPUTS_PATH}")
    return outputs


def down():
    """Stops the local stack and removes its outputs. Returns whether a stack was running."""
    running = running_server(STATE_DIR)
    stopped = Server(STATE_DIR, running[1] if running else PORT_DEFAULT).stop()
    OUTPUTS_PATH.unlink(missing_ok=True)
    return stopped


def _write_for_owner(path, text):
    """Writes a new file that only its owner may read: it has secrets."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
