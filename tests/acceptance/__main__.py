"""`python -m tests.acceptance`: the command behind `make acceptance`."""

import argparse
import sys

from botocore.exceptions import BotoCoreError, ClientError
from shardlift_local.server import StackError

from .removal import NotOurNameError
from .suite import aws_stand, local_stand, removal_of, run


def main():
    """Runs the suite, or removes what an earlier run left. Exit code 0: everything as expected and removed."""
    parser = argparse.ArgumentParser(prog="make acceptance", description=__doc__)
    parser.add_argument("--local", action="store_true", help="on a new local stack (LOCAL=1)")
    parser.add_argument("--source-profile", help="the profile of the source account (SOURCE_PROFILE=)")
    parser.add_argument("--target-profile", help="the profile of the target account (TARGET_PROFILE=)")
    parser.add_argument("--region", help="of the source; by default the profile's (REGION=)")
    parser.add_argument("--target-region", help="of the target; by default the source's (TARGET_REGION=)")
    parser.add_argument("--only", help="just the cases whose name has this text (ONLY=)")
    parser.add_argument("--clean", metavar="NAME", help="remove what the run of this name left (CLEAN=)")
    arguments = parser.parse_args()
    try:
        sys.exit(0 if _main(parser, arguments) else 1)
    except (StackError, NotOurNameError, ValueError, BotoCoreError, ClientError) as error:
        sys.exit(f"acceptance: {error}")


def _main(parser, arguments):
    if arguments.local:
        if arguments.source_profile or arguments.target_profile or arguments.clean:
            parser.error("LOCAL=1 goes with neither profiles nor CLEAN=: it makes and removes a local stack")
        with local_stand() as stand:
            return run(stand, arguments.only)
    if not (arguments.source_profile and arguments.target_profile):
        parser.error("say SOURCE_PROFILE=… and TARGET_PROFILE=…, profiles of two accounts, or LOCAL=1")
    profiles = (arguments.source_profile, arguments.target_profile, arguments.region, arguments.target_region)
    stand = aws_stand(*profiles, name=arguments.clean)
    if arguments.clean:
        removal = removal_of(stand)
        left = removal.run()
        print("\n".join([*removal.notes, *left]) or f"Nothing is left of {arguments.clean}.")
        return not left
    stand.lay_out()
    return run(stand, arguments.only)


if __name__ == "__main__":
    main()
