"""Copies one object above 5 GiB, of real bytes, on a real S3 server with a disk: SeaweedFS.

    python tests/bench/large_object.py [--extra-bytes N] [--folder FOLDER]

The object is 5 GiB and some more, so that CopyObject is not allowed and the copier must go by parts. boto3 uploads it
in parts, the real copier copies it by UploadPartCopy through the real adapters, boto3 reads source and target back, and
all three have the same SHA-256. SeaweedFS then holds it twice: 12 GB of disk are needed, in the folder, which is
removed at the end. Figures go to target/bench/large_object.json.

SeaweedFS asks for no credentials here: it knows none. STS is the stand-in of the other benchmarks. `tags` is `ignore`,
because a copier that cares for tags asks for annotations as well, which SeaweedFS does not know: it takes that question
for GetObject and answers with 5 GiB.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

import boto3
import botocore.config
import copying_stand
import planning

WEED = planning.ROOT / ".venv/bin/weed"
RESULTS = planning.ROOT / "target/bench/large_object.json"
FIVE_GIB = 5 << 30
UPLOAD_PART_BYTES = 64 << 20
READ_BYTES = 8 << 20
DISK_BYTES = 12_000_000_000
KEY = "data/five GiB and more.bin"
SEED = 7
START_MAX_S = 60.0
END_MAX_S = 60.0


def port_pair() -> int:
    """A free port whose gRPC port, 10,000 above it, is free too."""
    while True:
        port = planning.free_port()
        if 10_000 < port < 55_000:
            with contextlib.suppress(OSError), planning.socket.socket() as listener:
                listener.bind(("127.0.0.1", port + 10_000))
                return port


@contextlib.contextmanager
def seaweedfs(folder: pathlib.Path) -> Iterator[str]:
    """A server whose every socket is on the loopback interface, and which reports to nobody. Its endpoint."""
    ports = {name: port_pair() for name in ("master", "volume", "filer", "s3", "admin")}
    command = [str(WEED), "mini", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += [f"-{name}.port={port}" for name, port in ports.items()]
    command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-webdav=false", "-admin.ui=false"]
    command += ["-master.telemetry=false"]
    keyless = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    endpoint = f"http://127.0.0.1:{ports['s3']}"
    with (folder / "weed.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, env=keyless)
        try:
            wait_for(f"{endpoint}/healthz", server)
            yield endpoint
        except BaseException:
            print((folder / "weed.log").read_text()[-5000:], file=sys.stderr)
            raise
        finally:
            server.terminate()
            try:
                server.wait(END_MAX_S)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until the server answers."""
    ends_s = time.monotonic() + START_MAX_S
    while not answers(url):
        assert server.poll() is None, "SeaweedFS has ended"
        assert time.monotonic() < ends_s, f"SeaweedFS does not answer {url}"
        time.sleep(0.2)


def answers(url: str) -> bool:
    """Whether there is an answer at this address."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
    except (urllib.error.URLError, ConnectionError):
        return False
    return True


def upload(s3: boto3.client, size_bytes: int) -> str:
    """Puts an object of pseudo-random bytes into the source. Their SHA-256."""
    drawn, digest, receipts = random.Random(SEED), hashlib.sha256(), []  # noqa: S311
    there = {"Bucket": "source-bucket", "Key": KEY}
    upload_id = s3.create_multipart_upload(**there)["UploadId"]
    for number, begin in enumerate(range(0, size_bytes, UPLOAD_PART_BYTES), start=1):
        body = drawn.randbytes(min(UPLOAD_PART_BYTES, size_bytes - begin))
        digest.update(body)
        part = s3.upload_part(**there, UploadId=upload_id, PartNumber=number, Body=body)
        receipts.append({"PartNumber": number, "ETag": part["ETag"]})
    s3.complete_multipart_upload(**there, UploadId=upload_id, MultipartUpload={"Parts": receipts})
    return digest.hexdigest()


def read_back(s3: boto3.client, bucket: str) -> dict[str, object]:
    """Size, SHA-256 and ETag of what a bucket has, by reading all of it."""
    answer = s3.get_object(Bucket=bucket, Key=KEY)
    digest, size_bytes = hashlib.sha256(), 0
    for block in answer["Body"].iter_chunks(READ_BYTES):
        digest.update(block)
        size_bytes += len(block)
    return {"size_bytes": size_bytes, "sha256": digest.hexdigest(), "etag": answer["ETag"]}


def measure(folder: pathlib.Path, size_bytes: int) -> dict[str, object]:
    """Uploads, copies, reads back, compares."""
    plan_folder = folder / "plan"
    plan_folder.mkdir()
    (folder / "weed").mkdir()
    with seaweedfs(folder / "weed") as endpoint:
        environment = copying_stand.environment(endpoint, copying_stand.StsServer())
        # One attempt, and no checksums in trailers: what fails here is to be seen.
        config = botocore.config.Config(
            s3={"addressing_style": "path"},
            retries={"max_attempts": 1},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            read_timeout=300,
        )
        s3 = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id=copying_stand.ACCOUNT,
            aws_secret_access_key="secret",
            config=config,
        )
        for side in ("source", "target"):
            s3.create_bucket(Bucket=f"{side}-bucket")
        began_s = time.monotonic()
        sha256 = upload(s3, size_bytes)
        uploaded_s = time.monotonic()
        copying_stand.plan(str(plan_folder), environment, 1, tags="ignore")
        copier = [str(copying_stand.COPIER), "copy", str(plan_folder), "1"]
        figures = planning.run(copier, environment, subprocess.PIPE)
        told = json.loads(str(figures["printed"]).splitlines()[-1])
        assert (told["objects"], told["failed"], told["bytes"]) == (1, 0, size_bytes), told
        read_s = time.monotonic()
        source, target = (read_back(s3, f"{side}-bucket") for side in ("source", "target"))
        ended_s = time.monotonic()
        left = s3.list_multipart_uploads(Bucket="target-bucket").get("Uploads", [])
    for side in (source, target):
        assert (side["size_bytes"], side["sha256"]) == (size_bytes, sha256), (side, size_bytes, sha256)
    assert not left, left
    return {
        "size_bytes": size_bytes,
        "sha256": sha256,
        "source": source,
        "target": target,
        "upload_s": round(uploaded_s - began_s, 1),
        "copy_s": round(told["elapsed_s"], 1),
        "copy_processor_s": round(told["processor_s"], 2),
        "copy_mib_per_s": round(size_bytes / (1 << 20) / told["elapsed_s"]),
        "copier_peak_mib": figures["peak_mib"],
        "read_both_s": round(ended_s - read_s, 1),
        "requests": told["requests"],
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--extra-bytes", type=int, default=(13 << 20) + 1, help="beyond 5 GiB")
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()))
    arguments = parser.parse_args()
    if not WEED.exists():
        sys.exit(f"{WEED} is missing: make venv-bench")
    free_bytes = shutil.disk_usage(arguments.folder).free
    if free_bytes < DISK_BYTES:
        sys.exit(f"{DISK_BYTES:,} bytes of disk are needed in {arguments.folder}, {free_bytes:,} are free")
    with tempfile.TemporaryDirectory(prefix="large-object-", dir=arguments.folder) as folder:
        found = measure(pathlib.Path(folder), FIVE_GIB + arguments.extra_bytes)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=2) + "\n")
    print(
        f"{found['size_bytes']:,} bytes: uploaded in {found['upload_s']} s, copied in {found['copy_s']} s "
        f"({found['copy_mib_per_s']} MiB/s, {found['copier_peak_mib']} MiB of the copier, {found['requests']}), "
        f"both sides read back in {found['read_both_s']} s: all three have the SHA-256 {found['sha256']}"
    )


if __name__ == "__main__":
    main()
