//! GetObjectTagging, PutObjectTagging, DeleteObjectTagging.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::tag_set;
use crate::lock::{read, write};
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::lookup::{is_delete_marker, requested_object};
use crate::operations::request::Request;
use crate::operations::response_headers::set_version;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::protocol::response::Response;
use crate::protocol::xml::Xml;
use crate::state::{ServerState, SharedBucket};
use crate::storage::bucket::Bucket;
use crate::storage::object::Object;
use crate::storage::version::Version;

/// GetObjectTagging.
pub(crate) fn get_object_tagging(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let (bucket, object) = tagged_object(
        server,
        request,
        ["s3:GetObjectTagging", "s3:GetObjectVersionTagging"],
    )?;
    let mut xml = Xml::result("Tagging", 512);
    xml.open("TagSet");
    for (key, value) in &object.attributes.tags {
        xml.open("Tag");
        xml.text("Key", key);
        xml.text("Value", value);
        xml.close("Tag");
    }
    xml.close("TagSet");
    let mut response = Response::xml(xml.finish("Tagging"));
    set_version(&mut response, read(&bucket).versioning, object.version);
    Ok(response)
}

/// PutObjectTagging.
pub(crate) fn put_object_tagging(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let (bucket, object) = tagged_object(
        server,
        request,
        ["s3:PutObjectTagging", "s3:PutObjectVersionTagging"],
    )?;
    let tags = tag_set::from_body(request)?;
    replace(&bucket, request, &object, tags, Response::empty(200))
}

/// DeleteObjectTagging.
pub(crate) fn delete_object_tagging(
    server: &ServerState,
    request: &Request<'_>,
) -> Result<Response, S3Error> {
    let (bucket, object) = tagged_object(
        server,
        request,
        ["s3:DeleteObjectTagging", "s3:DeleteObjectVersionTagging"],
    )?;
    replace(
        &bucket,
        request,
        &object,
        BTreeMap::new(),
        Response::empty(204),
    )
}

/// The object, for whoever may do this to the newest version, or to one that is named
/// (docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html, "Permissions").
fn tagged_object(
    server: &ServerState,
    request: &Request<'_>,
    [of_the_newest, of_a_version]: [&str; 2],
) -> Result<(SharedBucket, Arc<Object>), S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let object = {
        let state = read(&bucket);
        let names_one = request.query.has("versionId");
        let action = if names_one {
            of_a_version
        } else {
            of_the_newest
        };
        authorize_object(&state, request, action)?;
        tagged(&state, request)?
    };
    Ok((bucket, object))
}

/// Finds the object whose tags a request reads or writes. A key whose newest version is a delete
/// marker refuses all three operations with 405 (fact 81). For a missing key, the error's `Key` holds
/// the bucket too (fact 82).
fn tagged(bucket: &Bucket, request: &Request<'_>) -> Result<Arc<Object>, S3Error> {
    if let (None, Some(Version::DeleteMarker { version, .. })) = (
        request.query.get("versionId")?,
        bucket.newest(request.key.as_bytes()),
    ) {
        return Err(is_delete_marker().header("x-amz-version-id", version.to_string()));
    }
    requested_object(bucket, request).map_err(|mut error| {
        if error.code == ErrorCode::NoSuchKey {
            error.details = vec![("Key", format!("{}/{}", request.bucket, request.key))];
        }
        error
    })
}

fn replace(
    bucket: &SharedBucket,
    request: &Request<'_>,
    object: &Object,
    tags: BTreeMap<String, String>,
    mut response: Response,
) -> Result<Response, S3Error> {
    let mut state = write(bucket);
    state.amend(request.key, object.version, |object| {
        Arc::make_mut(&mut object.attributes).tags = tags;
    })?;
    set_version(&mut response, state.versioning, object.version);
    Ok(response)
}
