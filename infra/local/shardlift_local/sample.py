"""What the demo copies: a generated sample, or the files of a folder."""

import hashlib
import os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from .server import StackError

MIB = 2**20
UPLOADS_AT_ONCE = 16
# Uploads in flight and in the queue. The folder is read no faster than it is uploaded.
UPLOADS_WAITING_MAX = 64
# The demo copies objects of this size in parts, so its sample needs no object above 5 GiB.
MULTIPART_THRESHOLD_BYTES = 5 * MIB
PART_BYTES = 5 * MIB
KEY_BYTES_MAX = 1024

# Keys that many tools get wrong. Each must be copied byte for byte.
AWKWARD_KEYS = (
    "awkward/a//b",
    "awkward//double",
    "/lead",
    "//lead-twice",
    "..",
    "awkward/..",
    "awkward/../up",
    "awkward/./here",
    "awkward/.",
    "awkward/%2F",
    "awkward/%252F",
    "awkward/100%",
    "awkward/a+b",
    "awkward/a b",
    "awkward/ leading and trailing ",
    "awkward/trailing/",
    "awkward/trailing//",
    "awkward/?query=1&x=2#fragment",
    "awkward/semi;colon:and,comma",
    "awkward/'single' \"double\" `back`",
    "awkward/<html>&amp;</html>",
    "awkward/back\\slash",
    "awkward/tab\tand\nnewline",
    "awkward/=cmd|' /C calc'!A0",
    "awkward/\u00fcml\u00e4ut-composed-\u00e9",
    "awkward/u\u0308mla\u0308ut-decomposed-e\u0301",
    "awkward/\u65e5\u672c\u8a9e/\u30d5\u30a1\u30a4\u30eb",
    "awkward/\U0001f680 to the \U0001f315",
    "awkward/\u200bzero-width",
    "awkward/\u202eright-to-left",
    "awkward/long/" + "k" * (KEY_BYTES_MAX - len("awkward/long/")),
    "awkward/long/" + "\u00e9" * ((KEY_BYTES_MAX - len("awkward/long/")) // 2) + "k",
    "~tilde/{brace}/[bracket]/(paren)/^caret|pipe",
)


@dataclass(frozen=True)
class Item:
    """An object to upload: its key, and the origin of its bytes."""

    key: str
    path: Path | None = None
    generated_bytes: int = 0

    def body(self):
        """Returns all of its bytes."""
        if self.path is not None:
            return self.path.read_bytes()
        return generated_content(self.key, self.generated_bytes)


def generated_sample():
    """About 2,800 small objects in a tree, the awkward keys, empty objects, and one object of several parts."""
    for day in range(1, 29):
        for number in range(100):
            key = f"data/2026/11/{day:02}/part-{number:05}.csv"
            yield Item(key, generated_bytes=200 + (day * 7919 + number * 104_729) % 6_000)
    for number, key in enumerate(AWKWARD_KEYS):
        yield Item(key, generated_bytes=number * 10)
    for number in range(20):
        yield Item(f"data/empty/{number:02}", generated_bytes=0)
    yield Item("data/large/twelve-mebibytes.bin", generated_bytes=12 * MIB + 345)


def folder_sample(folder):
    """Every regular file below a folder, with its path as its key. Links are not followed."""
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise StackError(f"FROM={folder} is no folder. Nothing was changed; name a folder with files in it")
    for parent, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            path = Path(parent) / name
            if path.is_symlink() or not path.is_file():
                continue
            key = path.relative_to(root).as_posix()
            try:
                size = len(key.encode())
            except UnicodeEncodeError:
                print(f"  skipped, its name is not UTF-8: {os.fsencode(key)!r}")
                continue
            if size > KEY_BYTES_MAX:
                print(f"  skipped, its path is longer than {KEY_BYTES_MAX} bytes: {key[:60]}…")
                continue
            yield Item(key, path=path)


def generated_content(key, size):
    """Bytes that depend on the key alone, so they can be generated again and compared."""
    seed = hashlib.sha256(key.encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


@dataclass
class Uploaded:
    """What was uploaded: the size and the SHA-256 of each object, by key."""

    objects: dict
    bytes: int = 0


def upload(items, s3, bucket):
    """Uploads the items, with a bounded number in flight. Returns what was uploaded."""
    uploaded = Uploaded({})
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        in_flight = set()
        for item in items:
            in_flight.add(pool.submit(_put, s3, bucket, item))
            if len(in_flight) >= UPLOADS_WAITING_MAX:
                done, in_flight = wait(in_flight, return_when=FIRST_COMPLETED)
                _record(uploaded, done)
        _record(uploaded, wait(in_flight).done)
    return uploaded


def _put(s3, bucket, item):
    body = item.body()
    s3.put_object(Bucket=bucket, Key=item.key, Body=body)
    return item.key, len(body), hashlib.sha256(body).hexdigest()


def _record(uploaded, done):
    for future in done:
        key, size, digest = future.result()
        uploaded.objects[key] = (size, digest)
        uploaded.bytes += size
