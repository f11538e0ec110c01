"""Renders the demo's pictures, and writes their contact sheet to target/contact-sheet for the browser test.

Needs the program that `cargo build --release --workspace --examples` makes.
"""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra" / "local"))

from shardlift_local.contact_sheet import Thumbnail, contact_sheet  # noqa: E402

PICTURES = ROOT / "infra" / "local" / "pictures"
RENDERER = ROOT / "target" / "release" / "examples" / "render_images"
FOLDER = ROOT / "target" / "contact-sheet"
# A key that would be markup.
HOSTILE_KEY = "<img src=x onerror=\"document.title='owned'\"> & 'more'.png"


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    paths = sorted(path for path in PICTURES.iterdir() if path.suffix != ".py")
    lines = subprocess.run(
        [str(RENDERER), str(FOLDER), "256", "same", "80"],
        input="".join(f"{path}\n" for path in paths),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    thumbnails, left_out, sizes = [], [], {}
    for index, (path, line) in enumerate(zip(paths, lines, strict=True)):
        rendered = json.loads(line)
        if rendered["kind"] != "rendered":
            left_out.append(path.name)
            continue
        body = (FOLDER / str(index)).read_bytes()
        thumbnails.append(Thumbnail(path.name, body, rendered["detail"], path.stat().st_size))
        sizes[path.name] = [rendered["width"], rendered["height"]]
    last = thumbnails[-1]
    thumbnails.append(Thumbnail(HOSTILE_KEY, last.body, last.content_type, last.source_bytes))
    sizes[HOSTILE_KEY] = sizes[last.key]
    (FOLDER / "index.html").write_text(contact_sheet("Thumbnails of s3://source/pictures/", thumbnails, left_out))
    (FOLDER / "sizes.json").write_text(json.dumps(sizes))


if __name__ == "__main__":
    main()
