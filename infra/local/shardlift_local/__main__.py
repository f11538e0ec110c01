"""`python -m shardlift_local up|down|demo`: what the Makefile's targets call."""

import argparse
import json
import sys
from pathlib import Path

from .deployment import ROOT, Deployment
from .server import Server, StackError, running_server

STATE_DIR = ROOT / ".local"
PORT_DEFAULT = 4566


def up(port):
    """A fresh local stack: both stacks deployed, every bucket empty. Returns the outputs."""
    down(quiet=True)
    server = Server(STATE_DIR, port)
    server.start()
    outputs = Deployment(server.endpoint_url).deploy()
    outputs["log"] = str(server.log_path)
    (STATE_DIR / "outputs.json").write_text(json.dumps(outputs, indent=2) + "\n")
    print(f"The local stack is up at {server.endpoint_url}; its outputs: {STATE_DIR / 'outputs.json'}")
    return outputs


def down(quiet=False):
    """Stops the local stack, if it runs, and forgets its outputs."""
    running = running_server(STATE_DIR)
    stopped = Server(STATE_DIR, running[1] if running else PORT_DEFAULT).stop()
    (STATE_DIR / "outputs.json").unlink(missing_ok=True)
    if not quiet:
        print("The local stack is down." if stopped else "No local stack was up.")


def main():
    """Reads the command line; a StackError is told in one line, without a trace."""
    parser = argparse.ArgumentParser(prog="shardlift_local", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "demo"):
        sub = verbs.add_parser(verb)
        sub.add_argument("--port", type=int, default=PORT_DEFAULT)
    verbs.choices["demo"].add_argument("--folder", type=Path, default=None)
    verbs.add_parser("down")
    arguments = parser.parse_args()
    try:
        if arguments.verb == "up":
            up(arguments.port)
        elif arguments.verb == "down":
            down()
        else:
            from .demo import demo

            demo(arguments.port, arguments.folder)
    except StackError as error:
        sys.exit(f"shardlift: {error}")


if __name__ == "__main__":
    main()
