"""Whole runs."""

from shardlift_local.sample import AWKWARD_KEYS, MIB, MULTIPART_THRESHOLD_BYTES, PART_BYTES, Item

from tests.acceptance.case import Catalogue, expect

CASES = Catalogue()
KEY_BYTES_MAX = 1024


def small_objects(count):
    """Objects of different small sizes."""
    return [Item(f"file-{number:05}", generated_bytes=number % 300) for number in range(count)]


def told(report):
    """What a report says, in short."""
    failed = report["failed"]
    counts = ", ".join(f"{name} {report[name]['objects']}" for name in ("planned", "copied", "skipped"))
    return f"{report['verdict']}, {counts}, failed {failed['objects']} {failed['by_reason'] or ''}".strip()


def completed(pair, **run_input):
    """A run that must be COMPLETE. Returns its report."""
    execution = pair.run(**run_input)
    expect(execution.status == "SUCCEEDED", f"{execution.status} {execution.error}: {execution.cause}")
    return pair.report(execution)


@CASES.case(
    "a run copies every byte under every key",
    "COMPLETE; keys, sizes and bytes of both sides are the same by an independent comparison; no upload is left",
    "S1 S2 S6 S7 M1 M2 M3 D2",
)
def happy_path(stand):
    pair = stand.pair("every-key")
    items = [Item(key, generated_bytes=7 * number) for number, key in enumerate(AWKWARD_KEYS)]
    # The prefix counts towards a key's 1,024 bytes.
    items = [item for item in items if len((pair.prefix + item.key).encode()) <= KEY_BYTES_MAX]
    items += [Item("k" * (KEY_BYTES_MAX - len(pair.prefix)), generated_bytes=5), *small_objects(60)]
    items += [Item("large", generated_bytes=12 * MIB + 345)]
    uploaded = pair.upload(items)
    report = completed(pair, multipart_threshold_bytes=MULTIPART_THRESHOLD_BYTES, part_bytes=PART_BYTES)
    differences = pair.differences(uploaded)
    expect(not differences, f"{len(differences)} differences, such as {differences[:2]}")
    s3, bucket, prefix = pair.target
    uploads = s3.list_multipart_uploads(Bucket=bucket, Prefix=prefix).get("Uploads", [])
    expect(not uploads, f"{len(uploads)} uploads are left")
    expect(report["copied"]["objects"] == len(uploaded), told(report))
    return f"{told(report)}; no difference in {len(uploaded)} objects"


@CASES.case("a second run finds nothing to do", "COMPLETE, nothing planned, everything skipped", "S3 S6")
def second_run(stand):
    pair = stand.pair("twice")
    pair.upload(small_objects(20))
    completed(pair)
    report = completed(pair)
    expect(report["planned"]["objects"] == 0 and report["skipped"]["objects"] == 20, told(report))
    return told(report)


@CASES.case(
    "a rerun copies what was denied, and nothing else",
    "INCOMPLETE with AccessDenied for one of 30, which names the document; the rerun copies one and is COMPLETE",
    "I7 I8 M4",
)
def rerun(stand):
    pair = stand.pair("rerun")
    pair.upload(small_objects(30))
    denied = f"{pair.prefix}file-00007"
    with stand.changed("source-bucket", denying(stand.policies.read("source-bucket"), stand, denied)):
        execution = pair.run()
    report = pair.report(execution)
    expect(execution.error == "AccessDenied" and report["copied"]["objects"] == 29, told(report))
    (failure,) = pair.failures(execution)
    expect(failure["key"] == denied and "source bucket" in failure["detail"], f"the failure {failure}")
    again = pair.machine.run({"rerun_of": execution.run_id})
    stand.count(again, 0)
    expect(again.status == "SUCCEEDED", f"the rerun: {again.status} {again.error}: {again.cause}")
    second = pair.report(again)
    expect(second["copied"]["objects"] == 1, f"the rerun: {told(second)}")
    return f"{told(report)}: {failure['detail']}; rerun: {told(second)}"


def denying(policy, stand, key):
    """A bucket policy that refuses the role one key, or a pattern of keys."""
    refusal = {"Sid": "RefuseOne", "Effect": "Deny", "Principal": {"AWS": stand.target_role_arn}}
    refusal.update(Action="s3:GetObject", Resource=f"arn:{stand.source.partition}:s3:::{stand.source_bucket}/{key}")
    return {**policy, "Statement": [*policy["Statement"], refusal]}


@CASES.case(
    "a mirror deletes what the source lacks",
    "refused without AllowMirror; then COMPLETE, and the target has the source's keys alone",
    "S8 I2",
    lenient="the local stack ignores the ETags that make deletions conditional",
)
def mirror(stand):
    pair = stand.pair("mirror")
    uploaded = pair.upload(small_objects(30))
    completed(pair)
    s3, bucket, prefix = pair.source
    s3.delete_object(Bucket=bucket, Key=f"{prefix}file-00003")
    refused = pair.run(mode="mirror")
    expect(refused.error == "InvalidRun" and "AllowMirror" in refused.cause, f"{refused.error}: {refused.cause}")
    stand.change_source_stack(AllowMirror="true")
    stand.deploy_target(AllowMirrorDeletes="true")
    report = completed(pair, mode="mirror")
    keys = pair.target_keys()
    expect(
        report["deleted"]["objects"] == 1 and keys == set(uploaded) - {"file-00003"},
        f"{told(report)}; {len(keys)} keys",
    )
    return f"{told(report)}, deleted 1; {len(keys)} keys at the target"


@CASES.case(
    "the role's deletions can be taken away again",
    "a mirror without AllowMirrorDeletes is refused before it deletes, and the message names the statement",
    "I8 F2",
)
def mirror_refused(stand):
    pair = stand.pair("no-mirror")
    pair.upload(small_objects(30))
    completed(pair)
    s3, bucket, prefix = pair.source
    s3.delete_object(Bucket=bucket, Key=f"{prefix}file-00003")
    stand.change_source_stack(AllowMirror="true")
    stand.deploy_target(AllowMirrorDeletes="false")
    execution = pair.run(mode="mirror")
    stand.deploy_target(AllowMirrorDeletes="true")
    expect(execution.status == "FAILED" and "file-00003" in pair.target_keys(), f"{execution.status} {execution.error}")
    expect("s3:DeleteObject" in execution.cause, f"{execution.error}: {execution.cause}")
    return f"{execution.error}: {execution.cause}"


@CASES.case("a dry run plans and copies nothing", "PLANNED, with the number of objects; the target is empty", "S6")
def dry_run(stand):
    pair = stand.pair("dry")
    pair.upload(small_objects(5))
    report = completed(pair, dry_run=True)
    expect(report["verdict"] == "PLANNED" and report["planned"]["objects"] == 5, told(report))
    expect(not pair.target_keys(), "the target has objects")
    return told(report)
