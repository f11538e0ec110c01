"""A mirror over a source that is written to all the time, night after night: the real functions inside the S3 model."""

import random
import threading
import time
from dataclasses import dataclass, field

import pytest
from shardlift_local.comparison import compare, digest, listing
from shardlift_local.deployment import Deployment
from shardlift_local.sample import MULTIPART_THRESHOLD_BYTES, PART_BYTES

from .execution import Machine
from .modelled import ModelledPair, take_over_buckets

NIGHTS = 4
# On a busy machine it may take more until an object is overwritten between plan and copy.
NIGHTS_MAX = 3 * NIGHTS
KEYS = 400
# Writes between the beginning and the end of an upload in parts: some are begun before a night and completed in it.
UPLOAD_WRITES_MAX = 300
PAUSE_SECONDS = 0.001


@pytest.fixture(scope="module")
def machine(server, model):
    parameters = {"DataS3EndpointUrl": model.endpoint_url}
    deployment = Deployment(server.endpoint_url, name="live", parameters=parameters)
    machine = Machine(deployment, deployment.deploy())
    take_over_buckets(model, deployment)
    return machine


@dataclass
class Writer:
    """Puts, overwrites, deletes and uploads in parts until it is stopped.

    No two writes have one size: an overwrite of equal size whose upload began before the copy counts as the same
    (docs/SEMANTICS.md, `compare`).
    """

    pair: ModelledPair
    # When the last change of a key was made, and whether it deleted the key.
    deleted_at: dict = field(default_factory=dict)
    writes: int = 0
    failure: Exception = None

    def __post_init__(self):
        self._random = random.Random(14)  # noqa: S311
        self._uploads = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_exception):
        self.stop()

    def stop(self):
        self._stop.set()
        self._thread.join()

    def stale_since(self, instant):
        """The keys that the source has not had since then."""
        with self._lock:
            return {key for key, deleted_at in self.deleted_at.items() if deleted_at < instant}

    def fill(self):
        for number in range(KEYS):
            self._put(f"key-{number:04}")

    def _write(self):
        try:
            while not self._stop.is_set():
                self._change()
                time.sleep(PAUSE_SECONDS)
            for _due, key, upload_id, parts in self._uploads:
                self._complete(key, upload_id, parts)
        except Exception as failure:
            self.failure = failure

    def _change(self):
        key = f"key-{self._random.randrange(KEYS):04}"
        kind = self._random.random()
        if kind < 0.5:
            self._put(key)
        elif kind < 0.8:
            self._delete(key)
        elif kind < 0.9:
            self._begin(key)
        due = [upload for upload in self._uploads if upload[0] <= self.writes]
        self._uploads = [upload for upload in self._uploads if upload[0] > self.writes]
        for _due, key, upload_id, parts in due:
            self._complete(key, upload_id, parts)

    def _body(self):
        self.writes += 1
        # Every fiftieth is copied in parts.
        large = MULTIPART_THRESHOLD_BYTES if self.writes % 50 == 0 else 0
        return self._random.randbytes(64) * ((large + self.writes) // 64) + b"." * (self.writes % 64)

    def _put(self, key):
        s3, bucket, prefix = self.pair.source
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=self._body())
        self._has(key)

    def _delete(self, key):
        s3, bucket, prefix = self.pair.source
        self.writes += 1
        s3.delete_object(Bucket=bucket, Key=prefix + key)
        with self._lock:
            self.deleted_at[key] = time.monotonic()

    def _begin(self, key):
        s3, bucket, prefix = self.pair.source
        key_and_bucket = {"Bucket": bucket, "Key": prefix + key}
        upload_id = s3.create_multipart_upload(**key_and_bucket)["UploadId"]
        part = s3.upload_part(**key_and_bucket, UploadId=upload_id, PartNumber=1, Body=self._body())
        due = self.writes + self._random.randrange(UPLOAD_WRITES_MAX)
        self._uploads.append((due, key, upload_id, [{"PartNumber": 1, "ETag": part["ETag"]}]))

    def _complete(self, key, upload_id, parts):
        s3, bucket, prefix = self.pair.source
        upload = {"UploadId": upload_id, "MultipartUpload": {"Parts": parts}}
        s3.complete_multipart_upload(Bucket=bucket, Key=prefix + key, **upload)
        self._has(key)

    def _has(self, key):
        with self._lock:
            self.deleted_at.pop(key, None)


def mirror(pair):
    return pair.run(
        mode="mirror",
        delete_max_percent=100,
        multipart_threshold_bytes=MULTIPART_THRESHOLD_BYTES,
        part_bytes=PART_BYTES,
    )


def uploaded_objects(pair):
    """Size and SHA-256 of what the source holds now, by key without the prefix."""
    s3, bucket, prefix = pair.source
    return {key: (size, digest(s3, bucket, prefix + key)) for key, size in listing(s3, bucket, prefix).items()}


def test_a_mirror_over_a_source_that_is_written_to_is_complete_every_night(machine, model):
    pair = ModelledPair(machine, "live/", model)
    writer = Writer(pair)
    writer.fill()
    totals = {"copied_newer": 0, "gone": 0, "deleted": 0}
    with writer:
        for night in range(NIGHTS_MAX):
            began_at = time.monotonic()
            execution = mirror(pair)
            report = pair.report(execution)
            told = (night, execution.error, execution.cause, report)
            assert (execution.status, report["verdict"]) == ("SUCCEEDED", "COMPLETE"), told
            assert writer.failure is None
            # What was gone before the night and stayed gone.
            left = pair.target_keys() & writer.stale_since(began_at)
            assert left == set(), told
            totals["copied_newer"] += report["copied_newer"]["objects"]
            totals["gone"] += report["skipped"]["by_reason"].get("gone_at_source", 0)
            totals["deleted"] += report["deleted"]["objects"]
            if night + 1 >= NIGHTS and all(totals.values()):
                break
    assert writer.failure is None
    # Otherwise nothing lived, and the nights say nothing.
    assert all(totals.values()), totals

    execution = mirror(pair)
    assert (execution.status, execution.cause) == ("SUCCEEDED", "")
    assert pair.report(execution)["verdict"] == "COMPLETE"
    uploaded = uploaded_objects(pair)
    assert len(uploaded) > KEYS / 4
    assert compare(pair.source, pair.target, uploaded).differences == []
    s3, bucket, _prefix = pair.target
    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []
    # What was written in the same second as its copy is copied once more, and never again.
    mirror(pair)
    idle = pair.report(mirror(pair))
    assert (idle["planned"]["objects"], idle["deleted"]["planned"]) == (0, 0), idle
