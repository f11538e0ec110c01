"""Pictures made without an imaging library: PNG by hand, and what their headers say."""

import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Channels of each colour type of PNG.
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, colour_type=2, depth=8, shade=120, stated=None):
    """A PNG with a gradient; `stated` is the size that its header says instead of its own."""
    row_bytes = width * CHANNELS[colour_type] * depth // 8
    row = bytes(0 if colour_type == 3 else (shade + x) % 256 for x in range(row_bytes))
    rows = b"".join(b"\0" + row for _ in range(height))
    header = struct.pack(">IIBBBBB", *(stated or (width, height)), depth, colour_type, 0, 0, 0)
    palette = _chunk(b"PLTE", bytes([shade, 10, 200])) if colour_type == 3 else b""
    parts = [_chunk(b"IHDR", header), palette, _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b"")]
    return SIGNATURE + b"".join(parts)


def turned(jpeg, orientation):
    """A JPEG with an EXIF orientation and a place in it."""
    entries = struct.pack("<HHHII", 2, 0x0112, 3, 1, orientation) + struct.pack("<HHII", 0x010E, 2, 4, 0x00535047)
    exif = b"Exif\0\0" + b"II*\0" + struct.pack("<I", 8) + entries + struct.pack("<I", 0)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + jpeg[2:]


def size_of(picture):
    """Width and height of a PNG or a JPEG."""
    if picture.startswith(SIGNATURE):
        return struct.unpack(">II", picture[16:24])
    at = 2
    while picture[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(picture[at + 2 : at + 4])
    height, width = struct.unpack(">HH", picture[at + 5 : at + 9])
    return (width, height)
