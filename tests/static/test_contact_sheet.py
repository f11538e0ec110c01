"""The demo's contact sheet, and the pictures that it is made of."""

import base64
import io

import pytest
from shardlift_local.contact_sheet import Thumbnail, contact_sheet, size
from shardlift_local.pictures import write_contact_sheet
from shardlift_local.server import StackError

from .project import ROOT

PICTURES = ROOT / "infra" / "local" / "pictures"
PICTURES_BYTES_MAX = 250_000
THUMBNAIL = b"\x89PNG"


def test_the_pictures_are_few_and_small():
    files = [path for path in PICTURES.iterdir() if path.suffix != ".py"]
    assert 6 <= len(files) <= 10
    assert sum(path.stat().st_size for path in files) < PICTURES_BYTES_MAX


def test_a_thumbnail_is_in_the_page_itself():
    page = contact_sheet("sheet", [Thumbnail("a/b.png", THUMBNAIL, "image/png", 12_345)])
    assert f'src="data:image/png;base64,{base64.b64encode(THUMBNAIL).decode()}"' in page
    assert 'alt="Thumbnail of a/b.png"' in page
    assert "4 bytes of 12 KB" in page
    assert "1 thumbnail, " in page
    assert "http:" not in page
    assert "https:" not in page


def test_keys_and_titles_are_texts():
    hostile = '"><script>alert(1)</script>'
    page = contact_sheet(hostile, [Thumbnail(hostile, b"x", "image/jpeg", 1)], [hostile])
    assert "<script" not in page
    assert page.count("&quot;&gt;&lt;script&gt;") == 5


def test_what_a_browser_would_run_is_named_and_not_shown():
    page = contact_sheet("sheet", [Thumbnail("drawing.svg", b"<svg onload='x'/>", "image/svg+xml", 1)])
    assert "<img" not in page
    assert "drawing.svg" in page
    assert "0 thumbnails" in page


def test_sizes_are_for_people():
    assert [size(n) for n in (0, 999, 1000, 9_949, 25_455, 3_210_000)] == [
        "0 bytes",
        "999 bytes",
        "1.0 KB",
        "9.9 KB",
        "25 KB",
        "3.2 MB",
    ]


class Bucket:
    """As much of an S3 client as the page is written from: objects by key, all of them on one page of a listing."""

    def __init__(self, objects):
        self.objects = objects

    def get_paginator(self, operation):
        assert operation == "list_objects_v2"
        return self

    def paginate(self, Bucket, Prefix):  # noqa: N803 - boto3's names
        assert Bucket in ("source", "target")
        return [{"Contents": [{"Key": k, "Size": len(v)} for k, v in self.objects.items() if k.startswith(Prefix)]}]

    def get_object(self, Bucket, Key):  # noqa: N803
        assert Bucket == "target"
        return {"Body": io.BytesIO(self.objects[Key]), "ContentType": "image/png"}


OUTPUTS = {"source_bucket": "source", "source_prefix": "", "target_bucket": "target", "target_prefix": "kept/"}
SOURCE = Bucket({"pictures/a.png": b"whole", "pictures/b.txt": b"text", "other.png": b"x"})


def test_the_page_shows_what_is_at_the_target(tmp_path):
    target = Bucket({"kept/thumbnails/a.png": THUMBNAIL, "kept/other.png": b"x"})
    assert write_contact_sheet(OUTPUTS, SOURCE, target, tmp_path / "page.html") == 1
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "4 bytes of 5 bytes" in page
    assert "<li>b.txt</li>" in page
    assert "other.png" not in page


@pytest.mark.parametrize("keys", [[], ["b.txt"], ["a.png", "b.txt"], ["a.png", "c.png"]])
def test_a_picture_without_a_thumbnail_or_another_thumbnail_fails_the_demo(keys, tmp_path):
    target = Bucket({f"kept/thumbnails/{key}": THUMBNAIL for key in keys})
    with pytest.raises(StackError):
        write_contact_sheet(OUTPUTS, SOURCE, target, tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()
