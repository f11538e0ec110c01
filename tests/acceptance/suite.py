"""Plays the cases on a stand, prints the table, writes REALITY.md, and removes everything, whatever happens."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

from shardlift_local.accounts import REGION, source_account, target_account
from shardlift_local.deployment import ROOT
from shardlift_local.server import Server, free_port

from .account import Account, write_local_profiles
from .case import NOT_RUN, RED, Result, played
from .cases import ALL_CASES, DEPLOYMENT_CASES
from .metering import BUDGET_USD, Meter
from .readme import Step
from .removal import Removal
from .stand import Stand, new_name
from .table import printed, reality, summary

OUTPUT = ROOT / "target" / "acceptance"
LOCAL_PROFILES = {"source": source_account, "target": target_account}
# Step Functions' waits shrink to this on the local stack.
WAIT_SCALE = 0.01


@contextmanager
def local_stand():
    """A stand on a new local stack, which ends with it."""
    with tempfile.TemporaryDirectory(prefix="shardlift-acceptance-") as folder:
        server = Server(Path(folder), free_port(), WAIT_SCALE)
        server.start()
        try:
            yield stand_on(server.endpoint_url, Path(folder))
        finally:
            server.stop()


def stand_on(endpoint_url, folder, **sources):
    """A stand of a name of its own on a running local stack, with its files in a folder."""
    config_file = folder / "profiles"
    accounts = {profile: account(endpoint_url) for profile, account in LOCAL_PROFILES.items()}
    write_local_profiles(config_file, endpoint_url, accounts, REGION)
    meter = Meter()
    source, target = (Account(profile, REGION, meter, config_file) for profile in LOCAL_PROFILES)
    stand = Stand(new_name(), source, target, meter, folder / "work", True, config_file)
    stand.lay_out(**sources)
    return stand


def aws_stand(source_profile, target_profile, region=None, target_region=None, name=None):
    """A stand on two accounts. It makes nothing yet."""
    meter = Meter()
    source = Account(source_profile, region, meter)
    target = Account(target_profile, target_region or source.region, meter)
    if source.account_id == target.account_id:
        raise ValueError(f"both profiles are of account {source.account_id}; the suite needs two accounts")
    name = name or new_name()
    return Stand(name, source, target, meter, OUTPUT / name, False)


def removal_of(stand):
    """What removes everything that a stand made."""
    regions = tuple(dict.fromkeys((stand.source.region, stand.target.region, stand.far_region)))
    if stand.is_local:
        regions = regions[:1]
    return Removal(stand.name, stand.source, stand.target, regions, stand.is_local)


def play(stand, cases, deployment_cases=DEPLOYMENT_CASES, results=None):
    """Plays the deployment and then the cases, and adds to the results as it goes. A stand that is not deployed, or has
    spent its budget, plays no more of them."""
    results, obstacle = [] if results is None else results, None
    for case in [*deployment_cases, *cases]:
        if stand.meter.usd() >= BUDGET_USD:
            obstacle = f"${stand.meter.usd():.2f} of ${BUDGET_USD:.2f} are spent"
        result = Result(case, NOT_RUN, obstacle) if obstacle else played(case, stand)
        if case in deployment_cases and result.verdict in RED:
            obstacle = obstacle or "the stacks are not deployed"
        print(f"{result.verdict:<19} {result.seconds:>6.1f} s  {case.name}", flush=True)
        results.append(result)
    return results


def run(stand, only=None, cases=ALL_CASES, deployment_cases=DEPLOYMENT_CASES):
    """Plays everything on a stand and removes it. Returns whether all is as expected."""
    cases = [case for case in cases if only is None or only in case.name]
    print(f"The acceptance suite makes everything under the name {stand.name}.", flush=True)
    results, removal, interrupted = [], removal_of(stand), False
    # From here on, so that it tells of what a process that was killed has left.
    _note_leftovers(removal, ["The suite or the removal did not end."])
    try:
        with ended_by_signals():
            play(stand, cases, deployment_cases, results)
    except KeyboardInterrupt:
        interrupted = True
        print("Interrupted: everything that was made is now removed. A second Ctrl-C stops that.", flush=True)
    finally:
        _remove(removal)
    lines = summary(results, stand.meter, removal.left, removal.notes, stand.is_local)
    print("\n" + printed(results, lines, stand.is_local))
    if interrupted:
        return False
    _write_reality(stand, results, lines, only)
    return bool(results) and not removal.left and all(result.verdict not in RED for result in results)


@contextmanager
def ended_by_signals():
    """SIGTERM, and a terminal that is closed (SIGHUP), end the cases like Ctrl-C, so that the removal follows."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            # The terminal stays closed: what it sends once more must not end the removal.
            signal.signal(number, signal.SIG_IGN if _hung_up.is_set() and number == signal.SIGHUP else handler)


_hung_up = threading.Event()


def _interrupt(number, _frame):
    if number == signal.SIGHUP:
        _hung_up.set()
        # Nobody reads what would be printed from here on, and the terminal's end is an error for who writes to it.
        sys.stdout = sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 (for the rest of the process)
    raise KeyboardInterrupt


def _remove(removal):
    print(f"Removing everything under the name {removal.name}.", flush=True)
    try:
        left = removal.run()
    except KeyboardInterrupt:
        path = _note_leftovers(removal, ["The removal was interrupted."])
        raise SystemExit(f"acceptance: the removal was interrupted, see {path}") from None
    if left:
        path = _note_leftovers(removal, left)
        print(f"Not everything could be removed, see {path}.", flush=True)
    else:
        _leftovers_path(removal).unlink()


def _leftovers_path(removal):
    return OUTPUT / f"left-of-{removal.name}.txt"


def _note_leftovers(removal, lines):
    """Writes what is left and how to remove it; returns where."""
    path = _leftovers_path(removal)
    if removal.is_local:
        finish = "It was on a local stack of the suite's own: end its process, if it still runs, and nothing is left."
    else:
        finish = f"Remove it: make acceptance CLEAN={removal.name} SOURCE_PROFILE={removal.source.profile}"
        finish += f" TARGET_PROFILE={removal.target.profile} REGION={removal.source.region}"
        finish += f" TARGET_REGION={removal.target.region}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, finish]) + "\n")
    return path


def _write_reality(stand, results, lines, only):
    # Neither the local stack nor a part of the cases may claim to be AWS.
    path = OUTPUT / "REALITY.md" if stand.is_local or only else ROOT / "docs" / "REALITY.md"
    secrets = {} if stand.is_local else {stand.source.account_id: "1" * 12, stand.target.account_id: "2" * 12}
    version = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    facts = {
        "is_local": stand.is_local,
        "commit": version.stdout.strip() or "unknown",
        "regions": f"{stand.source.region} and {stand.target.region}",
        "aws": stand.shell(stand.source).run(Step("version", "aws --version 2>&1\n")).split(" ")[0],
        "secrets": secrets,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(reality(results, lines, facts))
    print(f"Written: {path.relative_to(ROOT)}")
