"""Keys and attributes of objects as AWS has them, where MiniStack 1.5.33 has others.

1. Permissions were judged for a key without its trailing slashes, and with double ones made single: `a/` was refused
   under a policy for `a/*`.
2. An upload in parts lost its tags, and was dated by its completion. AWS dates it by its beginning
   (https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html, Last-Modified).
3. Archived objects were copied, and copies inherited the storage class of their source (recorded of AWS:
   TestS3::test_s3_copy_object_storage_class).
"""

import functools
from urllib.parse import parse_qsl, unquote

import ministack.core.iam_actions as iam_actions
import ministack.services.s3 as s3
from ministack_versions import version_entry, version_named

STORAGE_CLASS = "x-amz-storage-class"


def fix_objects():
    """Judges keys as they are, and keeps tags, dates and classes as AWS does."""
    _judge_whole_keys()
    _keep_what_an_upload_began_with()
    _copy_classes_as_aws_does()


def _judge_whole_keys():
    resource_arn, action = iam_actions.extract_resource_arn, iam_actions._s3_action

    @functools.wraps(resource_arn)
    def of_the_whole_key(service, method, path, *args, **kwargs):
        bucket, _, key = path.removeprefix("/").partition("/")
        if service == "s3" and bucket and key:
            return f"arn:aws:s3:::{bucket}/{key}"
        return resource_arn(service, method, path, *args, **kwargs)

    @functools.wraps(action)
    def on_an_object(method, path, query_params):
        bucket, _, key = path.removeprefix("/").partition("/")
        # A key of slashes alone is a key.
        return action(method, f"/{bucket}/key" if key and not key.strip("/") else path, query_params)

    iam_actions.extract_resource_arn, iam_actions._s3_action = of_the_whole_key, on_an_object


def _keep_what_an_upload_began_with():
    create, complete = s3._create_multipart_upload, s3._complete_multipart_upload

    @functools.wraps(create)
    def create_with_tags(bucket, key, headers):
        before = set(s3._multipart_uploads)
        response = create(bucket, key, headers)
        for upload_id in set(s3._multipart_uploads) - before:
            s3._multipart_uploads[upload_id]["tagging"] = headers.get("x-amz-tagging", "")
        return response

    @functools.wraps(complete)
    def complete_with_tags(bucket, key, body, query_params, headers=None):
        upload = s3._multipart_uploads.get(s3._qp(query_params, "uploadId"))
        response = complete(bucket, key, body, query_params, headers)
        if upload and response[0] == 200 and upload["key"] == key:
            _finish(bucket, key, upload, response[1].get("x-amz-version-id"))
        return response

    s3._create_multipart_upload, s3._complete_multipart_upload = create_with_tags, complete_with_tags


def _finish(bucket, key, upload, version_id):
    """Gives the new object the date and the tags of its upload."""
    written = [s3._buckets[bucket]["objects"][key]]
    written += [v for v in s3._object_versions.get((bucket, key), []) if v["version_id"] == version_id]
    for entry in written:
        entry["last_modified"] = upload["created"]
    tags = dict(parse_qsl(upload.get("tagging", ""), keep_blank_values=True))
    if tags:
        s3._object_tags[(bucket, key, version_id)] = tags


def _copy_classes_as_aws_does():
    copy, copy_part = s3._copy_object, s3._upload_part_copy

    @functools.wraps(copy)
    def copy_of_an_active_object(bucket, key, headers):
        # Without the header, S3's default, and not the source's.
        return _archived_source(headers) or copy(bucket, key, {STORAGE_CLASS: "STANDARD", **headers})

    @functools.wraps(copy_part)
    def part_of_an_active_object(bucket, key, query_params, headers):
        return _archived_source(headers) or copy_part(bucket, key, query_params, headers)

    s3._copy_object, s3._upload_part_copy = copy_of_an_active_object, part_of_an_active_object


def _archived_source(headers):
    """How AWS refuses to copy an object that is archived and not restored; nothing for any other one."""
    path, _, _version = headers.get("x-amz-copy-source", "").lstrip("/").partition("?")
    bucket, _, key = unquote(path).partition("/")
    if named := version_named(headers):
        version = version_entry(*named) or {}
        # A version that is named is never restored here.
        archive = version.get("storage_class")
        return s3._invalid_object_state(bucket, key, archive) if archive in s3._ARCHIVE_STORAGE_CLASSES else None
    source = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key)
    archive = (source or {}).get("storage_class")
    if archive in s3._ARCHIVE_STORAGE_CLASSES and s3._sync_restore(bucket, key, source) != "restored":
        return s3._invalid_object_state(bucket, key, archive)
    return None
