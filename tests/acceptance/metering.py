"""What a run of the suite costs, estimated from counted requests and data.

- The suite's own requests are counted attempt by attempt, by a hook in boto3, and priced here.
- Each run of Shardlift reports what its requests cost (`cost_usd.counted`).
- Compute is bounded: a run's duration times the memory of all three functions.
- What is stored or sent between Regions is priced by the gigabyte and the hours of the suite.

Not counted: the AWS CLI's own requests (some 50), log events, CloudFormation (free for AWS's own resources).
"""

import json
import threading
import time
from collections import Counter

from shardlift_local.deployment import ROOT

# USD, us-east-1. The first two are those of the reports.
PRICES = json.loads((ROOT / "lambdas/core/src/report/prices.json").read_text())["regions"]["us-east-1"]["s3"]
WRITE_USD = PRICES["STANDARD"]["write_usd_per_1000"] / 1_000
READ_USD = PRICES["STANDARD"]["read_usd_per_1000"] / 1_000
# aws.amazon.com/lambda/pricing (x86_64), /kms/pricing, /s3/pricing (storage; transfer between Regions), /sns, /sqs.
GB_SECOND_USD = 0.0000166667
KMS_KEY_HOUR_USD = 1.0 / 730
STORED_GB_HOUR_USD = 0.023 / 730
BETWEEN_REGIONS_GB_USD = 0.02
MESSAGE_USD = 0.5 / 1_000_000
BUDGET_USD = 2.0

WRITES = (
    "PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
    "CreateBucket", "PutBucketPolicy", "PutBucketEncryption", "PutBucketVersioning", "PutObjectTagging",
    "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads", "ListParts", "ListBuckets",
)  # fmt: skip


class Meter:
    """Counts requests, runs and data."""

    def __init__(self):
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self.requests = Counter()
        self.runs = 0
        self.runs_usd = 0.0
        self.compute_gb_seconds = 0.0
        self.stored_gb = 0.0
        self.between_regions_gb = 0.0
        self.kms_keys = 0

    def watch(self, events):
        """Counts each attempt of a client's requests."""
        events.register("before-send", self._count)

    def _count(self, event_name=None, **_request):
        # before-send.s3.PutObject
        _prefix, service, operation = event_name.split(".", 2)
        with self._lock:
            self.requests[f"{service}:{operation}"] += 1

    def add_run(self, seconds, memory_mb, counted_usd):
        """Adds a run of Shardlift: its duration, the memory of the functions, and what its report counted."""
        self.runs += 1
        self.runs_usd += counted_usd
        self.compute_gb_seconds += seconds * memory_mb / 1024

    def usd_by_kind(self):
        """The estimate in USD, by what it is for."""
        hours = (time.monotonic() - self._started) / 3600
        writes = sum(self.requests[f"s3:{name}"] for name in WRITES)
        other = sum(n for name, n in self.requests.items() if name.startswith("s3:") and name[3:] not in WRITES)
        messages = sum(n for name, n in self.requests.items() if name.startswith(("sqs:", "sns:", "kms:")))
        return {
            f"the suite's own requests ({writes:,} writes and listings, {other:,} others)": writes * WRITE_USD
            + other * READ_USD
            + messages * MESSAGE_USD,
            f"requests of {self.runs} runs, as their reports count them": self.runs_usd,
            f"compute, at most {self.compute_gb_seconds:,.0f} GB-seconds": self.compute_gb_seconds * GB_SECOND_USD,
            f"{self.stored_gb:.1f} GB stored for {hours:.1f} h": self.stored_gb * hours * STORED_GB_HOUR_USD,
            f"{self.between_regions_gb:.3f} GB between Regions": self.between_regions_gb * BETWEEN_REGIONS_GB_USD,
            f"{self.kms_keys} KMS keys for {hours:.1f} h": self.kms_keys * hours * KMS_KEY_HOUR_USD,
        }

    def usd(self):
        """The whole estimate in USD."""
        return sum(self.usd_by_kind().values())
