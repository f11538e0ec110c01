"""What Lambda logs of the invocations of a stack's functions, and what AWS charges for them."""

from __future__ import annotations

import json
import re

from shardlift_local.deployment import ROOT

# Of us-east-1; prices.json names its sources.
PRICES = json.loads((ROOT / "lambdas/core/src/report/prices.json").read_text())["regions"]["us-east-1"]
REPORTED = re.compile(r"Duration: (\d+) ms.*Memory Size: (\d+) MB")


def invocations(logs, stack: str, function: str) -> list[tuple[int, int]]:
    """Duration in ms and memory in MB of each invocation so far, read with a client of CloudWatch Logs."""
    name = f"/aws/lambda/{stack}-{function}"
    if not logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]:
        return []
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name, filterPattern="REPORT")
    found = (REPORTED.search(event["message"]) for page in pages for event in page["events"])
    return [(int(one[1]), int(one[2])) for one in found if one]


def gb_seconds(taken: list[tuple[int, int]]) -> float:
    """The time of invocations by their memory."""
    return sum(milliseconds * megabytes for milliseconds, megabytes in taken) / 1000 / 1024


def usd(count: int, time_gb_seconds: float) -> float:
    """What so many invocations cost that took so long."""
    return count * PRICES["function_invoke_usd_per_million"] / 1e6 + time_gb_seconds * PRICES["function_gb_second_usd"]
