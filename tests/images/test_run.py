"""`make images`, second part: the whole corpus, large photographs and hostile files through a run on the local stack.

Started by the operator's command, rendered by the function, and held against sharp and Pillow. What they make of it
goes to target/images/run.json.
"""

import functools
import io
import json
import time
from dataclasses import dataclass

import compare
import corpus
import made
import pytest
import uploads
from function_memory import FunctionMemory
from PIL import Image
from shardlift_local.comparison import listing
from shardlift_local.deployment import Deployment
from shardlift_local.sample import Item, upload

from tests.pictures import SIGNATURE
from tests.workflow.execution import Machine
from tests.workflow.operator_command import GOOD, INCOMPLETE, OperatorCommand
from tests.workflow.pair import TestPair

EDGE = 256
TRANSFORM = ("--transform", f"thumbnail:{EDGE}")
# Mean difference a channel, of 255, to the nearer peer, whose renditions have no loss. JPEG and WebP have one here.
DIFFERENCE_MAX, LOSSY_DIFFERENCE_MAX = compare.DIFFERENCE_MAX, 8.0
DIFFERENT = {"app13.jpg": compare.DIFFERENT["app13.jpg"]}
CHANGED = "flower.jpg"
ORIENTATION = 0x0112
# Which way up they are stands in XMP, or in a text of ImageMagick's; sharp does not look there, either.
TURNED_BY_PILLOW_ALONE = {
    "exif_imagemagick_orientation.png",
    "xmp_tags_orientation.png",
    "xmp_tags_orientation_exiftool.png",
}
# Some 90 seconds of a processor, on a machine that may be busy.
RUN_SECONDS_MAX = 900


@dataclass
class Folder:
    """The source, and what a run made of it."""

    pair: TestPair
    command: OperatorCommand
    # By key, what was uploaded.
    paths: dict
    # What each that is no picture, or a bad one, must end as.
    hostile: dict
    report: dict
    failures: dict
    seconds: float
    peaks: dict

    def outcome(self, key):
        return self.failures.get(key) or ("rendered" if key in self.renditions else uploads.NO_IMAGE)

    def run(self, code):
        """Starts a run and waits for its end. Returns its report."""
        self.command("start", *TRANSFORM, "--watch", code=code, seconds_max=RUN_SECONDS_MAX)
        return self.pair.report(latest(self.pair.machine))

    @functools.cached_property
    def renditions(self):
        """What stands at the target after the first run."""
        return self.pair.target_keys()


@dataclass(frozen=True)
class RunName:
    run_id: str


def latest(machine):
    found = machine.states.list_executions(stateMachineArn=machine.outputs["state_machine_arn"], maxResults=1)
    return RunName(found["executions"][0]["name"])


def files(folder):
    """Everything that is uploaded: paths by key, and of what must end as something else, as what."""
    made.make()
    root = corpus.FOLDER / "corpus"
    paths = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
    whole = uploads.photographs()
    hostile = uploads.hostile(whole)
    bodies = {**whole, **uploads.copied(whole), **{name: body for name, (body, _) in hostile.items()}}
    for number, (name, body) in enumerate(bodies.items()):
        paths[f"made here/{name}"] = folder / str(number)
        (folder / str(number)).write_bytes(body)
    codes = {f"made here/{name}": code for name, (_, code) in hostile.items()}
    others = {key: uploads.NO_IMAGE for key, path in paths.items() if not corpus.is_rendered(path)}
    return paths, {**others, **codes}


@pytest.fixture(scope="module")
def folder(server, tmp_path_factory):
    deployment = Deployment(server.endpoint_url, name="pictures")
    machine = Machine(deployment, deployment.deploy())
    pair, command = TestPair(machine, ""), OperatorCommand.on(machine, tmp_path_factory.mktemp("command"))
    paths, hostile = files(tmp_path_factory.mktemp("files"))
    items = (Item(key, path=path) for key, path in paths.items())
    upload(items, deployment.source.client("s3"), machine.outputs["source_bucket"])
    # Listings have whole seconds, and what is rendered in the second of its upload is rendered again.
    time.sleep(1.1)
    started = time.monotonic()
    with FunctionMemory(machine.outputs["renderer_function"]) as memory:
        text, _ = command("start", *TRANSFORM, "--watch", code=INCOMPLETE, seconds_max=RUN_SECONDS_MAX)
    seconds = time.monotonic() - started
    assert "not an image" in text
    run = latest(machine)
    failures = {row["key"]: row["reason"] for row in pair.failures(run)}
    return Folder(pair, command, paths, hostile, pair.report(run), failures, seconds, memory.peaks)


def opened(body):
    with Image.open(io.BytesIO(body)) as image:
        return compare.on_white(compare.in_8_bits(image))


def rendition(folder, key):
    s3, bucket, prefix = folder.pair.target
    return s3.get_object(Bucket=bucket, Key=prefix + key)["Body"].read()


def by_sharp(paths):
    """Sharp's rendition of each path, without loss; none of those that it refuses."""
    output = corpus.FOLDER / "sharp of run"
    lines = corpus.render(["node", str(corpus.SHARP)], paths, EDGE, "png", output)
    return [compare.rendition(line, output, index) for index, line in enumerate(lines)]


def test_every_image_is_rendered_as_the_peers_do(folder):
    keys = [key for key in folder.paths if key not in folder.hostile]
    first = [key for key in keys if key.rpartition(" ")[0] not in folder.paths]
    rows, problems = [], {}
    for key, sharps in zip(first, by_sharp([folder.paths[key] for key in first]), strict=True):
        outcome, path = folder.outcome(key), folder.paths[key]
        body = rendition(folder, key) if outcome == "rendered" else b""
        pictures = (opened(body) if body else None, sharps, compare.by_pillow(path, EDGE))
        row = compare.held(key, path.read_bytes()[:4], outcome, pictures)
        rows.append(row)
        difference_max = DIFFERENCE_MAX if body.startswith(SIGNATURE) else LOSSY_DIFFERENCE_MAX
        if problem := compare.problem(row, DIFFERENT, difference_max):
            problems[key] = problem
    compare.show(rows)
    lines = [{name: value for name, value in row.items() if name != "mark"} for row in rows]
    peaks = sorted(folder.peaks.values())
    measured = {"rows": lines, "peaks": peaks, "seconds": folder.seconds, "objects": len(folder.paths)}
    (corpus.FOLDER / "run.json").write_text(json.dumps(measured, indent=1))
    assert problems == {}
    assert len([row for row in rows if row["outcome"] == "rendered"]) >= 600
    for key in set(keys) - set(first):
        assert rendition(folder, key) == rendition(folder, key.rpartition(" ")[0]), key


def test_what_lies_on_its_side_stands_upright(folder):
    turned = set()
    for key in folder.renditions:
        if key in TURNED_BY_PILLOW_ALONE or orientation(folder.paths[key]) == 1:
            continue
        ours = opened(rendition(folder, key))
        upright, lying = (compare.by_pillow(folder.paths[key], EDGE, is_turned) for is_turned in (True, False))
        assert ours[0].size == upright[0].size, key
        wrong = compare.difference(ours, lying)
        assert wrong is None or compare.difference(ours, upright) <= wrong, key
        # Else it looks the same from both sides.
        if compare.difference(upright, lying) != 0.0:
            turned.add(key)
    assert len(turned) >= 15, turned


def orientation(path):
    try:
        with Image.open(path) as image:
            return image.getexif().get(ORIENTATION, 1)
    except Exception:  # Broken images raise of everything.
        return 1


def test_every_hostile_file_ends_as_said(folder):
    assert {key: folder.outcome(key) for key in folder.hostile} == folder.hostile
    assert set(folder.failures.values()) == {uploads.UNREADABLE, uploads.TOO_LARGE}
    outcomes = [folder.outcome(key) for key in folder.paths]
    report = folder.report
    assert report["copied"]["objects"] == outcomes.count("rendered")
    assert report["failed"]["objects"] == len(folder.failures)
    assert report["skipped"]["by_reason"] == {uploads.NO_IMAGE: outcomes.count(uploads.NO_IMAGE)}
    assert report["planned"]["objects"] == len(folder.paths)
    # No renderer was taken down, and none was called a second time.
    assert report["rounds"] == 1
    assert report["shards"]["done"] == report["shards"]["total"]


def test_the_function_stays_below_its_memory(folder):
    source = folder.pair.machine.deployment.source.client("lambda")
    name = folder.pair.machine.outputs["renderer_function"]
    memory_mb = source.get_function_configuration(FunctionName=name)["MemorySize"]
    assert folder.peaks
    assert max(folder.peaks.values()) < memory_mb * 10**6, (folder.peaks, memory_mb)
    # Far more than an idle function has.
    assert max(folder.peaks.values()) > 256 * 10**6


def test_a_second_run_renders_none_and_one_changed_image_one(folder):
    before = stored(folder)
    report = folder.run(INCOMPLETE)
    assert (report["copied"]["objects"], report["skipped"]["by_reason"]["same"]) == (0, len(before))
    assert stored(folder) == before
    s3, bucket, prefix = folder.pair.source
    body = folder.paths["hopper.jpg"].read_bytes()
    s3.put_object(Bucket=bucket, Key=prefix + CHANGED, Body=body)
    time.sleep(1.1)
    assert folder.run(INCOMPLETE)["copied"]["objects"] == 1
    after = stored(folder)
    assert {key for key in after if after[key] != before[key]} == {CHANGED}
    assert opened(rendition(folder, CHANGED))[0].size == (128, 128)
    for key in folder.failures:
        s3.delete_object(Bucket=bucket, Key=prefix + key)
    report = folder.run(GOOD)
    assert (report["verdict"], report["copied"]["objects"]) == ("COMPLETE", 0)
    assert report["proof"]["objects"] == len(listing(*folder.pair.target))


def stored(folder):
    """When each rendition was written, and its ETag."""
    s3, bucket, prefix = folder.pair.target
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {one["Key"]: (one["LastModified"], one["ETag"]) for page in pages for one in page["Contents"]}
