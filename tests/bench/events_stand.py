"""What runs of events are measured on: the local stack with the real templates, the functions' requests as they are
recorded, and what AWS charges for them."""

from __future__ import annotations

import base64
import collections
import json
import math
import re
import threading
import time
from dataclasses import dataclass, field

import function_log
from function_log import PRICES

FUNCTIONS = ("intake", "planner", "copier", "reporter")
# USD in us-east-1: aws.amazon.com/sqs/pricing/. EventBridge takes the events of S3 as data events that one opts in to,
# taken to cost what custom events do (docs/COST.md), and delivers them for nothing
# (aws.amazon.com/eventbridge/pricing/).
SQS_REQUEST, EVENT = 0.40e-6, 1.00e-6
# Lambda receives and deletes ten messages in a request at most.
RECEIVED_AT_ONCE = 10
READS = {"GetObject", "HeadObject", "HeadBucket"}
FREE = {"DeleteObject", "DeleteObjects", "AbortMultipartUpload"}
# The states that a child of the Map enters: ChooseFunction, CopyShard, CheckShard, ShardDone.
CHILD_TRANSITIONS = 4


def operation(request: dict) -> str:
    """What a recorded request is, as service and operation."""
    headers = request["headers"]
    credential = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers.get("authorization", ""))
    service = credential[1] if credential else "unsigned"
    if "x-amz-target" in headers:
        return f"{service}:{headers['x-amz-target'].rpartition('.')[2]}"
    if service != "s3":
        body = base64.b64decode(request["body"]).decode(errors="replace")
        action = re.search(r"Action=(\w+)", body)
        return f"{service}:{action[1] if action else 'Unknown'}"
    method, has_key = request["method"], request["path"].strip("/").count("/") > 0
    query = dict.fromkeys(part.partition("=")[0] for part in request["query"].split("&"))
    if method == "PUT":
        return "s3:CopyObject" if "x-amz-copy-source" in headers else "s3:PutObject"
    if method == "POST":
        return "s3:DeleteObjects" if "delete" in query else "s3:Upload"
    if method == "GET" and not has_key:
        return "s3:ListObjectsV2"
    return f"s3:{method.title()}{'Object' if has_key else 'Bucket'}"


def units(request: dict, name: str) -> tuple[float, float]:
    """The write and read units of a request to the ledger. What it writes is taken for as large as its JSON, what it
    reads for less than 4 KB."""
    if name == "dynamodb:PutItem":
        return math.ceil(len(base64.b64decode(request["body"])) / 1024), 0
    if name == "dynamodb:DeleteItem":
        return 1, 0
    if name == "dynamodb:TransactWriteItems":
        items = json.loads(base64.b64decode(request["body"]))["TransactItems"]
        return sum(2 * math.ceil(len(json.dumps(item)) / 1024) for item in items), 0
    return 0, 1


@dataclass
class Bill:
    """What the functions requested and the services did in one story, and what AWS charges for it."""

    requests: collections.Counter = field(default_factory=collections.Counter)
    write_units: float = 0
    read_units: float = 0
    transitions: int = 0
    invocations: int = 0
    gb_seconds: float = 0
    runs: int = 0
    events: int = 0

    def add(self, request: dict) -> None:
        name = operation(request)
        self.requests[name] += 1
        if name.startswith("dynamodb:"):
            written, read = units(request, name)
            self.write_units += written
            self.read_units += read

    def usd(self) -> dict[str, float]:
        """By service. The copies stand apart: they are made once, however they are started."""
        s3 = PRICES["s3"]["STANDARD"]
        per_write, per_read = s3["write_usd_per_1000"] / 1000, s3["read_usd_per_1000"] / 1000
        named = {name.partition(":")[2]: n for name, n in self.requests.items() if name.startswith("s3:")}
        reads = sum(n for name, n in named.items() if name in READS)
        copies = named.get("CopyObject", 0)
        writes = sum(n for name, n in named.items() if name not in READS | FREE | {"CopyObject"})
        # Of a run: its end is a message, too, and comes alone.
        messages = self.events + self.runs
        taken = math.ceil(self.events / RECEIVED_AT_ONCE) + self.runs
        return {
            "copies": copies * per_write,
            "s3": writes * per_write + reads * per_read,
            "dynamodb": self.write_units * PRICES["ledger_write_unit_usd_per_million"] / 1e6
            + self.read_units * PRICES["ledger_read_unit_usd_per_million"] / 1e6,
            "step_functions": self.transitions * PRICES["transition_usd_per_1000"] / 1000,
            "lambda": function_log.usd(self.invocations, self.gb_seconds),
            "sqs": (messages + 2 * taken) * SQS_REQUEST,
            "eventbridge": self.events * EVENT,
        }


class Meter:
    """Reads from a running stack what a story caused."""

    def __init__(self, pair, requests_path) -> None:
        self.pair, self.path = pair, requests_path

    def mark(self) -> dict:
        """Where things stand now."""
        runs = {execution["executionArn"] for execution in self.pair.executions()}
        return {"offset": self.path.stat().st_size, "runs": runs, "logs": {f: len(self._reports(f)) for f in FUNCTIONS}}

    def since(self, mark: dict, events: int) -> Bill:
        """What came since then."""
        bill = Bill(events=events)
        with self.path.open("rb") as file:
            file.seek(mark["offset"])
            for line in file:
                bill.add(json.loads(line))
        runs = {execution["executionArn"] for execution in self.pair.executions()} - mark["runs"]
        bill.runs = len(runs)
        bill.transitions = sum(self._transitions(arn) for arn in runs)
        for function in FUNCTIONS:
            taken = self._reports(function)[mark["logs"][function] :]
            bill.invocations += len(taken)
            bill.gb_seconds += function_log.gb_seconds(taken)
        return bill

    def _transitions(self, execution_arn: str) -> int:
        states = self.pair.client("stepfunctions")
        pages = states.get_paginator("get_execution_history").paginate(executionArn=execution_arn)
        entered = sum("stateEnteredEventDetails" in event for page in pages for event in page["events"])
        children = 0
        for run in states.list_map_runs(executionArn=execution_arn)["mapRuns"]:
            children += len(states.list_executions(mapRunArn=run["mapRunArn"])["executions"])
        return entered + children * CHILD_TRANSITIONS

    def _reports(self, function: str) -> list[tuple[int, int]]:
        return function_log.invocations(self.pair.client("logs"), self.pair.deployment.name, function)


class Watch:
    """Notes when each key is first seen at the target. Listing it takes a while, which is the error of these times."""

    def __init__(self, pair) -> None:
        self.seen: dict[str, float] = {}
        self.looks: list[float] = []
        self._pair, self._done = pair, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._done.is_set():
            began = time.time()
            keys = self._pair.target()
            now = time.time()
            self.looks.append(now - began)
            for key in keys:
                self.seen.setdefault(key, now)
            # Half of the time for the stack, however long a look takes.
            self._done.wait(max(0.2, now - began))

    def stop(self) -> dict[str, float]:
        self._done.set()
        self._thread.join()
        return self.seen
