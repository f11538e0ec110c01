"""WebP files made by Pillow and by sharp of pictures of the corpus: without loss, with alpha, animated.

The corpus has 14 WebP files. How many groups of codes a lossless one has, and what they take, is up to the encoder, its
effort and the picture; alpha and the frames of animations are coded in the same way.
"""

import json
import pathlib
import subprocess

import corpus

corpus.use_pillow()
from PIL import Image  # noqa: E402

FOLDER = corpus.FOLDER / "corpus" / "made"
WRITER = corpus.ROOT / "tests" / "images" / "sharp_writer.mjs"
# Photographs, grey, palettes of many, few and two colours, alpha, and drawings.
PICTURES = [
    "flower.jpg",
    "iptc.jpg",
    "radial_gradients.png",
    "test.colors.gif",
    "a_fli.png",
    "sunraster.im1.png",
    "uncompressed_rgb.png",
    "eps/reqd_showpage_transparency.png",
]
ANIMATIONS = ["iss634.apng", "chi.gif"]
BY_PILLOW = [
    {"lossless": True, "method": 0, "quality": 0},
    {"lossless": True, "method": 4, "quality": 80},
    {"lossless": True, "method": 6, "quality": 100, "exact": True},
    {"lossless": False, "quality": 80, "alpha_quality": 100},
]
BY_PILLOW_ANIMATED = [{"lossless": True, "method": 2}, {"allow_mixed": True, "minimize_size": True}, {"quality": 70}]
BY_SHARP = [
    {"lossless": True, "effort": 0},
    {"lossless": True, "effort": 4},
    {"lossless": True, "effort": 6, "exact": True},
    {"nearLossless": True, "quality": 40},
    {"quality": 80, "alphaQuality": 50},
]
BY_SHARP_ANIMATED = [{"lossless": True}, {"mixed": True, "minSize": True}, {"quality": 70}]


def make():
    """Makes what is missing. Returns how many there are."""
    FOLDER.mkdir(exist_ok=True)
    jobs = [(name, options, False) for name in PICTURES for options in BY_PILLOW]
    jobs += [(name, options, True) for name in ANIMATIONS for options in BY_PILLOW_ANIMATED]
    for number, (name, options, is_animated) in enumerate(jobs):
        output = FOLDER / f"pillow {number:02} {pathlib.PurePath(name).name}.webp"
        if not output.exists():
            with Image.open(corpus.FOLDER / "corpus" / name) as image:
                if not is_animated and image.mode in ("1", "I;16"):
                    image = image.convert("L")
                image.save(output, save_all=is_animated, **options)
    jobs = [(name, options, False) for name in PICTURES for options in BY_SHARP]
    jobs += [(name, options, True) for name in ANIMATIONS for options in BY_SHARP_ANIMATED if name.endswith(".gif")]
    lines = []
    for number, (name, options, is_animated) in enumerate(jobs):
        output = FOLDER / f"sharp {number:02} {pathlib.PurePath(name).name}.webp"
        job = {"input": str(corpus.FOLDER / "corpus" / name), "output": str(output)}
        lines.append(json.dumps(job | {"animated": is_animated, "options": options}))
    subprocess.run(["node", str(WRITER)], input="\n".join(lines), text=True, check=True, timeout=600)
    return len(list(FOLDER.iterdir()))
