"""The demo's contact sheet, and the pictures that it is made of."""

import base64

from shardlift_local.contact_sheet import Thumbnail, contact_sheet, size

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
