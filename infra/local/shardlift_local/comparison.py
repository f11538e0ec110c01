"""A comparison independent of Shardlift: lists both buckets with boto3 and reads the target's bytes."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

READS_AT_ONCE = 16
READ_BYTES = 2**20
SHOWN_MAX = 10


@dataclass
class Comparison:
    """What both sides hold, and where they differ."""

    objects: int = 0
    bytes: int = 0
    # One sentence for each difference.
    differences: list = field(default_factory=list)

    @property
    def agrees(self):
        return not self.differences

    def text(self):
        """Returns a text for people: that both sides agree, or the first differences."""
        if self.agrees:
            amount = f"{self.objects:,} objects, {self.bytes:,} bytes"
            return f"Independent check: {amount}, the same keys, sizes and bytes on both sides."
        shown = "\n".join(f"  {difference}" for difference in self.differences[:SHOWN_MAX])
        return f"Independent check: {len(self.differences):,} differences\n{shown}"


def compare(source, target, uploaded):
    """Compares the listings of both sides, and the target's bytes with what was uploaded.

    `source` and `target` are (S3 client, bucket, prefix). `uploaded` holds size and SHA-256, by key
    without the prefix.
    """
    source_sizes, target_sizes = listing(*source), listing(*target)
    found = Comparison(objects=len(target_sizes), bytes=sum(target_sizes.values()))
    _compare_keys("the source", source_sizes, uploaded, found)
    _compare_keys("the target", target_sizes, uploaded, found)
    s3, bucket, prefix = target
    keys = sorted(set(target_sizes) & set(uploaded))
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        digests = pool.map(lambda key: digest(s3, bucket, prefix + key), keys)
        found.differences += [
            f"{key!r}: the target's bytes differ from the uploaded bytes"
            for key, found_digest in zip(keys, digests, strict=True)
            if found_digest != uploaded[key][1]
        ]
    return found


def listing(s3, bucket, prefix):
    """Returns the sizes of all objects, by key without the prefix."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {o["Key"].removeprefix(prefix): o["Size"] for page in pages for o in page.get("Contents", [])}


def digest(s3, bucket, key):
    """Returns the SHA-256 of an object's bytes, read in chunks."""
    sha = hashlib.sha256()
    for chunk in s3.get_object(Bucket=bucket, Key=key)["Body"].iter_chunks(READ_BYTES):
        sha.update(chunk)
    return sha.hexdigest()


def _compare_keys(side, sizes, uploaded, found):
    found.differences += [f"{key!r}: missing at {side}" for key in sorted(set(uploaded) - set(sizes))]
    found.differences += [f"{key!r}: at {side}, but never uploaded" for key in sorted(set(sizes) - set(uploaded))]
    found.differences += [
        f"{key!r}: {sizes[key]} bytes at {side}, {uploaded[key][0]} uploaded"
        for key in sorted(set(sizes) & set(uploaded))
        if sizes[key] != uploaded[key][0]
    ]
