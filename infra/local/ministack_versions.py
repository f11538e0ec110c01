"""Versions of objects as AWS has them, where MiniStack 1.5.33 has others.

1. ListObjectVersions ignored encoding-type=url (docs/MODEL.md, fact 93).
2. A delete marker as the source of a copy was a version that does not exist. AWS answers 400 InvalidRequest (fact 18).
3. The tags of a version could not be read once its key was deleted.
"""

import functools
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qs, unquote

import ministack.services.s3 as s3

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
ENCODED = {f"{{{NAMESPACE}}}{name}" for name in ("Key", "Prefix", "KeyMarker", "NextKeyMarker", "Delimiter")}


def fix_versions():
    """Lists versions in the encoding that is asked for, and tells delete markers from versions that are gone."""
    _encode_listed_keys()
    _refuse_copies_of_delete_markers()
    _read_the_tags_of_any_version()


def version_named(headers):
    """Bucket, key and version id of a copy source that names a version, or None."""
    path, _, query = headers.get("x-amz-copy-source", "").lstrip("/").partition("?")
    version_id = parse_qs(query).get("versionId", [None])[0]
    bucket, _, key = unquote(path).partition("/")
    return (bucket, key, version_id) if version_id else None


def version_entry(bucket, key, version_id):
    """What is kept of a version, in whichever account its bucket is, or None."""
    owner = s3._bucket_owner_account(bucket)
    versions = s3._object_versions.get_scoped(owner, None, (bucket, key)) or []
    return next((version for version in versions if version["version_id"] == version_id), None)


def _encode_listed_keys():
    listing = s3._list_object_versions

    @functools.wraps(listing)
    def encoded(bucket_name, query_params):
        status, headers, body = listing(bucket_name, query_params)
        if status != 200 or s3._qp(query_params, "encoding-type", "") != "url":
            return status, headers, body
        ElementTree.register_namespace("", NAMESPACE)
        root = ElementTree.fromstring(body)  # noqa: S314 - it is MiniStack's own.
        for element in root.iter():
            if element.tag in ENCODED and element.text:
                # AWS escapes "=" too (fact 93), and so does quote.
                element.text = s3._url_encode(element.text)
        ElementTree.SubElement(root, f"{{{NAMESPACE}}}EncodingType").text = "url"
        return status, headers, s3._xml_body(root)

    s3._list_object_versions = encoded


def _refuse_copies_of_delete_markers():
    copy, copy_part = s3._copy_object, s3._upload_part_copy

    @functools.wraps(copy)
    def copied(bucket, key, headers):
        return _delete_marker(headers) or copy(bucket, key, headers)

    @functools.wraps(copy_part)
    def part_copied(bucket, key, query_params, headers):
        return _delete_marker(headers) or copy_part(bucket, key, query_params, headers)

    s3._copy_object, s3._upload_part_copy = copied, part_copied


def _delete_marker(headers):
    named = version_named(headers)
    entry = version_entry(*named) if named else None
    if not entry or not entry.get("is_delete_marker"):
        return None
    message = "The source of a copy request may not specifically refer to a delete marker by version id."
    return s3._error("InvalidRequest", message, 400, f"/{named[0]}/{named[1]}")


def _read_the_tags_of_any_version():
    tagging = s3._get_object_tagging

    @functools.wraps(tagging)
    def of_a_version(bucket_name, key, query_params=None):
        version_id = s3._qp(query_params or {}, "versionId", "")
        bucket = s3._buckets.get(bucket_name)
        entry = version_entry(bucket_name, key, version_id) if version_id and bucket else None
        if entry is None or entry.get("is_delete_marker") or key in bucket["objects"]:
            return tagging(bucket_name, key, query_params)
        # Only for as long as the tags are read: nothing else sees the object.
        bucket["objects"][key] = {**entry, "size": 0}
        try:
            return tagging(bucket_name, key, query_params)
        finally:
            del bucket["objects"][key]

    s3._get_object_tagging = of_a_version
