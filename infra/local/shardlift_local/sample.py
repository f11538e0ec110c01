"""What the demo copies: a made sample, or the files of a folder."""

import hashlib
import os
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from .server import StackError

MIB = 2**20
UPLOADS_AT_ONCE = 16
# Uploads that wait beside those under way: the folder is walked no faster than it is sent.
UPLOADS_WAITING_MAX = 64
# The demo's run takes the multipart path from here on, so that its sample need not hold 5 GiB.
MULTIPART_THRESHOLD_BYTES = 5 * MIB
PART_BYTES = 5 * MIB
KEY_BYTES_MAX = 1024

# Keys that tools stumble over. Each must arrive byte for byte.
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
    """An object to upload: its key, and where its bytes come from."""

    key: str
    path: Path | None = None
    made_bytes: int = 0

    def body(self):
        """All of its bytes."""
        if self.path is not None:
            return self.path.read_bytes()
        return made_content(self.key, self.made_bytes)


def made_sample():
    """Some 2,800 small objects in a tree, the awkward keys, empty objects, and one of several parts."""
    for day in range(1, 29):
        for number in range(100):
            key = f"data/2026/11/{day:02}/part-{number:05}.csv"
            yield Item(key, made_bytes=200 + (day * 7919 + number * 104_729) % 6_000)
    for number, key in enumerate(AWKWARD_KEYS):
        yield Item(key, made_bytes=number * 10)
    for number in range(20):
        yield Item(f"data/empty/{number:02}", made_bytes=0)
    yield Item("data/large/twelve-mebibytes.bin", made_bytes=12 * MIB + 345)


def folder_sample(folder):
    """Every regular file below a folder, its key being its path. Links are not followed."""
    root = Path(folder).expanduser()
    if not root.is_dir():
        raise StackError(f"FROM={folder} is not a folder")
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
                print(f"  left out, its name is not UTF-8: {os.fsencode(key)!r}")
                continue
            if size > KEY_BYTES_MAX:
                print(f"  left out, its path is longer than {KEY_BYTES_MAX} bytes: {key[:60]}…")
                continue
            yield Item(key, path=path)


def made_content(key, size):
    """Bytes that follow from the key alone, so that they can be made again and compared."""
    seed = hashlib.sha256(key.encode()).digest()
    return (seed * (size // len(seed) + 1))[:size]


@dataclass
class Uploaded:
    """What was sent: by key, the size and the SHA-256 of the bytes."""

    objects: dict
    bytes: int = 0


def upload(items, s3, bucket):
    """Sends the items with a bounded number in flight. Returns what was sent."""
    sent = Uploaded({})
    with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
        under_way = set()
        for item in items:
            under_way.add(pool.submit(_put, s3, bucket, item))
            if len(under_way) >= UPLOADS_WAITING_MAX:
                done, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                _note(sent, done)
        _note(sent, wait(under_way).done)
    return sent


def _put(s3, bucket, item):
    body = item.body()
    s3.put_object(Bucket=bucket, Key=item.key, Body=body)
    return item.key, len(body), hashlib.sha256(body).hexdigest()


def _note(sent, done):
    for future in done:
        key, size, digest = future.result()
        sent.objects[key] = (size, digest)
        sent.bytes += size
