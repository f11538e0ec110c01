"""`make images`: renders the corpus here, with sharp and with Pillow, and holds the renditions against each other.

Prints a table by format, and each image that is not as said below; fails if there is one. The whole table goes to
target/images/comparison.json.
"""

import collections
import io
import json
import sys
import warnings

import corpus
import made

corpus.use_pillow()
from PIL import Image, ImageChops, ImageCms, ImageOps, ImageStat  # noqa: E402

# Most images of the corpus have 128 pixels: they are resized, but not to nothing.
EDGE = 64
# Mean difference a channel, of 255, to the nearer of the two peers, which differ from each other by up to 5 themselves.
DIFFERENCE_MAX = 4.0

UNSUPPORTED_TIFF = "TIFF whose samples or compression are not supported"
# What both peers render, and we do not.
UNREADABLE = {
    **dict.fromkeys(["16bit.s.tif", "16_bit_binary_pgm.tiff", "8bit.s.tif"], f"{UNSUPPORTED_TIFF}: signed or 32 bits"),
    **dict.fromkeys(
        [
            "16bit.r.tif",
            "g4-fillorder-test.tif",
            *(f"tiff_gray_2_4_bpp/hopper{kind}.tif" for kind in ("2IR", "2R", "4IR", "4R")),
        ],
        f"{UNSUPPORTED_TIFF}: bits in reverse order",
    ),
    **dict.fromkeys(
        [
            "multipage-lastframe.tif",
            "multipage-mmap.tiff",
            "multipage.tiff",
            "multipage_out_of_order.tiff",
            "no_rows_per_strip.tif",
            "rdf.tif",
        ],
        f"{UNSUPPORTED_TIFF}: palette",
    ),
    **dict.fromkeys(["compression.tif", "total-pages-zero.tif"], f"{UNSUPPORTED_TIFF}: CCITT of one dimension"),
    **dict.fromkeys(
        [
            "child_ifd.tiff",
            "hopper_jpg.tif",
            "pil168.tif",
            "tiff_strip_cmyk_jpeg.tif",
            "tiff_tiled_cmyk_jpeg.tif",
            *(f"tiff_{kind}_ycbcr_jpeg_{n}x{n}_sampling.tif" for kind in ("strip", "tiled") for n in (1, 2)),
        ],
        f"{UNSUPPORTED_TIFF}: JPEG or YCbCr in TIFF",
    ),
    "no_palette.gif": "a GIF without a palette",
}
# What looks different from both peers.
DIFFERENT = {
    "app13.jpg": "4 x 4 pixels, whose colours libjpeg does not smooth",
    "courB08.pbm": "2 pixels high, of black and white",
    "imageops_pad_v_1.jpg": "decoded at an eighth, where the stored colours have but a sixteenth",
}


def on_white(image):
    """The colours on white, and the alpha."""
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    white.alpha_composite(image)
    return white.convert("RGB"), image.getchannel("A")


def in_8_bits(image):
    if image.mode.startswith("I"):
        return image.point(lambda value: value / 256).convert("L")
    return image


def by_pillow(path, edge=EDGE, is_turned=True):
    """Whole, upright, in sRGB, then Lanczos: no short cut of a decoder. None where Pillow does not render it."""
    try:
        return rendered_by_pillow(path, edge, is_turned)
    except Exception:  # Broken images raise of everything.
        return None


def rendered_by_pillow(path, edge, is_turned):
    with Image.open(path) as image:
        image.load()
        image = in_8_bits(ImageOps.exif_transpose(image) if is_turned else image)
    profile = image.info.get("icc_profile")
    if image.mode in ("P", "PA") or image.mode.endswith("a"):
        image = image.convert("RGBA")
    if profile:
        mode = "RGBA" if image.mode == "RGBA" else "RGB"
        try:
            srgb = ImageCms.createProfile("sRGB")
            image = ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode=mode)
        except (ImageCms.PyCMSError, OSError):
            pass
    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        image = image.convert("RGB")
    image.thumbnail((edge, edge), Image.Resampling.LANCZOS, reducing_gap=None)
    return on_white(image)


def difference(one, other):
    """The mean difference a channel, or none where the sizes differ."""
    if one is None or other is None or one[0].size != other[0].size:
        return None
    colours, alpha = (ImageStat.Stat(ImageChops.difference(a, b)).mean for a, b in zip(one, other, strict=True))
    return max(sum(colours) / 3, alpha[0])


def rendition(line, folder, index):
    if line["kind"] != "rendered":
        return None
    with Image.open(folder / str(index)) as image:
        return on_white(in_8_bits(image))


def compared(paths):
    ours_folder, sharp_folder = corpus.FOLDER / "ours", corpus.FOLDER / "sharp"
    ours = corpus.render([str(corpus.RENDERER)], paths, EDGE, "png", ours_folder)
    sharp = corpus.render(["node", str(corpus.SHARP)], paths, EDGE, "png", sharp_folder)
    for index, path in enumerate(paths):
        our, sharps = rendition(ours[index], ours_folder, index), rendition(sharp[index], sharp_folder, index)
        outcome = {key: ours[index][key] for key in ("detail", "peak", "estimate")}
        name = str(path.relative_to(corpus.FOLDER / "corpus"))
        pictures = (our, sharps, by_pillow(path))
        yield {**held(name, path.read_bytes()[:4], ours[index]["kind"], pictures), **outcome}


def held(name, mark, outcome, pictures):
    """What three renditions of an image have in common: ours, sharp's and Pillow's, each the colours and the alpha."""
    our, sharps, pillows = pictures
    return {
        "name": name,
        "mark": mark,
        "outcome": outcome,
        "sizes": [image and image[0].size for image in pictures],
        "to_sharp": difference(our, sharps),
        "to_pillow": difference(our, pillows),
        "sharp_to_pillow": difference(sharps, pillows),
    }


def problem(row, different=DIFFERENT, difference_max=DIFFERENCE_MAX):
    """What is not as said. `different` are the names of images that look different from both peers."""
    name, (ours, sharp, pillow) = row["name"], row["sizes"]
    if name in UNREADABLE:
        return None if row["outcome"] == "ImageUnreadable" else f"listed as unreadable, and is {row['outcome']}"
    if ours is None:
        return f"{row['outcome']}, and both peers render it" if sharp and pillow else None
    if (sharp or pillow) and ours not in (sharp, pillow):
        return f"{ours} is the size of neither peer: {sharp}, {pillow}"
    differences = [found for found in (row["to_sharp"], row["to_pillow"]) if found is not None]
    is_different = bool(differences) and min(differences) > difference_max
    if is_different != (name in different):
        return f"differs by {differences}"
    if "peak" in row and row["peak"] > row["estimate"]:
        return f"took {row['peak']} bytes, and its header announced {row['estimate']}"
    return None


def kind(row):
    names = {b"\x89PNG": "PNG", b"RIFF": "WebP", b"GIF8": "GIF"}
    return "JPEG" if row["mark"].startswith(b"\xff\xd8") else names.get(row["mark"], "TIFF")


def show(rows):
    groups = collections.defaultdict(list)
    for row in rows:
        groups[kind(row)].append(row)
    groups["all"] = rows
    print(
        f"{'':5}{'images':>7}{'ours':>6}{'sharp':>6}{'Pillow':>7}{'size as both':>13}  "
        "mean difference, median and 95th percentile"
    )
    for name, group in groups.items():
        rendered = [sum(row["sizes"][peer] is not None for row in group) for peer in range(3)]
        three = [row["sizes"] for row in group if None not in row["sizes"]]
        same = sum(sizes[0] == sizes[1] == sizes[2] for sizes in three)
        columns = []
        for peer, label in (
            ("to_sharp", "to sharp"),
            ("to_pillow", "to Pillow"),
            ("sharp_to_pillow", "sharp to Pillow"),
        ):
            found = sorted(row[peer] for row in group if row[peer] is not None)
            columns.append(f"{label} {found[len(found) // 2]:.2f} {found[len(found) * 95 // 100]:.2f}")
        counts = f"{rendered[0]:6}{rendered[1]:6}{rendered[2]:7}{f'{same}/{len(three)}':>13}"
        print(f"{name:5}{len(group):7}{counts}  {', '.join(columns)}")


def main():
    warnings.simplefilter("ignore")
    made.make()
    rows = list(compared(corpus.images()))
    problems = {row["name"]: found for row in rows if (found := problem(row))}
    show(rows)
    for row in rows:
        del row["mark"]
    (corpus.FOLDER / "comparison.json").write_text(json.dumps(rows, indent=1))
    missing = (set(UNREADABLE) | set(DIFFERENT)) - {row["name"] for row in rows}
    for name, found in sorted({**problems, **dict.fromkeys(missing, "listed, and not in the corpus")}.items()):
        print(f"{name}: {found}")
    if problems or missing or len(rows) < 700:
        sys.exit("the renditions are not as said")
    print(f"{len(UNREADABLE)} that both peers render are unreadable here, {len(DIFFERENT)} look different, as listed.")


if __name__ == "__main__":
    main()
