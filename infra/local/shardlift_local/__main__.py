"""`python -m shardlift_local up|down|demo`: the commands behind the Makefile's targets."""

import argparse
import sys
from pathlib import Path

from .demo import demo
from .server import StackError
from .stack import PORT_DEFAULT, down, up


def main():
    """Runs the command line. A StackError is printed as one line, without a traceback."""
    parser = argparse.ArgumentParser(prog="shardlift_local", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("up", "demo"):
        sub = verbs.add_parser(verb)
        sub.add_argument("--port", type=int, default=PORT_DEFAULT)
    verbs.choices["up"].add_argument("--events", action="store_true", help="what is written at the source starts a run")
    verbs.choices["demo"].add_argument("--folder", type=Path, default=None)
    verbs.add_parser("down")
    arguments = parser.parse_args()
    try:
        if arguments.verb == "up":
            up(arguments.port, arguments.events)
        elif arguments.verb == "down":
            print("The local stack is down." if down() else "No local stack was running.")
        else:
            demo(arguments.port, arguments.folder)
    except StackError as error:
        sys.exit(f"shardlift: {error}")


if __name__ == "__main__":
    main()
