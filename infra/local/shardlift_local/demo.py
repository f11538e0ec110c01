"""`make demo`: one copy across two accounts, from upload to report, with an independent check."""

import json
import os
import subprocess
import sys
import time

from .accounts import source_account, target_account
from .comparison import compare
from .deployment import ROOT
from .sample import MULTIPART_THRESHOLD_BYTES, PART_BYTES, folder_sample, generated_sample, upload
from .server import StackError
from .stack import OUTPUTS_PATH, up

SHARDLIFT = ROOT / "target" / "release" / "shardlift"


def demo(port, folder):
    """Runs the demo. Raises StackError unless the run is COMPLETE and the independent check finds no difference."""
    outputs = up(port)
    source, target = source_account(outputs["endpoint_url"]), target_account(outputs["endpoint_url"])

    print(f"\nUploading {folder or 'a sample'} to s3://{outputs['source_bucket']} (account {source.account_id})")
    started = time.monotonic()
    items = folder_sample(folder) if folder else generated_sample()
    uploaded = upload(items, source.client("s3"), outputs["source_bucket"])
    if not uploaded.objects:
        raise StackError(f"FROM={folder} holds no files")
    print(f"  {len(uploaded.objects):,} objects, {uploaded.bytes:,} bytes in {time.monotonic() - started:.1f} s")

    print(f"\nCopying to s3://{outputs['target_bucket']} (account {target.account_id})\n", flush=True)
    ended = _run_shardlift({"multipart_threshold_bytes": MULTIPART_THRESHOLD_BYTES, "part_bytes": PART_BYTES})

    source_side = (source.client("s3"), outputs["source_bucket"], outputs["source_prefix"])
    target_side = (target.client("s3"), outputs["target_bucket"], outputs["target_prefix"])
    comparison = compare(source_side, target_side, uploaded.objects)
    print(f"\n{comparison.text()}")
    if ended != 0 or not comparison.agrees:
        raise StackError(f"the demo failed; see the log of the local stack: {outputs['log']}")
    print("The local stack stays up. Inspect it with target/release/shardlift --local, stop it with make local-down.")


def _run_shardlift(run_input):
    """Starts a run with the operator's command and waits for it. Returns the exit code."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    command = [str(SHARDLIFT), "--local", "--local-outputs", str(OUTPUTS_PATH)]
    command += ["start", "--input", json.dumps(run_input), "--watch"]
    sys.stdout.flush()
    return subprocess.run(command, env=environment, check=False).returncode
