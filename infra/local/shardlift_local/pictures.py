"""The demo's pictures: uploaded, made into thumbnails by a run, and laid out as a contact sheet."""

from .comparison import listing
from .contact_sheet import Thumbnail, contact_sheet
from .deployment import ROOT
from .sample import Item
from .server import StackError

PICTURES = ROOT / "infra" / "local" / "pictures"
SOURCE_FOLDER = "pictures/"
TARGET_FOLDER = "thumbnails/"
LONGEST_EDGE_PX = 256
NO_IMAGE_SUFFIX = ".txt"


def pictures_sample(outputs):
    """The pictures, and a text beside them."""
    for path in sorted(PICTURES.iterdir()):
        if path.suffix != ".py":
            yield Item(f"{outputs['source_prefix']}{SOURCE_FOLDER}{path.name}", path=path)


def start_arguments(outputs):
    """Arguments of the command: a run that makes a thumbnail of each picture, in a folder of their own."""
    source = f"s3://{outputs['source_bucket']}/{outputs['source_prefix']}{SOURCE_FOLDER}"
    target = f"s3://{outputs['target_bucket']}/{outputs['target_prefix']}{TARGET_FOLDER}"
    transform = f"thumbnail:{LONGEST_EDGE_PX}"
    return ["start", "--source", source, "--target", target, "--transform", transform, "--watch"]


def write_contact_sheet(outputs, source, target, path):
    """Writes the page from what is at the target, and returns how many thumbnails it shows.

    `source` and `target` are S3 clients. Raises StackError where a picture has no thumbnail, or something else has one.
    """
    bucket, folder = outputs["target_bucket"], f"{outputs['target_prefix']}{TARGET_FOLDER}"
    sources = listing(source, outputs["source_bucket"], f"{outputs['source_prefix']}{SOURCE_FOLDER}")
    thumbnails = []
    for key in sorted(listing(target, bucket, folder)):
        found = target.get_object(Bucket=bucket, Key=f"{folder}{key}")
        thumbnails.append(Thumbnail(key, found["Body"].read(), found["ContentType"], sources.get(key, 0)))
    rendered = {thumbnail.key for thumbnail in thumbnails}
    expected = {key for key in sources if not key.endswith(NO_IMAGE_SUFFIX)}
    if rendered != expected:
        raise StackError(f"at the target are thumbnails of {sorted(rendered)}, and not of {sorted(expected)}")
    left_out = sorted(set(sources) - rendered)
    path.write_text(contact_sheet(f"Thumbnails in s3://{bucket}/{folder}", thumbnails, left_out), "utf-8")
    return len(thumbnails)
