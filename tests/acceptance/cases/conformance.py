"""The S3 model's conformance suite, against AWS itself."""

import os
import re
import subprocess

from shardlift_local.deployment import ROOT

from tests.acceptance.case import Catalogue, expect

CASES = Catalogue()
# What AWS cannot be asked, and why.
NOT_ON_AWS = {
    "registered_keys_stand_for_their_principals_until_they_expire": "it registers keys in the model",
    "a_date_more_than_15_minutes_off_is_refused": "it turns the model's clock",
    "a_signature_must_be_present_and_well_formed": "it speaks HTTP to a port of this machine",
    "a_multipart_object_is_dated_by_the_creation_of_its_upload": "it turns the model's clock",
    "five_gib_are_copied_and_a_byte_more_is_refused": "it would send 10 GiB from this machine",
    "a_part_is_at_most_five_gib": "it would send 10 GiB from this machine",
}
LINE = re.compile(r"^test (\S+) \.\.\. (ok|FAILED)$", re.MULTILINE)
SECONDS_MAX = 3600
AT_ONCE = 8
# A bound for the estimate: the cases send some dozens of requests each.
WRITES_PER_CASE = 40


@CASES.case(
    "the S3 model's conformance suite",
    f"every case passes on AWS, but for {len(NOT_ON_AWS)} that AWS cannot be asked",
    "S0",
    only_aws="`make test` plays these cases on the model, and docs/MODEL.md says which the local stack claims",
)
def conformance(stand):
    command = ["cargo", "test", "--release", "--locked", "--workspace", "--test", "conformance", "--"]
    command += ["--test-threads", str(AT_ONCE)]
    for name in NOT_ON_AWS:
        command += ["--skip", name]
    environment = {**os.environ, "CONFORMANCE_ENDPOINT_URL": "aws", "CONFORMANCE_CLAIMS": "all"}
    environment["CONFORMANCE_BUCKET_PREFIX"] = f"{stand.name}-case"
    for role, account in (("OWNER", stand.source), ("STRANGER", stand.target)):
        told = {"ACCOUNT": account.account_id, **account.credentials()}
        environment.update({f"CONFORMANCE_{role}_{what}": value for what, value in told.items() if value})
    played = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=SECONDS_MAX
    )
    (stand.workdir / "conformance.log").write_text(played.stdout + played.stderr)
    verdicts = dict(LINE.findall(played.stdout))
    stand.meter.requests["s3:PutObject"] += WRITES_PER_CASE * len(verdicts)
    expect(verdicts, f"no case was played: {played.stderr[-300:]}")
    failed = sorted(name for name, verdict in verdicts.items() if verdict != "ok")
    expect(not failed, f"{len(failed)} of {len(verdicts)} differ: {', '.join(failed)}")
    return f"{len(verdicts)} cases pass"
