"""What is uploaded beside the corpus: large photographs, and files that are meant to do harm."""

import io
import struct
import zlib

import corpus

from tests.pictures import png

corpus.use_pillow()
from PIL import Image  # noqa: E402

SEEDS = corpus.ROOT / "tests" / "fuzz" / "corpus" / "image"
# 48 and 12 megapixels.
LARGE, SMALLER = (8000, 6000), (4000, 3000)
# So many of them at once take more memory than the function has, unless it lets them wait for each other.
COPIES = 5
UNREADABLE, TOO_LARGE, NO_IMAGE = "ImageUnreadable", "ImageTooLarge", "not_an_image"


def written(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def flat_png(edge, depth):
    """A grey PNG of zeros, which unpacks to a thousand times its size."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, row = zlib.compressobj(9), bytes(1 + (edge * depth + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(edge)) + packer.flush()
    header = struct.pack(">IIBBBBB", edge, edge, depth, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def photographs():
    """Whole images by name, large ones among them."""
    with Image.open(corpus.FOLDER / "corpus" / "fujifilm.mpo") as image:
        photograph = image.convert("RGB")
    large = photograph.resize(LARGE, Image.Resampling.BICUBIC)
    smaller = photograph.resize(SMALLER, Image.Resampling.BICUBIC)
    return {
        "48 megapixels.jpg": written(large, "JPEG", quality=90),
        "48 megapixels, progressive.jpg": written(large, "JPEG", quality=85, progressive=True),
        "48 megapixels.webp": written(large, "WebP", quality=70, method=0),
        "12 megapixels.png": written(smaller, "PNG", compress_level=1),
        "12 megapixels.gif": written(smaller, "GIF"),
        "12 megapixels.tif": written(smaller, "TIFF"),
        "12 megapixels, CMYK.jpg": written(smaller.convert("CMYK"), "JPEG", quality=85),
        # 250 kilobytes, and 250 million pixels: still what the run allows.
        "flat, 249.6 megapixels.png": flat_png(15_800, 8),
    }


def copied(whole):
    """The photographs that take most memory, several times."""
    names = ["48 megapixels, progressive.jpg", "48 megapixels.webp"]
    return {f"{name} {number}": whole[name] for name in names for number in range(1, COPIES)}


def hostile(whole):
    """Files by name, each with what becomes of it."""
    cut = {
        f"half of {name}": (body[: len(body) // 2], UNREADABLE)
        for name, body in whole.items()
        if not name.startswith("flat")
    }
    baseline = whole["48 megapixels.jpg"]
    seeds = {
        "gif_frame": TOO_LARGE,
        "jpeg_scans": TOO_LARGE,
        "png_bomb": TOO_LARGE,
        "jpeg_huge": UNREADABLE,
        "tiff_values": UNREADABLE,
        "webp_groups_65536": UNREADABLE,
    }
    return {
        **cut,
        "half of a photograph, closed.jpg": (baseline[: len(baseline) // 2] + b"\xff\xd9", UNREADABLE),
        "noise.jpg": (b"\xff\xd8\xff" + bytes(range(256)) * 40, UNREADABLE),
        "60,000 x 60,000 in 100 bytes.png": (png(8, 8, stated=(60_000, 60_000)), TOO_LARGE),
        "256 megapixels of zeros.png": (flat_png(16_000, 1), TOO_LARGE),
        **{f"seed {name}": ((SEEDS / name).read_bytes(), code) for name, code in seeds.items()},
        "empty.jpg": (b"", NO_IMAGE),
        "a text.png": (b"I say that I am a picture.\n", NO_IMAGE),
        "drawing.svg": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', NO_IMAGE),
        "folder/": (b"", NO_IMAGE),
    }
