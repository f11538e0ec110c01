"""Runs with a transform: the real machine, the real renderer."""

import json
import subprocess
import time

import pytest
from shardlift_local.comparison import listing
from shardlift_local.deployment import Deployment

from tests.pictures import png, size_of, turned

from .execution import Machine
from .pair import TestPair
from .test_command import SHARDLIFT

EDGE = 64
THUMBNAILS = {"kind": "thumbnail", "longest_edge_px": EDGE}
# What is uploaded, and the size of its rendition.
IMAGES = {
    "wide.png": (png(640, 320), (64, 32)),
    "deep/tall/+ %ü.png": (png(100, 400), (16, 64)),
    "16-bit.png": (png(128, 128, depth=16), (64, 64)),
    "palette.png": (png(200, 100, colour_type=3), (64, 32)),
    "alpha": (png(90, 90, colour_type=6), (64, 64)),
    "grey-alpha.PNG": (png(64, 128, colour_type=4), (32, 64)),
    "small.png": (png(10, 20), (10, 20)),
    "named-as-text.txt": (png(130, 65, colour_type=0), (64, 32)),
    "large.png": (png(300, 300) + bytes(3 << 20), (64, 64)),
}
OTHERS = {"readme.txt": b"a text", "empty": b"", "folder/": b"", "page.svg": b"<svg/>"}
BROKEN = {
    "cut.png": (png(300, 300)[:200], "ImageUnreadable"),
    "noise.jpg": (b"\xff\xd8\xff" + bytes(range(256)), "ImageUnreadable"),
    "bomb.png": (png(8, 8, stated=(60_000, 60_000)), "ImageTooLarge"),
}


@pytest.fixture(scope="module")
def rendering(server):
    deployment = Deployment(server.endpoint_url, name="rendering")
    return Machine(deployment, deployment.deploy())


def upload(pair, bodies):
    s3, bucket, prefix = pair.source
    for key, body in bodies.items():
        s3.put_object(Bucket=bucket, Key=prefix + key, Body=body, Tagging="tier=gold", Metadata={"place": "52.5,13.4"})


def remove(pair, keys):
    s3, bucket, prefix = pair.source
    for key in keys:
        s3.delete_object(Bucket=bucket, Key=prefix + key)


def rendition(pair, key):
    """Body and attributes of an object of the target."""
    s3, bucket, prefix = pair.target
    found = s3.get_object(Bucket=bucket, Key=prefix + key)
    return found["Body"].read(), found


def render(pair, verdict, **further):
    execution = pair.run(transform=THUMBNAILS, **further)
    report = pair.report(execution)
    assert report["verdict"] == verdict, execution.cause
    return report, execution


def wait_for_another_second():
    """Listings have whole seconds, and what is written in the second of its image is rendered again."""
    time.sleep(1.1)


def test_a_folder_of_images_becomes_a_folder_of_thumbnails(rendering):
    pair = TestPair(rendering, "folder/")
    upload(pair, {key: body for key, (body, _) in IMAGES.items()})
    upload(pair, OTHERS)
    upload(pair, {key: body for key, (body, _) in BROKEN.items()})
    wait_for_another_second()
    report, execution = render(pair, "INCOMPLETE", rounds_max=2)
    assert report["copied"]["objects"] == len(IMAGES)
    assert report["transform"] == {**THUMBNAILS, "format": "same", "quality": 80, "pixels_max": 250_000_000}
    assert report["cost_usd"]["requests"]["s3:PutObject.renditions"] == len(IMAGES)
    assert "compare" not in report
    assert report["skipped"]["by_reason"] == {"not_an_image": len(OTHERS)}
    codes = {row["key"].removeprefix("folder/"): row["reason"] for row in pair.failures(execution)}
    assert codes == {key: code for key, (_, code) in BROKEN.items()}
    assert report["rounds"] == 1, "nothing of it may succeed later"
    assert pair.target_keys() == set(IMAGES)
    for key, (_, size) in IMAGES.items():
        body, found = rendition(pair, key)
        assert (size_of(body), found["ContentType"]) == (size, "image/png"), key
        assert set(found["Metadata"]) == {"shardlift-transform", "shardlift-source-etag"}, "no place, no EXIF"
        s3, bucket, prefix = pair.target
        tags = s3.get_object_tagging(Bucket=bucket, Key=prefix + key)["TagSet"]
        assert tags == [{"Key": "tier", "Value": "gold"}]
    # Once more: the same renditions stand there, and what has none is looked at again.
    before = listing(*pair.target)
    report, _ = render(pair, "INCOMPLETE", rounds_max=2)
    assert report["copied"]["objects"] == 0
    assert report["skipped"]["by_reason"] == {"same": len(IMAGES), "not_an_image": len(OTHERS)}
    assert listing(*pair.target) == before
    remove(pair, BROKEN)
    report, _ = render(pair, "COMPLETE")
    assert (report["copied"]["objects"], report["verified"]["different"]) == (0, 0)
    assert report["proof"]["objects"] == len(IMAGES)


def test_only_what_changed_is_rendered_and_everything_when_the_options_did(rendering):
    pair = TestPair(rendering, "again/")
    upload(pair, {"a": png(100, 50), "b": png(50, 100), "c": png(80, 80)})
    wait_for_another_second()
    assert render(pair, "COMPLETE")[0]["copied"]["objects"] == 3
    wait_for_another_second()
    upload(pair, {"b": png(100, 100)})
    wait_for_another_second()
    assert render(pair, "COMPLETE")[0]["copied"]["objects"] == 1
    assert size_of(rendition(pair, "b")[0]) == (64, 64)
    smaller = {**THUMBNAILS, "longest_edge_px": 32, "format": "jpeg"}
    wait_for_another_second()
    report = pair.report(pair.run(transform=smaller))
    assert (report["verdict"], report["copied"]["objects"]) == ("COMPLETE", 3)
    body, found = rendition(pair, "a")
    assert (size_of(body), found["ContentType"]) == ((32, 16), "image/jpeg")
    wait_for_another_second()
    assert pair.report(pair.run(transform=smaller))["copied"]["objects"] == 0
    # A copy to the same place is no rendition, although it is newer.
    assert pair.report(pair.run(mode="copy"))["copied"]["objects"] == 3
    wait_for_another_second()
    assert pair.report(pair.run(transform=smaller))["copied"]["objects"] == 3
    remove(pair, ["c"])
    report = pair.report(pair.run(transform=smaller, mode="mirror", delete_max_percent=100))
    assert (report["verdict"], report["deleted"]["objects"]) == ("COMPLETE", 1)
    assert pair.target_keys() == {"a", "b"}


def test_a_photograph_that_lies_on_its_side_is_turned(rendering):
    flat = TestPair(rendering, "flat/")
    upload(flat, {"a.png": png(400, 200)})
    wait_for_another_second()
    jpegs = {**THUMBNAILS, "longest_edge_px": 256, "format": "jpeg"}
    assert flat.report(flat.run(transform=jpegs))["copied"]["objects"] == 1
    photograph, _ = rendition(flat, "a.png")
    pair = TestPair(rendering, "turned/")
    upload(pair, {"as-is.jpg": photograph, "turned.jpg": turned(photograph, 6)})
    wait_for_another_second()
    render(pair, "COMPLETE")
    assert size_of(rendition(pair, "as-is.jpg")[0]) == (64, 32)
    body, _ = rendition(pair, "turned.jpg")
    assert size_of(body) == (32, 64)
    assert b"Exif" not in body


def test_the_command_starts_one_and_shows_what_became_of_it(rendering, tmp_path):
    pair = TestPair(rendering, "command/")
    upload(pair, {"a.png": png(300, 300), "note.txt": b"no image"})
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(rendering.outputs))
    place = [f"s3://{rendering.outputs[f'{side}_bucket']}/command/" for side in ("source", "target")]
    options = ["--transform", "thumbnail:32,format=webp", "--source", place[0], "--target", place[1]]
    ran = subprocess.run(
        [SHARDLIFT, "--local", "--local-outputs", outputs, "start", *options, "--watch"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "not an image" in ran.stdout
    assert "thumbnail:32,format=webp,quality=80" in ran.stdout
    body, found = rendition(pair, "a.png")
    assert (body[:4], body[8:12], found["ContentType"]) == (b"RIFF", b"WEBP", "image/webp")


def test_a_stack_without_transforms_refuses_one(server):
    deployment = Deployment(server.endpoint_url, name="plain", has_widest_ceilings=False)
    machine = Machine(deployment, deployment.deploy())
    assert "renderer_function" not in machine.outputs
    execution = machine.run({"transform": THUMBNAILS})
    assert (execution.status, execution.error) == ("FAILED", "InvalidRun")
    assert "EnableTransforms" in execution.cause


def test_an_image_that_is_uploaded_has_its_thumbnail_soon(server):
    parameters = {"RunTransform": f"thumbnail:{EDGE}"}
    deployment = Deployment(server.endpoint_url, name="imageevents", starts_on_events=True, parameters=parameters)
    pair = TestPair(Machine(deployment, deployment.deploy()), "data/")
    began = time.monotonic()
    upload(pair, {"new.png": png(640, 320)})
    while "new.png" not in pair.target_keys():
        assert time.monotonic() - began < 60, "the window is a second"
        time.sleep(0.2)
    assert size_of(rendition(pair, "new.png")[0]) == (64, 32)
