"""The images that renditions are compared on: the test images of Pillow's source package, and pypng's of PngSuite.

Photographs, palettes, 1 to 16 bits, CMYK, colour profiles, every EXIF orientation, animations, cut off and broken
files, and what fuzzers found: some 640 files of the formats that are rendered, under Pillow's licence (MIT-CMU), and 28
files of PngSuite and in its way, as pypng (MIT) has them. pip fetches them by the hashes that are pinned here, into
target/images; they are not part of this repository.
"""

import contextlib
import json
import pathlib
import runpy
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "target" / "images"
REQUIREMENTS = ROOT / "tests" / "images" / "requirements.txt"
PNG_SUITE_REQUIREMENTS = ROOT / "tests" / "images" / "png-suite-requirements.txt"
PYTHON_PACKAGES = FOLDER / "python"
RENDERER = ROOT / "target" / "release" / "examples" / "render_images"
SHARP = ROOT / "tests" / "images" / "sharp_peer.mjs"
PILLOW = ROOT / "tests" / "images" / "pillow_peer.py"
MARKS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def fetch():
    """The corpus's folder. pip reads the packages' metadata, and for that runs what they name to build them."""
    stamp, wanted = FOLDER / "fetched", REQUIREMENTS.read_text() + PNG_SUITE_REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        FOLDER.mkdir(parents=True, exist_ok=True)
        wheels = ["--only-binary", ":all:", "--upgrade", "--target", str(PYTHON_PACKAGES)]
        pip("install", REQUIREMENTS, *wheels)
        with source_package("pillow", REQUIREMENTS) as source:
            for member in source:
                if "/Tests/images/" in member.name and member.isfile():
                    content = source.extractfile(member).read()
                    write(member.name.partition("/Tests/images/")[2], content)
        with source_package("pypng", PNG_SUITE_REQUIREMENTS) as source:
            (module,) = (member for member in source if member.name.endswith("/code/pngsuite.py"))
            path = FOLDER / "pngsuite.py"
            path.write_bytes(source.extractfile(module).read())
        for name, content in runpy.run_path(str(path))["png"].items():
            write(f"pngsuite/{name}.png", content)
        stamp.write_text(wanted)
    return FOLDER / "corpus"


def pip(command, requirements, *arguments):
    common = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", str(requirements)]
    subprocess.run([sys.executable, "-m", "pip", command, *arguments, *common], check=True)


@contextlib.contextmanager
def source_package(name, requirements):
    """The opened archive of a package's sources, which is gone afterwards."""
    pip("download", requirements, "--no-binary", name, "--dest", str(FOLDER))
    (archive,) = FOLDER.glob(f"{name}-*.tar.gz")
    with tarfile.open(archive) as source:
        yield source
    archive.unlink()


def write(name, content):
    path = FOLDER / "corpus" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


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
