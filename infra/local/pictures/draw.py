"""Draws the pictures whose thumbnails the demo shows, into the folder of this file.

    python infra/local/pictures/draw.py

Needs Pillow, at the version that tests/images/requirements.txt pins. The pictures are drawn by numbers alone, so nobody
else has rights to them; they are committed, and drawn again only to change them.
"""

import itertools
import math
import pathlib
import random

from PIL import Image, ImageDraw, ImageFilter

FOLDER = pathlib.Path(__file__).resolve().parent
# Drawn at twice the size, and reduced: edges are smooth.
FINER = 2
ORIENTATION_TAG = 0x0112
TURNED_RIGHT, TURNED_LEFT = 6, 8


def sky(size, *colours):
    """A vertical blend of colours, from the top."""
    column = Image.new("RGB", (1, len(colours)))
    column.putdata(colours)
    return column.resize(size, Image.Resampling.BICUBIC)


def ridge(width, base, height, seed, roughness=0.55):
    """The heights of a line of hills, by halving it again and again."""
    numbers = random.Random(seed)  # noqa: S311 - a picture, no secret
    points = [base, base]
    spread = height
    while len(points) < 200:
        middles = [(a + b) / 2 + numbers.uniform(-spread, spread) for a, b in itertools.pairwise(points)]
        points = [point for pair in zip(points, [*middles, 0], strict=True) for point in pair][:-1]
        spread *= roughness
    step = width / (len(points) - 1)
    return [(index * step, y) for index, y in enumerate(points)]


def hills(image, layers):
    """Hills behind one another: of each layer the base and the height, as shares, its colour, and its seed."""
    width, height = image.size
    draw = ImageDraw.Draw(image)
    for base, spread, colour, seed in layers:
        line = ridge(width, height * base, height * spread, seed)
        draw.polygon([*line, (width, height), (0, height)], fill=colour)


def disc(image, x, y, radius, colour, glow=0):
    """A sun or a moon, with light around it."""
    width, height = image.size
    centre, radius = (width * x, height * y), height * radius
    if glow:
        halo = Image.new("L", image.size)
        reach = radius * (1 + glow)
        box = [centre[0] - reach, centre[1] - reach, centre[0] + reach, centre[1] + reach]
        ImageDraw.Draw(halo).ellipse(box, fill=150)
        image.paste(colour, mask=halo.filter(ImageFilter.GaussianBlur(reach / 2.5)))
    box = [centre[0] - radius, centre[1] - radius, centre[0] + radius, centre[1] + radius]
    ImageDraw.Draw(image).ellipse(box, fill=colour)


def mountains(size):
    image = sky(size, (38, 52, 104), (132, 92, 140), (246, 148, 110), (255, 214, 150))
    disc(image, 0.68, 0.52, 0.07, (255, 236, 190), glow=3)
    layers = [(0.62, 0.16, (126, 92, 128), 4), (0.7, 0.14, (84, 66, 108), 11), (0.8, 0.1, (48, 42, 80), 23)]
    hills(image, [*layers, (0.92, 0.06, (22, 22, 46), 31)])
    return image


def sea(size):
    width, height = size
    image = sky(size, (8, 14, 38), (16, 34, 78), (40, 74, 126), (20, 44, 88), (6, 14, 34))
    disc(image, 0.3, 0.24, 0.08, (240, 240, 224), glow=2)
    draw = ImageDraw.Draw(image)
    numbers = random.Random(5)  # noqa: S311
    for _ in range(70):
        x, y = numbers.uniform(0, width), numbers.uniform(0, height * 0.5)
        draw.ellipse([x, y, x + 3, y + 3], fill=(220, 226, 240))
    for row in range(26):
        y = height * (0.62 + 0.38 * row / 26)
        reach = width * (0.02 + 0.007 * row)
        middle = width * 0.3 + numbers.uniform(-reach, reach) / 2
        draw.rounded_rectangle([middle - reach, y, middle + reach, y + height * 0.006], 8, fill=(206, 212, 206))
    sail = [(0.64, 0.59), (0.64, 0.37), (0.76, 0.59)]
    draw.polygon([(width * x, height * y) for x, y in sail], fill=(232, 226, 210))
    hull = [(0.58, 0.61), (0.8, 0.61), (0.75, 0.67), (0.63, 0.67)]
    draw.polygon([(width * x, height * y) for x, y in hull], fill=(120, 46, 40))
    return image


def forest(size):
    width, height = size
    image = sky(size, (196, 224, 226), (222, 236, 220), (240, 238, 206))
    hills(image, [(0.5, 0.1, (168, 200, 186), 41)])
    draw = ImageDraw.Draw(image)
    numbers = random.Random(9)  # noqa: S311
    for depth in range(5):
        colour = tuple(round(far + (near - far) * depth / 4) for far, near in ((140, 18), (180, 58), (160, 46)))
        for _ in range(16 - 2 * depth):
            x, foot = numbers.uniform(-0.05, 1.05) * width, height * (0.62 + 0.08 * depth)
            tall = height * (0.2 + 0.07 * depth) * numbers.uniform(0.75, 1.2)
            for part in range(4):
                top = foot - tall * (1 - part * 0.2)
                reach = tall * (0.11 + 0.05 * part)
                draw.polygon([(x, top), (x - reach, top + tall * 0.4), (x + reach, top + tall * 0.4)], fill=colour)
        draw.rectangle([0, height * (0.62 + 0.08 * depth), width, height], fill=colour)
    return image


def desert(size):
    image = sky(size, (92, 160, 206), (168, 206, 222), (244, 226, 190))
    disc(image, 0.22, 0.24, 0.09, (255, 248, 220), glow=2)
    layers = [(0.6, 0.04, (232, 180, 116), 3), (0.7, 0.06, (214, 150, 86), 8), (0.84, 0.05, (176, 108, 60), 14)]
    hills(image, layers)
    return image


def emblem(edge):
    """A compass on nothing."""
    image = Image.new("RGBA", (edge, edge), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    middle = edge / 2
    for share, colour in ((0.49, (30, 58, 110, 255)), (0.43, (244, 240, 228, 255)), (0.4, (40, 76, 140, 210))):
        reach = edge * share
        draw.ellipse([middle - reach, middle - reach, middle + reach, middle + reach], fill=colour)
    for turn in range(8):
        angle, reach = math.tau * turn / 8, edge * (0.38 if turn % 2 == 0 else 0.2)
        tip = (middle + math.sin(angle) * reach, middle - math.cos(angle) * reach)
        for side, colour in ((1, (250, 246, 236, 255)), (-1, (206, 120, 74, 255))):
            beside = angle + side * math.tau / 16
            foot = (middle + math.sin(beside) * edge * 0.08, middle - math.cos(beside) * edge * 0.08)
            draw.polygon([tip, foot, (middle, middle)], fill=colour)
    return image


def balloons(size):
    """Balloons on nothing."""
    image = Image.new("RGBA", size, (0, 0, 0, 0))
    width, height = size
    draw = ImageDraw.Draw(image)
    for x, y, radius, colour in (
        (0.28, 0.36, 0.24, (206, 62, 58, 255)),
        (0.52, 0.3, 0.2, (240, 182, 60, 235)),
        (0.74, 0.42, 0.23, (58, 120, 190, 215)),
    ):
        reach = height * radius
        draw.line([width * x, height * y, width * 0.5, height * 0.98], fill=(120, 120, 120, 255), width=4)
        box = [width * x - reach * 0.85, height * y - reach, width * x + reach * 0.85, height * y + reach]
        draw.ellipse(box, fill=colour)
    return image


def chart(size):
    """Bars in few colours, as a palette."""
    width, height = size
    image = Image.new("RGB", size, (250, 250, 247))
    draw = ImageDraw.Draw(image)
    for row in range(1, 6):
        draw.line([width * 0.06, height * row / 6, width * 0.96, height * row / 6], fill=(214, 216, 220), width=4)
    for bar in range(9):
        top = height * (0.84 - 0.07 * bar - 0.05 * math.sin(bar * 1.7))
        left = width * (0.08 + bar * 0.098)
        colour = (62, 98, 190) if bar < 7 else (206, 96, 56)
        draw.rectangle([left, top, left + width * 0.065, height * 0.88], fill=colour)
    return image


def waves(size, time):
    """A frame of moving water."""
    width, height = size
    image = sky(size, (232, 240, 246), (196, 222, 236))
    draw = ImageDraw.Draw(image)
    for layer, colour in enumerate(((120, 178, 206), (70, 134, 176), (34, 88, 140))):
        y = height * (0.45 + 0.17 * layer)
        line = [
            (x, y + height * 0.05 * math.sin(math.tau * (x / width * (2 + layer) + time + layer / 3)))
            for x in range(0, width + 8, 8)
        ]
        draw.polygon([*line, (width, height), (0, height)], fill=colour)
    return image


def drawn(scene, size):
    width, height = size
    return scene((width * FINER, height * FINER)).resize(size, Image.Resampling.LANCZOS)


def save_turned(image, name, orientation, stored):
    """As a camera that is held upright does: the pixels lie on their side, and a tag says so."""
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    image.transpose(stored).save(FOLDER / name, quality=62, exif=exif, optimize=True)


def main():
    drawn(mountains, (1200, 800)).save(FOLDER / "mountains.jpg", quality=62, optimize=True)
    save_turned(drawn(sea, (720, 1080)), "sea & moon.jpg", TURNED_RIGHT, Image.Transpose.ROTATE_90)
    save_turned(drawn(desert, (720, 960)), "desert.jpg", TURNED_LEFT, Image.Transpose.ROTATE_270)
    drawn(forest, (1200, 800)).save(FOLDER / "forest.webp", quality=55, method=6)
    drawn(balloons, (600, 600)).save(FOLDER / "balloons.webp", lossless=True, quality=100, method=6)
    drawn(lambda size: emblem(size[0]), (512, 512)).save(FOLDER / "emblem.png", optimize=True)
    drawn(chart, (800, 500)).quantize(32).save(FOLDER / "chart.png", optimize=True)
    frames = [drawn(lambda size, time=time: waves(size, time / 4), (480, 320)).quantize(24) for time in range(4)]
    frames[0].save(FOLDER / "waves.gif", save_all=True, append_images=frames[1:], duration=200, loop=0)
    (FOLDER / "read me.txt").write_text("This is no image, so it has no thumbnail.\n")


if __name__ == "__main__":
    main()
