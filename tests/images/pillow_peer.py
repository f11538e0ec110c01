"""Renders files with Pillow as its users do, for the benchmark; with the usage of render_images and sharp_peer.mjs."""

import io
import json
import pathlib
import sys
import time
import warnings

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "target" / "images" / "python"))

from PIL import Image, ImageOps


def render(path, edge, style, quality):
    with Image.open(path) as image:
        chosen = image.format if style == "same" else style
        image.thumbnail((edge, edge), Image.Resampling.LANCZOS)
        upright = ImageOps.exif_transpose(image)
        file = io.BytesIO()
        upright.save(file, chosen, quality=quality)
    return upright.size, file.getvalue()


def main(folder, edge, style, quality, repeats="1"):
    warnings.simplefilter("ignore")
    for index, path in enumerate(sys.stdin.read().splitlines()):
        started = time.perf_counter()
        for _ in range(int(repeats)):
            size, data = render(path, int(edge), style, int(quality))
        seconds = (time.perf_counter() - started) / int(repeats)
        (pathlib.Path(folder) / str(index)).write_bytes(data)
        print(json.dumps({"kind": "rendered", "width": size[0], "height": size[1], "seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
