"""What becomes of odd objects: the real functions copy them inside the S3 model, and each outcome is looked up at both
sides. Objects that change during a run have their own here."""

import csv
import io
import json
import re
import threading
import time
from dataclasses import dataclass

import pytest
from shardlift_local.accounts import source_account, target_account
from shardlift_local.comparison import digest
from shardlift_local.deployment import Deployment

from tests.report_sums import checked

from . import odd_objects
from .execution import Machine
from .modelled import let_the_role_read, take_over_buckets
from .odd_objects import ALL, KMS_KEYS, SOURCE_PREFIX, TARGET_PREFIX, THRESHOLD_BYTES, groups

# The headers that are stored with an object, and how it is stored.
STORED_HEADERS = re.compile(
    "cache-control|content-(disposition|encoding|language|type)|expires|x-amz-website-redirect-location"
    "|x-amz-meta-.*|x-amz-storage-class|x-amz-server-side-encryption"
)
MULTIPART = {"multipart_threshold_bytes": THRESHOLD_BYTES, "part_bytes": THRESHOLD_BYTES}
# S3 computes another checksum of an upload for these, which the report notes.
CHECKSUM_NOTES = {"checksum_changed"}


@dataclass(frozen=True)
class Group:
    """The cases of one run, and what it said of them."""

    source_prefix: str
    target_prefix: str
    report: dict
    failures: dict


@dataclass(frozen=True)
class Sides:
    """Both buckets inside the model."""

    model: object
    outputs: dict

    @property
    def source(self):
        return source_account(self.model.endpoint_url).client("s3"), self.outputs["source_bucket"]

    @property
    def target(self):
        return target_account(self.model.endpoint_url).client("s3"), self.outputs["target_bucket"]


def state_of(side, key):
    """Size, stored headers and tags of an object; None if it is absent."""
    s3, bucket = side
    try:
        head = s3.head_object(Bucket=bucket, Key=key)
    except s3.exceptions.ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] != 404:
            raise
        return None
    sent = head["ResponseMetadata"]["HTTPHeaders"]
    headers = {name: value for name, value in sent.items() if STORED_HEADERS.fullmatch(name)}
    tags = s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    return {
        "size": head["ContentLength"],
        "headers": headers,
        "tags": {tag["Key"]: tag["Value"] for tag in tags},
    }


def put(sides, case, key):
    """Puts the case's object at the source."""
    s3, bucket = sides.source
    if case.parts:
        upload_id = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        parts = []
        for number, size in enumerate(case.parts, 1):
            part = s3.upload_part(Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=number, Body=b"p" * size)
            parts.append({"PartNumber": number, "ETag": part["ETag"]})
        s3.complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts})
    elif case.put:
        s3.put_object(Bucket=bucket, Key=key, Body=b"o" * case.size_bytes, **case.put)
    else:
        seed = ALL.index(case)
        sides.model.control(
            "POST", f"objects/{bucket}", {"key": key, "size_bytes": case.size_bytes, "seed": seed, **case.spec}
        )


@pytest.fixture(scope="module")
def machine(server, model):
    parameters = {"DataS3EndpointUrl": model.endpoint_url}
    deployment = Deployment(server.endpoint_url, name="odd", parameters=parameters)
    machine = Machine(deployment, deployment.deploy())
    take_over_buckets(model, deployment)
    return machine


def prefixes(number, options):
    if options.get("to") == "bucket":
        return f"root-{number}/", ""
    return (SOURCE_PREFIX, TARGET_PREFIX) if not options else (f"odd-{number}/", f"odd-copy-{number}/")


@pytest.fixture(scope="module")
def outcomes(machine, model):
    """Puts every case, runs each group once, and reads what the runs said: the group of each case by its name."""
    sides = Sides(model, machine.outputs)
    placed = [
        (prefixes(number, dict(options)), dict(options), cases)
        for number, (options, cases) in enumerate(groups().items())
    ]
    for arn in KMS_KEYS.values():
        model.control("PUT", f"kms-keys/{arn}", {"state": "enabled"})
    denied, rules = {}, []
    for (source_prefix, target_prefix), _options, cases in placed:
        for case in cases:
            key = source_prefix + case.key_below()
            put(sides, case, key)
            if case.denied:
                denied.setdefault(case.denied, []).append(key)
            if case.refused:
                fault = {"kind": "refuse", "code": case.refused}
                keys = {"HeadObject": key, "CopyObject": target_prefix + case.key_below()}
                rules += [{"operations": [name], "key_prefix": place, "fault": fault} for name, place in keys.items()]
    for state, arn in KMS_KEYS.items():
        model.control("PUT", f"kms-keys/{arn}", {"state": state})
    let_the_role_read(model, machine.deployment, denied=denied)
    model.control("PUT", "weather", {"rules": rules})
    found = {}
    for (source_prefix, target_prefix), options, cases in placed:
        group = run_group(machine, source_prefix, target_prefix, options)
        found.update((case.name, group) for case in cases)
    return sides, found


def run_group(machine, source_prefix, target_prefix, options):
    places = {"source": {"prefix": source_prefix}, "target": {"prefix": target_prefix}}
    chosen = {name: value for name, value in options.items() if name != "to"}
    execution = machine.run({**places, **MULTIPART, **chosen})
    report = checked(json.loads(document(machine, execution, "report.json")))
    return Group(source_prefix, target_prefix, report, failures(machine, execution))


def document(machine, execution, name):
    s3 = machine.deployment.source.client("s3")
    key = f"runs/{execution.run_id}/{name}"
    return s3.get_object(Bucket=machine.outputs["control_bucket"], Key=key)["Body"].read()


def failures(machine, execution):
    rows = csv.DictReader(io.StringIO(document(machine, execution, "failures.csv").decode()))
    return {re.sub(r"(^|[;\t\r\n])'", r"\1", row["key"]): row for row in rows}


def expected_copy(case, source):
    headers = {**source["headers"], **case.changed}
    tags = source["tags"] if case.tags is None else case.tags
    kept = {name: value for name, value in headers.items() if value is not None}
    return {"size": source["size"], "headers": kept, "tags": tags}


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_an_odd_object_has_the_outcome_of_its_row(outcomes, case):
    sides, found = outcomes
    group = found[case.name]
    source_key = group.source_prefix + case.key_below()
    target_key = group.target_prefix + case.key_below()
    failure = group.failures.get(source_key)
    # Where no key can be, nothing is.
    fits = 0 < len(target_key.encode()) <= odd_objects.KEY_BYTES_MAX
    at_target = state_of(sides.target, target_key) if fits else None
    if case.outcome == "copied":
        assert failure is None, failure
        unreadable = case.spec.get("storage_class") == "GLACIER"
        source = state_of(sides.source, source_key)
        assert at_target == expected_copy(case, source)
        if not unreadable and case.size_bytes <= THRESHOLD_BYTES + 1:
            assert digest(*sides.target, target_key) == digest(*sides.source, source_key)
    else:
        assert at_target is None
        if failure is None:
            assert group.report["skipped"]["by_reason"].get(case.outcome, 0) > 0
        else:
            assert failure["reason"] == case.outcome, failure
            assert case.detail in failure["detail"], failure


def test_a_row_each_accounts_for_every_object_of_its_run(outcomes):
    _sides, found = outcomes
    for options, cases in groups().items():
        report = found[cases[0].name].report
        told = (options, report)
        failed = sorted(case.outcome for case in cases if case.outcome[0].isupper())
        skipped = sorted(case.outcome for case in cases if case.outcome not in ("copied", *failed))
        assert report["copied"]["objects"] == len(cases) - len(failed) - len(skipped), told
        assert report["failed"]["by_reason"] == {code: failed.count(code) for code in failed}, told
        assert report["skipped"].get("by_reason", {}) == {reason: skipped.count(reason) for reason in skipped}, told
        noted = [note for case in cases for note in case.notes]
        others = {note: count for note, count in report.get("notes", {}).items() if note not in CHECKSUM_NOTES}
        assert others == {note: noted.count(note) for note in noted}, told


def test_what_is_dated_in_the_future_is_copied_by_every_run(machine, outcomes):
    _sides, found = outcomes
    group = found["modified-future"]
    wanted = {"filters": {"include": ["modified-*"]}}
    again = run_group(machine, group.source_prefix, group.target_prefix, wanted)
    assert again.report["verdict"] == "COMPLETE"
    assert (again.report["copied"]["objects"], again.report["skipped"]["objects"]) == (1, 1), again.report


def wait_until(is_so, seconds=60):
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("on_change", "skipped", "failed", "newer"),
    [
        ("copy_newer", {"gone_at_source": 1}, {}, 1),
        ("fail", {}, {"SourceChanged": 1, "SourceMissing": 1}, 0),
    ],
)
def test_what_changes_or_goes_before_its_copy(machine, model, on_change, skipped, failed, newer):
    """S3 takes no copy until one object has changed and another is gone."""
    sides = Sides(model, machine.outputs)
    s3, bucket = sides.source
    prefix, target_prefix = f"live-{on_change}/", f"live-copy-{on_change}/"
    for name in ("changes", "goes", "stays"):
        s3.put_object(Bucket=bucket, Key=prefix + name, Body=b"planned")
    busy = {"operations": ["CopyObject"], "key_prefix": target_prefix, "fault": {"kind": "refuse", "code": "SlowDown"}}
    model.control("DELETE", "counters")
    model.control("PUT", "weather", {"rules": [busy]})
    groups = []
    options = {"on_change": on_change}
    run = threading.Thread(target=lambda: groups.append(run_group(machine, prefix, target_prefix, options)))
    run.start()
    wait_until(lambda: "503" in model.counters()["requests"].get("CopyObject", {}))
    s3.put_object(Bucket=bucket, Key=f"{prefix}changes", Body=b"a newer version")
    s3.delete_object(Bucket=bucket, Key=f"{prefix}goes")
    model.control("PUT", "weather", {"rules": []})
    run.join()
    report = groups[0].report
    assert report["skipped"].get("by_reason", {}) == skipped
    assert report["failed"]["by_reason"] == failed
    assert report["copied_newer"]["objects"] == newer
    assert report["verdict"] == ("INCOMPLETE" if failed else "COMPLETE")
    arrived = {name for name in ("changes", "goes", "stays") if state_of(sides.target, target_prefix + name)}
    assert arrived == ({"changes", "stays"} if newer else {"stays"})
    if newer:
        assert digest(*sides.target, f"{target_prefix}changes") == digest(*sides.source, f"{prefix}changes")
