"""Odd objects, one a case: what stands at the source, and what a run makes of it.

The table in docs/SEMANTICS.md has a row for each case (tests/static/test_odd_objects.py). The objects are put into the
S3 model, which returns what S3 returns and holds what an emulator cannot.
"""

from dataclasses import dataclass, field

MIB = 2**20
THRESHOLD_BYTES = 5 * MIB
IN_PARTS_BYTES = 6 * MIB
KEY_BYTES_MAX = 1024
# The prefixes of both sides: the target's is longer, so a key of 1,024 bytes below the first has no place there.
SOURCE_PREFIX, TARGET_PREFIX = "odd/", "odd-copy/"
FUTURE_S, PAST_S = 4_102_444_800, 0
KMS_KEYS = {
    name: f"arn:aws:kms:us-east-1:111111111111:key/{name}" for name in ("enabled", "disabled", "pending_deletion")
}
LARGEST_TAGS = {f"{number}".ljust(128, "k"): f"{number}".ljust(256, "v") for number in range(10)}
REDIRECT = "x-amz-website-redirect-location"


@dataclass(frozen=True)
class Odd:
    """One object, and what becomes of it."""

    name: str
    # Below the prefix; its name when absent.
    key: str | None = None
    size_bytes: int = 10
    # What the model's control API takes beside: headers in ISO-8859-1, metadata, tags, storage_class …
    spec: dict = field(default_factory=dict)
    # Arguments of PutObject, for what only a request can make.
    put: dict = field(default_factory=dict)
    # The runs' options that matter to it.
    options: dict = field(default_factory=dict)
    # `copied`, `skipped` with its reason, or the code of its failure.
    outcome: str = "copied"
    # Stored headers at the target that are not the source's; None for one that is not there.
    changed: dict = field(default_factory=dict)
    # Tags at the target; the source's when absent.
    tags: dict | None = None
    notes: tuple = ()
    # Words of the failure's detail.
    detail: str = ""
    # An action that the bucket policy denies for it.
    denied: str = ""
    # What the model answers to reads and copies of it, scripted.
    refused: str = ""
    # The sizes of its parts at the source.
    parts: tuple = ()

    def key_below(self):
        """Its key below the prefix."""
        return self.name if self.key is None else self.key


def both_ways(name, **arguments):
    """The case in one CopyObject, and in parts."""
    return [Odd(name, **arguments), Odd(f"{name}-in-parts", size_bytes=IN_PARTS_BYTES, **arguments)]


def utf_8(text):
    """The text as the control API names its bytes."""
    return text.encode().decode("latin-1")


BEST_EFFORT, IGNORE_TAGS = {"tags": "best_effort"}, {"tags": "ignore"}
SKIP_ARCHIVED, CHECKSUM, NAMED_CLASS = {"archived": "skip"}, {"verify": "checksum"}, {"storage_class": "GLACIER_IR"}

HEADERS = [
    *both_ways("latin-1-disposition", spec={"headers": {"content-disposition": 'attachment; filename="\xdcber.pdf"'}}),
    Odd("latin-1-type", spec={"headers": {"content-type": "text/\xfc"}}),
    Odd(
        "latin-1-type-in-parts",
        size_bytes=IN_PARTS_BYTES,
        spec={"headers": {"content-type": "text/\xfc"}},
        outcome="ObjectUnsupported",
        detail="content-type",
    ),
    *both_ways("expires-no-date", spec={"headers": {"expires": "next year"}}),
    *both_ways("expires-latin-1", spec={"headers": {"expires": "n\xe4chstes Jahr"}}),
    *both_ways("cache-control-utf-8", spec={"headers": {"cache-control": utf_8("max-age=5, x=ü€")}}),
    Odd("encoding-gzip", spec={"headers": {"content-encoding": "gzip"}}),
    Odd("encoding-aws-chunked", put={"ContentEncoding": "aws-chunked,gzip"}),
    *both_ways("metadata-empty", spec={"metadata": {"empty": ""}}),
    *both_ways("metadata-rfc-2047", spec={"metadata": {"title": "Übersicht 概要"}}),
    *both_ways("metadata-2-kb", spec={"metadata": {"m": "x" * 2047}}),
    Odd("language-and-cache", spec={"headers": {"content-language": "de, en", "cache-control": "no-store"}}),
]

REDIRECTS = [
    Odd("redirect-empty", size_bytes=0, spec={"headers": {REDIRECT: "/elsewhere"}}),
    Odd("redirect-utf-8", size_bytes=0, spec={"headers": {REDIRECT: utf_8("/über")}}),
    Odd(
        "redirect-latin-1",
        size_bytes=0,
        spec={"headers": {REDIRECT: "/\xfcber"}},
        changed={REDIRECT: None},
        notes=("redirect_left_behind",),
    ),
    Odd("redirect-page", spec={"headers": {REDIRECT: "/elsewhere"}}, changed={REDIRECT: None}),
    Odd("redirect-in-parts", size_bytes=IN_PARTS_BYTES, spec={"headers": {REDIRECT: "/elsewhere"}}),
    Odd(
        "redirect-page-checksum",
        spec={"headers": {REDIRECT: "/elsewhere"}},
        options=CHECKSUM,
        notes=("proven_by_checksum",),
    ),
]

TAGS = [
    *both_ways("tags-largest", spec={"tags": LARGEST_TAGS}),
    *both_ways("tags-special", spec={"tags": {"a + b = c": "ü/@:_.-", "empty": ""}}),
    *(
        Odd(
            f"tags-denied{suffix}",
            size_bytes=size_bytes,
            spec={"tags": {"a": "b"}},
            denied="s3:GetObjectTagging",
            outcome="AccessDenied",
            detail="s3:GetObjectTagging",
        )
        for suffix, size_bytes in (("", 10), ("-in-parts", IN_PARTS_BYTES))
    ),
    *both_ways(
        "tags-denied-best-effort",
        spec={"tags": {"a": "b"}},
        denied="s3:GetObjectTagging",
        options=BEST_EFFORT,
        tags={},
        notes=("tags_left_behind",),
    ),
    *both_ways(
        "tags-denied-ignore", spec={"tags": {"a": "b"}}, denied="s3:GetObjectTagging", options=IGNORE_TAGS, tags={}
    ),
]

KEYS = [
    Odd("folder-marker", key="folder/", size_bytes=0),
    Odd("folder-with-content", key="full-folder/"),
    Odd("key-double-slash", key="a//b"),
    Odd("key-leading-slash", key="/lead"),
    Odd("key-dots", key="../x"),
    Odd("key-dot", key="."),
    Odd("key-longest", key="k" * (KEY_BYTES_MAX - len(TARGET_PREFIX))),
    Odd(
        "key-too-long-at-target",
        key="l" * (KEY_BYTES_MAX - len(SOURCE_PREFIX)),
        outcome="ObjectUnsupported",
        detail="1,024 bytes",
    ),
    Odd("key-line-break", key="a\r\nb"),
    Odd("key-control-characters", key="a\x01\x1f\x7f"),
    Odd("key-byte-order-mark", key="\ufeffa"),
    Odd("key-percent", key="a%2Fb%00"),
    Odd("key-plus-and-space", key="a+b c"),
    Odd("key-emoji", key="\U0001f680"),
    Odd("key-nfc", key="\u00e9"),
    Odd("key-nfd", key="e\u0301"),
    Odd("key-formula", key="=cmd|' /C calc'!A0"),
    Odd("root-marker", key="", size_bytes=0, outcome="root_marker", options={"to": "bucket"}),
]

CLASSES = [
    *(
        Odd(f"class-{name.lower()}", spec={"storage_class": name})
        for name in ("STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "INTELLIGENT_TIERING", "REDUCED_REDUNDANCY")
    ),
    Odd("class-in-parts", size_bytes=IN_PARTS_BYTES, spec={"storage_class": "STANDARD_IA"}),
    Odd("class-named", options=NAMED_CLASS, changed={"x-amz-storage-class": "GLACIER_IR"}),
    Odd("archived-glacier", spec={"storage_class": "GLACIER"}, outcome="ObjectArchived"),
    Odd("archived-deep", spec={"storage_class": "DEEP_ARCHIVE"}, outcome="ObjectArchived"),
    Odd(
        "archived-tier",
        spec={"storage_class": "INTELLIGENT_TIERING", "archive_tier": True},
        outcome="ObjectArchived",
    ),
    Odd("restored", spec={"storage_class": "GLACIER", "restored": True}),
    Odd("archived-skip", spec={"storage_class": "GLACIER"}, options=SKIP_ARCHIVED, outcome="archived"),
    Odd(
        "archived-tier-skip",
        spec={"storage_class": "INTELLIGENT_TIERING", "archive_tier": True},
        options=SKIP_ARCHIVED,
        outcome="archived",
    ),
]

ENCRYPTIONS = [
    Odd("sse-s3", put={"ServerSideEncryption": "AES256"}),
    *(
        Odd(
            f"sse-kms{suffix}",
            size_bytes=size_bytes,
            put={"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KMS_KEYS["enabled"]},
            changed={"x-amz-server-side-encryption": "AES256"},
        )
        for suffix, size_bytes in (("", 10), ("-in-parts", IN_PARTS_BYTES))
    ),
    *(
        Odd(
            f"sse-kms-{state.replace('_', '-')}",
            put={"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KMS_KEYS[state]},
            outcome="AccessDenied",
            detail="KMS.",
        )
        for state in ("disabled", "pending_deletion")
    ),
    Odd("sse-c", refused="InvalidRequest", outcome="ObjectUnsupported", detail="InvalidRequest"),
]

OWNERS = [
    Odd("denied", denied="s3:GetObject", outcome="AccessDenied", detail="another account"),
    Odd(
        "denied-in-parts",
        size_bytes=IN_PARTS_BYTES,
        denied="s3:GetObject",
        outcome="AccessDenied",
        detail="another account",
    ),
]

SIZES = [
    Odd("empty", size_bytes=0),
    Odd("threshold", size_bytes=THRESHOLD_BYTES),
    Odd("above-threshold", size_bytes=THRESHOLD_BYTES + 1),
    Odd("parts-at-source", parts=(5 * MIB, 1), size_bytes=5 * MIB + 1),
    Odd("parts-at-source-small", parts=(3,), size_bytes=3),
]

TIMES = [
    Odd("modified-1970", spec={"modified_s": PAST_S}),
    Odd("modified-future", spec={"modified_s": FUTURE_S}),
]

CHECKSUMS = [
    Odd("checksum-sha256", put={"ChecksumAlgorithm": "SHA256"}, options=CHECKSUM, notes=("proven_by_checksum",)),
    # S3 adds a CRC64NVME to what has no checksum.
    Odd("checksum-crc64nvme", options=CHECKSUM, notes=("proven_by_checksum",)),
    Odd("annotations", spec={"annotations": {"note": "text"}}),
    Odd(
        "annotations-in-parts",
        size_bytes=IN_PARTS_BYTES,
        spec={"annotations": {"note": "text"}},
        notes=("annotations_left_behind",),
    ),
]

ALL = [*HEADERS, *REDIRECTS, *TAGS, *KEYS, *CLASSES, *ENCRYPTIONS, *OWNERS, *SIZES, *TIMES, *CHECKSUMS]


def groups():
    """The cases by the options of their run."""
    found = {}
    for case in ALL:
        found.setdefault(tuple(sorted(case.options.items())), []).append(case)
    return found
