"""Objects that only S3 itself can judge: their headers, classes, sizes and keys."""

import json
import os
import urllib.request

from shardlift_local.sample import MIB, MULTIPART_THRESHOLD_BYTES, PART_BYTES, Item

from tests.acceptance.case import Catalogue, expect
from tests.acceptance.readme import TARGET, Step, with_outputs

from .runs import completed, small_objects, told

CASES = Catalogue()
IN_PARTS = {"multipart_threshold_bytes": MULTIPART_THRESHOLD_BYTES, "part_bytes": PART_BYTES}
LARGE_BYTES = 6 * MIB
GIB = 2**30
# What a HEAD shows and a copy carries; dates, ETags and checksums have cases of their own.
CARRIED = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Metadata")
SIX_GIB_SOURCES = 6


def heads(pair, key):
    """HEAD of an object on both sides."""
    return [
        s3.head_object(Bucket=b, Key=prefix + key, ChecksumMode="ENABLED")
        for s3, b, prefix in (pair.source, pair.target)
    ]


def carried(head):
    """What a copy carries of a HEAD."""
    return {name: head[name] for name in CARRIED if head.get(name)}


@CASES.case(
    "headers, metadata beyond ASCII, and tags",
    "the same at the target, for CopyObject and for a copy in parts, which sets them again",
    "S9 S10",
    lenient="the local stack drops the tags of an upload in parts",
)
def headers_and_tags(stand):
    pair = stand.pair("headers")
    s3, bucket, prefix = pair.source
    attributes = {
        "CacheControl": "max-age=60, private",
        # Encoded as RFC 2047, since user metadata is ASCII on the wire; S3 decodes and encodes it again.
        "Metadata": {"plain": "value", "umlaut": "=?UTF-8?B?w7xtbMOkdXQ=?="},
        "ContentDisposition": 'attachment; filename="plain.txt"',
        "ContentLanguage": "de-CH",
        "ContentType": "text/x-odd",
        "Tagging": "team=data&stage=%C3%BC%20x",
    }
    for key, size in (("small", 10), ("large", LARGE_BYTES)):
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=bytes(size), **attributes)
    report = completed(pair, **IN_PARTS)
    target, target_bucket, _prefix = pair.target
    for key in ("small", "large"):
        source_head, target_head = map(carried, heads(pair, key))
        expect(source_head == target_head, f"{key}: {source_head} became {target_head}")
        tags = target.get_object_tagging(Bucket=target_bucket, Key=prefix + key)["TagSet"]
        found = {tag["Key"]: tag["Value"] for tag in tags}
        is_dropped = stand.is_local and key == "large" and not found
        expect(is_dropped or found == {"team": "data", "stage": "ü x"}, f"{key}: tags {found}")
    return f"{told(report)}; HEAD shows {source_head}"


@CASES.case(
    "a header in UTF-8",
    "COMPLETE, with the same header at the target, for CopyObject and for a copy in parts",
    "S10",
)
def utf_8_header(stand):
    pair = stand.pair("utf-8")
    s3, bucket, prefix = pair.source
    for key, size in (("small", 10), ("large", LARGE_BYTES)):
        disposition = 'attachment; filename="ümläut.txt"'
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=bytes(size), ContentDisposition=disposition)
    report = completed(pair, **IN_PARTS)
    for key in ("small", "large"):
        source_head, target_head = map(carried, heads(pair, key))
        expect(source_head == target_head, f"{key}: {source_head} became {target_head}")
    return f"{told(report)}; HEAD shows {source_head}"


@CASES.case(
    "a Latin-1 header, which only a POST form can set",
    "the target has the same bytes in the header, or the object is reported failed",
    "S10",
    only_aws="the local stack takes no POST forms",
)
def latin_1_header(stand):
    pair = stand.pair("latin-1")
    s3, bucket, prefix = pair.source
    sizes = {"small": 10, "large": LARGE_BYTES}
    for key, size in sizes.items():
        post_form(s3, bucket, prefix + key, 'attachment; filename="ümläut.txt"', bytes(size))
    execution = pair.run(**IN_PARTS)
    failed = {failure["key"].removeprefix(prefix): failure["reason"] for failure in pair.failures(execution)}
    for key in set(sizes) - set(failed):
        source_head, target_head = map(carried, heads(pair, key))
        expect(source_head == target_head, f"{key}: {source_head} became {target_head}")
    return f"{told(pair.report(execution))}; failed {failed or 'none'}"


def post_form(s3, bucket, key, disposition, body):
    """Uploads by an HTML form."""
    conditions = [["starts-with", "$Content-Disposition", ""]]
    form = s3.generate_presigned_post(bucket, key, Fields={"Content-Disposition": disposition}, Conditions=conditions)
    boundary = "acceptance-form"
    parts = [f'Content-Disposition: form-data; name="{n}"\r\n\r\n{v}'.encode() for n, v in form["fields"].items()]
    parts.append(b'Content-Disposition: form-data; name="file"; filename="f"\r\n\r\n' + body)
    text = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    urllib.request.urlopen(urllib.request.Request(form["url"], text, headers), timeout=120).close()


@CASES.case(
    "every copied object is proven by a checksum or an ETag",
    "COMPLETE with verify: checksum, and no object is unproven, neither copied whole nor in parts",
    "S11 S12",
    lenient="the local stack computes no checksums that were not sent",
)
def checksums(stand):
    pair = stand.pair("checksums")
    pair.upload([*small_objects(5), Item("large", generated_bytes=LARGE_BYTES)])
    report = completed(pair, verify="checksum", **IN_PARTS)
    notes = report.get("notes", {})
    expect("unproven" not in notes, f"{told(report)}; notes {notes}")
    return f"{told(report)}; notes {notes}"


@CASES.case(
    "a storage class",
    "a run that names a class writes it whatever the source has, and one that names none keeps the source's",
    "S13",
)
def storage_class(stand):
    pair = stand.pair("class")
    s3, bucket, prefix = pair.source
    s3.put_object(Bucket=bucket, Key=f"{prefix}object", Body=bytes(10), StorageClass="STANDARD_IA")
    completed(pair)
    kept = heads(pair, "object")[1].get("StorageClass")
    expect(kept == "STANDARD_IA", f"the kept class is {kept}")
    completed(pair, mode="copy", storage_class="STANDARD")
    # S3 names every class but STANDARD.
    named = heads(pair, "object")[1].get("StorageClass", "STANDARD")
    expect(named == "STANDARD", f"the class is {named}")
    return f"kept: {kept}; named: {named}"


@CASES.case(
    "an archived object",
    "it fails as ObjectArchived without a request, or is skipped, and the other objects are copied",
    "S14",
)
def archived(stand):
    pair = stand.pair("archived")
    pair.upload(small_objects(3))
    s3, bucket, prefix = pair.source
    s3.put_object(Bucket=bucket, Key=f"{prefix}frozen", Body=bytes(500), StorageClass="GLACIER")
    report = pair.report(pair.run(rounds_max=1))
    is_so = report["failed"]["by_reason"] == {"ObjectArchived": 1} and report["copied"]["objects"] == 3
    expect(is_so, told(report))
    skipping = pair.report(pair.run(archived="skip"))
    expect(skipping["verdict"] == "COMPLETE" and skipping["skipped"]["by_reason"]["archived"] == 1, told(skipping))
    return told(report)


@CASES.case(
    "an object of 6 GiB",
    "COMPLETE; it is copied in parts, and both sides have the same size and the same full-object checksum",
    "S4 S5 S12",
    only_aws="the local stack keeps objects in memory and has no limit of 5 GiB",
)
def six_gib(stand):
    pair = stand.pair("six-gib")
    s3, bucket, prefix = pair.source
    # Made inside S3: 8 MiB are uploaded, 128 copies of them are 1 GiB, six of these are 6 GiB. The ingredients lie
    # outside the pair's prefix.
    seed, gib = f"{prefix[:-1]}.seed", f"{prefix[:-1]}.gib"
    s3.put_object(Bucket=bucket, Key=seed, Body=os.urandom(8 * MIB))
    joined(s3, bucket, gib, seed, 128)
    joined(s3, bucket, f"{prefix}object", gib, SIX_GIB_SOURCES)
    stand.meter.stored_gb += (2 * SIX_GIB_SOURCES + 1) * GIB / 1e9
    for key in (seed, gib):
        s3.delete_object(Bucket=bucket, Key=key)
    report = completed(pair, verify="checksum")
    source_head, target_head = heads(pair, "object")
    sums = [head.get("ChecksumCRC64NVME") for head in (source_head, target_head)]
    expect(source_head["ContentLength"] == target_head["ContentLength"] == SIX_GIB_SOURCES * GIB, told(report))
    expect(sums[0] and sums[0] == sums[1], f"checksums {sums}")
    parts = target_head["ETag"].strip('"').rpartition("-")[2]
    return f"{told(report)}; {target_head['ContentLength']:,} bytes in {parts} parts, CRC64NVME {sums[0]} on both sides"


def joined(s3, bucket, key, source_key, times):
    """Makes an object of several copies of another one, without reading a byte."""
    upload = {"Bucket": bucket, "Key": key}
    upload["UploadId"] = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    parts = []
    for number in range(1, times + 1):
        source = {"Bucket": bucket, "Key": source_key}
        part = s3.upload_part_copy(**upload, PartNumber=number, CopySource=source)
        parts.append({"PartNumber": number, "ETag": part["CopyPartResult"]["ETag"]})
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})


@CASES.case(
    "a target bucket in another Region",
    "COMPLETE; a second target stack, whose role and bucket the input names, takes the copies",
    "S15 I9 F4",
    only_aws="the local stack does not tell Regions apart",
)
def another_region(stand):
    far, region = f"{stand.name}-far", stand.far_region
    stack = {
        "PlannerRoleArn": "planner_role_arn",
        "CopierRoleArn": "copier_role_arn",
        "ReporterRoleArn": "reporter_role_arn",
    }
    step = with_outputs(stand.steps()[TARGET], {name: stand.outputs[key] for name, key in stack.items()})
    script = step.script.replace(f"{stand.name}-target", f"{far}-target").replace(
        f"TargetBucketName={far}-target", f"TargetBucketName={far}"
    )
    place = dict.fromkeys(("TARGET_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"), region)
    stand.shell(stand.target).run(Step("a second target stack", script), place)
    role = f"arn:{stand.target.partition}:iam::{stand.target.account_id}:role/{far}-target"
    stand.change_source_stack(FurtherTargetBucketNames=far, FurtherTargetRoleArns=role)
    pair = stand.pair("region")
    uploaded = pair.upload([*small_objects(5), Item("large", generated_bytes=LARGE_BYTES)])
    stand.meter.between_regions_gb += sum(size for size, _digest in uploaded.values()) / 1e9
    policy = json.dumps(stand.policies.read("source-bucket")).replace(stand.target_role_arn, role)
    target = {"bucket": far, "prefix": pair.prefix, "role_arn": role, "external_id": stand.external_id}
    with stand.changed("source-bucket", json.loads(policy)):
        report = completed(pair, target=target, **IN_PARTS)
    listed = stand.target.client("s3", region).list_objects_v2(Bucket=far, Prefix=pair.prefix)
    expect(listed["KeyCount"] == len(uploaded), f"{told(report)}; {listed['KeyCount']} objects in {region}")
    return f"{told(report)}; from {stand.source.region} to {region}"
