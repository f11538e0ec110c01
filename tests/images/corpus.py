"""The images that renditions are compared on: the test images of Pillow's source package.

Photographs, palettes, 1 to 16 bits, CMYK, colour profiles, every EXIF orientation, animations, cut off and broken
files, and what fuzzers found: some 640 files of the formats that are rendered. Their licence is Pillow's (MIT-CMU).
pip fetches them by the hash that requirements.txt pins, into target/images; they are not part of this repository.
"""

import json
import pathlib
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "images"
REQUIREMENTS = ROOT / "tests" / "images" / "requirements.txt"
PYTHON_PACKAGES = FOLDER / "python"
RENDERER = ROOT / "target" / "release" / "examples" / "render_images"
SHARP = ROOT / "tests" / "images" / "sharp_peer.mjs"
PILLOW = ROOT / "tests" / "images" / "pillow_peer.py"
MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def fetch():
    """The corpus's folder. pip reads the package's metadata, and for that runs what the package names to build it."""
    stamp, wanted = FOLDER / "fetched", REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        FOLDER.mkdir(parents=True, exist_ok=True)
        common = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", str(REQUIREMENTS)]
        pip = [sys.executable, "-m", "pip"]
        wheels = ["--only-binary", ":all:", "--upgrade", "--target", str(PYTHON_PACKAGES)]
        subprocess.run([*pip, "install", *wheels, *common], check=True)
        subprocess.run([*pip, "download", "--no-binary", "pillow", "--dest", str(FOLDER), *common], check=True)
        (archive,) = FOLDER.glob("pillow-*.tar.gz")
        with tarfile.open(archive) as source:
            images = [member for member in source if "/Tests/images/" in member.name and member.isfile()]
            for member in images:
                path = FOLDER / "corpus" / member.name.partition("/Tests/images/")[2]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(source.extractfile(member).read())
        archive.unlink()
        stamp.write_text(wanted)
    return FOLDER / "corpus"


def is_rendered(path):
    """Whether a file begins as one of the formats that are rendered."""
    with path.open("rb") as file:
        head = file.read(12)
    return head.startswith(MARKS) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def images():
    corpus = fetch()
    return [path for path in sorted(corpus.rglob("*")) if path.is_file() and is_rendered(path)]


def render(command, paths, edge, style, folder, repeats=1):
    """What one of the three programs makes of each path: its line, and the rendition under the path's number."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    command = [*command, str(folder), str(edge), style, "80", str(repeats)]
    names = "".join(f"{path}\n" for path in paths)
    result = subprocess.run(command, input=names, capture_output=True, text=True, timeout=600, check=False)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    if result.returncode or len(lines) != len(paths):
        sys.exit(f"{command[0]} ended after {len(lines)} of {len(paths)} images: {result.stderr[-400:]}")
    return lines


def use_pillow():
    """Makes Pillow importable: it lives in a folder of its own, since nothing else here needs it."""
    fetch()
    sys.path.insert(0, str(PYTHON_PACKAGES))
