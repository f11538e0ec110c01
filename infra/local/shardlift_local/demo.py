"""`make demo`: a copy across two accounts, with an independent check, thumbnails, and a copy that an event starts."""

import json
import os
import subprocess
import sys
import time

from .accounts import source_account, target_account
from .comparison import compare
from .deployment import ROOT
from .pictures import pictures_sample, start_arguments, write_contact_sheet
from .sample import MULTIPART_THRESHOLD_BYTES, PART_BYTES, folder_sample, generated_sample, upload
from .server import StackError
from .stack import OUTPUTS_PATH, STATE_DIR, up

SHARDLIFT = ROOT / "target" / "release" / "shardlift"
CONTACT_SHEET_PATH = STATE_DIR / "thumbnails.html"
LATE_KEY = "written while you watch.txt"
LATE_SECONDS_MAX = 60
POLL_SECONDS = 0.05


def demo(port, folder):
    """Runs the demo. Raises StackError unless the run is COMPLETE and the independent check finds no difference."""
    if folder:
        refuse_empty(folder)
    outputs = up(port, events=True, sends_events=False)
    source, target = source_account(outputs["endpoint_url"]), target_account(outputs["endpoint_url"])

    print(f"\nUploading {folder or 'a sample'} to s3://{outputs['source_bucket']} (account {source.account_id})")
    started = time.monotonic()
    items = folder_sample(folder) if folder else generated_sample()
    uploaded = upload(items, source.client("s3"), outputs["source_bucket"])
    print(f"  {len(uploaded.objects):,} objects, {uploaded.bytes:,} bytes in {time.monotonic() - started:.1f} s")

    print(f"\nCopying to s3://{outputs['target_bucket']} (account {target.account_id})\n", flush=True)
    run_input = {"multipart_threshold_bytes": MULTIPART_THRESHOLD_BYTES, "part_bytes": PART_BYTES}
    ended = _run_shardlift("start", "--input", json.dumps(run_input), "--watch")

    source_side = (source.client("s3"), outputs["source_bucket"], outputs["source_prefix"])
    target_side = (target.client("s3"), outputs["target_bucket"], outputs["target_prefix"])
    comparison = compare(source_side, target_side, uploaded.objects)
    print(f"\n{comparison.text()}")
    if ended != 0 or not comparison.agrees:
        raise StackError(f"the demo failed; see the log of the local stack: {outputs['log']}")
    if not folder:
        _render_pictures(outputs, source, target)
    _copy_an_event(outputs, source, target)
    print("\nThe local stack stays up. Inspect it with target/release/shardlift --local, stop it with make local-down.")


def refuse_empty(folder):
    """Raises StackError unless there is something to copy. Asked before the stack that runs now is replaced."""
    if next(folder_sample(folder), None) is None:
        raise StackError(f"FROM={folder} holds no files. Nothing was changed; name a folder with files in it")


def _render_pictures(outputs, source, target):
    """Uploads pictures, makes their thumbnails in the other account, and lays these out on a page."""
    uploaded = upload(pictures_sample(outputs), source.client("s3"), outputs["source_bucket"])
    print(f"\nMaking thumbnails of {len(uploaded.objects)} more objects, one of which is no image\n", flush=True)
    if _run_shardlift(*start_arguments(outputs)) != 0:
        raise StackError(f"the thumbnails failed; see the log of the local stack: {outputs['log']}")
    count = write_contact_sheet(outputs, source.client("s3"), target.client("s3"), CONTACT_SHEET_PATH)
    print(f"\nA contact sheet of the {count} thumbnails: {CONTACT_SHEET_PATH.as_uri()}", flush=True)


def _copy_an_event(outputs, source, target):
    """Lets the source bucket send its events, writes an object there, and waits until it is at the target."""
    print("\nLetting the source bucket send its events\n", flush=True)
    _run_shardlift("events", "on", "--yes")
    writer, reader = source.client("s3"), target.client("s3")
    key = f"{outputs['source_prefix']}{LATE_KEY}"
    copy = {"Bucket": outputs["target_bucket"], "Prefix": f"{outputs['target_prefix']}{LATE_KEY}"}
    writer.put_object(Bucket=outputs["source_bucket"], Key=key, Body=b"it starts its way at once\n")
    print(f"\nWrote s3://{outputs['source_bucket']}/{key}; its event starts a run", flush=True)
    written = time.monotonic()
    while not reader.list_objects_v2(**copy).get("Contents"):
        if time.monotonic() - written > LATE_SECONDS_MAX:
            raise StackError(f"{key} was not copied within {LATE_SECONDS_MAX} s; see {outputs['log']}")
        time.sleep(POLL_SECONDS)
    print(f"  at the target {time.monotonic() - written:.1f} s later\n", flush=True)
    waiting = {"Bucket": outputs["control_bucket"], "Prefix": "lists/events/waiting/"}
    while writer.list_objects_v2(**waiting).get("Contents") and time.monotonic() - written < LATE_SECONDS_MAX:
        time.sleep(POLL_SECONDS)
    _run_shardlift("events")


def _run_shardlift(*arguments):
    """Runs the operator's command. Returns its exit code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [str(SHARDLIFT), "--local", "--local-outputs", str(OUTPUTS_PATH)]
    command += arguments
    sys.stdout.flush()
    return subprocess.run(command, env=environment, check=False).returncode
