"""Measures runs of events on the local stack: one object at a time, events of 10,000 within a minute, and the
objects that come within a minute where a million come in a day.

    python tests/bench/events.py [one] [many] [day-scattered] [day-neighbors]

Needs the functions' packages (`make package-local`). The emulator answers from memory and shares the processor with all
that is measured, so times bound those of the functions from above, and are none of AWS's. Requests, states and runs are
counted; what they cost is calculated by prices in us-east-1. The window is the template's own, 60 seconds, and for
one object at a time the shortest, a second. Figures go to target/bench/events.json and, as a table, to the standard
output.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "infra/local")]

from events_stand import Bill, Meter, Watch  # noqa: E402
from shardlift_local.server import Server, free_port  # noqa: E402

from tests.workflow.event_pair import deployed  # noqa: E402

RESULTS = ROOT / "target/bench/events.json"
SINGLES = 20
MANY_KEYS, MANY_SECONDS = [f"many/{number:05}" for number in range(10_000)], 60
# The most that SQS takes in a request.
MESSAGES = 10
DAY_OBJECTS, DAY_MINUTES = 1_000_000, 24 * 60
# Objects that stand at both sides already, so that those of a day lie scattered among others.
STANDING = 5_000
WRITERS = 4
STORY_SECONDS_MAX = 600


def put_evenly(pair, keys: list[str], seconds: float) -> dict[str, float]:
    """Writes the keys within so many seconds, or as fast as the emulator takes them. When each was written, by key."""
    written: dict[str, float] = {}
    began = time.time()

    def put(numbered: tuple[int, str]) -> None:
        number, key = numbered
        time.sleep(max(0, began + number * seconds / len(keys) - time.time()))
        pair.put(key)
        written[key] = time.time()

    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(put, enumerate(keys)))
    return written


def tell_evenly(pair, keys: list[str], seconds: float) -> dict[str, float]:
    """Tells of objects that stand at the source within so many seconds, as EventBridge does, ten messages in a request.
    When each was told, by key."""
    told: dict[str, float] = {}
    began, queue = time.time(), pair.outputs["events_queue_url"]
    for first in range(0, len(keys), MESSAGES):
        time.sleep(max(0, began + first * seconds / len(keys) - time.time()))
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        batch = list(enumerate(keys[first : first + MESSAGES], first))
        entries = [{"Id": str(n), "MessageBody": json.dumps(pair.event(key, n, at=at))} for n, key in batch]
        sent = pair.client("sqs").send_message_batch(QueueUrl=queue, Entries=entries)
        assert len(sent["Successful"]) == len(batch), sent
        told |= dict.fromkeys((key for _, key in batch), time.time())
    return told


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def story(pair, meter: Meter, keys: list[str], seconds: float, write=put_evenly) -> dict:
    """Writes keys, or tells of them, and waits until all is copied. What it took."""
    mark, watch = meter.mark(), Watch(pair)
    written = write(pair, keys, seconds)
    wrote_s = max(written.values()) - min(written.values())
    deadline = time.time() + STORY_SECONDS_MAX
    while not set(keys) <= watch.seen.keys():
        assert time.time() < deadline, f"{len(set(keys) - watch.seen.keys())} of {len(keys)} are not copied"
        time.sleep(0.2)
    seen = watch.stop()
    pair.wait_until(pair.is_quiet, "the end of the last run")
    lags = [seen[key] - written[key] for key in keys]
    assert pair.depth("events_dead_letters_url") == 0
    bill = meter.since(mark, events=len(keys))
    return {
        "objects": len(keys),
        "written_within_s": round(wrote_s, 1),
        "lag_s": {"p50": percentile(lags, 0.5), "p99": percentile(lags, 0.99), "max": max(lags)},
        "look_s_max": max(watch.looks),
    } | told(bill)


def told(bill: Bill) -> dict:
    """A bill as figures."""
    usd = bill.usd()
    return {
        "runs": bill.runs,
        "requests": dict(sorted(bill.requests.items())),
        "requests_total": bill.requests.total(),
        "units": {"write": bill.write_units, "read": bill.read_units},
        "transitions": bill.transitions,
        "invocations": bill.invocations,
        "gb_seconds": round(bill.gb_seconds, 2),
        "usd": usd | {"all_but_copies": sum(usd.values()) - usd["copies"]},
    }


def one(pair, meter: Meter) -> dict:
    """Objects one after the other, each of which is a run of its own. Of each figure the median, and the slowest."""
    figures = [story(pair, meter, [f"one/{number}"], 0) for number in range(-1, SINGLES)][1:]
    # From the event to the report, as the run itself tells, the window taken off.
    reports = [pair.report(name) for name in pair.runs_of_events()[:SINGLES]]
    whole = [seconds_of(report) - 1.0 for report in reports]
    assert all(one["runs"] == 1 for one in figures), [one["runs"] for one in figures]
    return figures[-1] | {
        "requests_each": sorted({one["requests_total"] for one in figures}),
        "lag_s": {
            "p50": statistics.median(one["lag_s"]["p50"] for one in figures),
            "max": max(one["lag_s"]["max"] for one in figures),
        },
        "to_report_without_window_s": {"p50": statistics.median(whole), "max": max(whole)},
        "usd": {name: statistics.median(one["usd"][name] for one in figures) for name in figures[0]["usd"]},
    }


def seconds_of(report: dict) -> float:
    """From the oldest event to the report."""
    from tests.workflow.event_pair import instant

    return (instant(report["ended_at"]) - instant(report["events"]["oldest_at"])).total_seconds()


def many(pair, meter: Meter) -> dict:
    """Events of ten thousand objects within a minute. The objects stand there already: the emulator takes minutes to
    write them, beside everything else that it does."""
    return story(pair, meter, MANY_KEYS, MANY_SECONDS, tell_evenly)


def day(pair, meter: Meter, is_scattered: bool) -> dict:
    """The objects of one minute of a day of a million, and what a day and a month of it cost."""
    count = round(DAY_OBJECTS / DAY_MINUTES)
    numbers = range(count)
    if is_scattered:
        numbers = sorted(random.Random(18).sample(range(STANDING), count))  # noqa: S311
        keys = [f"standing/{number:07}-new" for number in numbers]
    else:
        keys = [f"arrived/{number:07}" for number in numbers]
    figures = story(pair, meter, keys, 60)
    scale = DAY_OBJECTS / count
    per_day = {name: usd * scale for name, usd in figures["usd"].items()}
    return figures | {
        "requests_per_object": figures["requests_total"] / count,
        "a_day_usd": per_day,
        "a_month_usd": {name: usd * 30 for name, usd in per_day.items()},
    }


def stand(server: Server, name: str, window: int):
    """A deployed pair, whose messages are taken after the window."""
    return deployed(server, name, parameters={"EventsWindowSeconds": window})


def put_quietly(pair, keys: list[str]) -> None:
    """Objects of which no event tells."""
    notify, bucket = pair.client("s3").put_bucket_notification_configuration, pair.deployment.source_bucket
    notify(Bucket=bucket, NotificationConfiguration={})
    put_evenly(pair, keys, 0)
    notify(Bucket=bucket, NotificationConfiguration={"EventBridgeConfiguration": {}})


def standing(pair) -> None:
    """Objects at both sides, which no event tells of."""
    put_quietly(pair, [f"standing/{number:07}" for number in range(STANDING)])
    started = pair.client("stepfunctions").start_execution(
        stateMachineArn=pair.outputs["state_machine_arn"], name="standing", input="{}"
    )
    describe = pair.client("stepfunctions").describe_execution
    while describe(executionArn=started["executionArn"])["status"] == "RUNNING":
        time.sleep(0.5)
    assert describe(executionArn=started["executionArn"])["status"] == "SUCCEEDED"


STORIES = {
    "one": (1, None, one),
    "many": (60, lambda pair: put_quietly(pair, MANY_KEYS), many),
    "day-scattered": (60, standing, lambda pair, meter: day(pair, meter, is_scattered=True)),
    "day-neighbors": (60, standing, lambda pair, meter: day(pair, meter, is_scattered=False)),
}


def main(only: list[str]) -> None:
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() and only else {}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    print("| What | Objects | Written within s | Lag p50 s | p99 or max | Runs | Requests | USD but copies | Load |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for name in only or STORIES:
        window, prepare, measure = STORIES[name]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            server = Server(path, free_port(), wait_scale=1, requests_path=path / "requests.jsonl")
            server.start()
            try:
                pair = stand(server, name, window)
                if prepare:
                    prepare(pair)
                figures = measure(pair, Meter(pair, server.requests_path)) | {"load": os.getloadavg()[0]}
            finally:
                server.stop()
        results[name] = figures
        RESULTS.write_text(json.dumps(results, indent=1))
        lag = figures["lag_s"]
        cells = [
            *(name, figures["objects"], figures["written_within_s"], f"{lag['p50']:.1f}"),
            *(f"{lag.get('p99', lag['max']):.1f}", figures["runs"], figures["requests_total"]),
            *(f"{figures['usd']['all_but_copies']:.5f}", f"{figures['load']:.1f}"),
        ]
        print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("only", nargs="*", choices=[*STORIES, []])
    main(parser.parse_args().only)
