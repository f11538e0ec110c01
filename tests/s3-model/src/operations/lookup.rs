//! Finds the object that a request names.

use std::sync::Arc;

use super::guard::{authorize, authorize_object};
use super::request::Request;
use crate::access::principal::Caller;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::storage::bucket::Bucket;
use crate::storage::object::{Object, VersionId};
use crate::storage::version::Version;

/// Returns the object of a request, or S3's error if it does not exist.
pub(super) fn requested_object(
    bucket: &Bucket,
    request: &Request<'_>,
) -> Result<Arc<Object>, S3Error> {
    let version = request.query.get("versionId")?;
    find_object(
        bucket,
        &request.caller,
        request.bucket,
        request.key,
        version.as_deref(),
    )
}

/// Returns the object of a request if the caller may read it. `action` is the permission to read
/// the newest version. Older versions need the action with `Version` at its end.
pub(super) fn readable_object(
    bucket: &Bucket,
    request: &Request<'_>,
    action: &str,
) -> Result<Arc<Object>, S3Error> {
    if request.query.get("versionId")?.is_some() {
        authorize_object(bucket, request, &format!("{action}Version"))?;
    } else {
        authorize_object(bucket, request, action)?;
    }
    requested_object(bucket, request)
}

/// Returns an object by key and version, or S3's error if it does not exist.
pub(super) fn find_object(
    bucket: &Bucket,
    caller: &Caller,
    name: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Arc<Object>, S3Error> {
    let missing = |error: S3Error| {
        // A caller without permission to list must not find out which keys exist.
        if authorize(bucket, caller, "s3:ListBucket", name, "").is_ok() {
            error
        } else {
            S3Error::access_denied("Access Denied")
        }
    };
    if let Some(text) = version {
        return match bucket.version(key.as_bytes(), parse_version(text)?) {
            Some(Version::Object(object)) => Ok(object),
            Some(Version::DeleteMarker { .. }) => Err(is_delete_marker()),
            None => Err(missing(S3Error::no_such_version(key))),
        };
    }
    match bucket.newest(key.as_bytes()) {
        Some(Version::Object(object)) => Ok(object),
        Some(Version::DeleteMarker { version, .. }) => Err(missing(S3Error::no_such_key(key))
            .header("x-amz-delete-marker", "true")
            .header("x-amz-version-id", version.to_string())),
        None => Err(missing(S3Error::no_such_key(key))),
    }
}

/// Makes the error for an operation on a delete marker.
pub(super) fn is_delete_marker() -> S3Error {
    S3Error::method_not_allowed()
        .detail("ResourceType", "DeleteMarker")
        .header("x-amz-delete-marker", "true")
        .header("allow", "DELETE")
}

/// Parses a version id.
pub(super) fn parse_version(text: &str) -> Result<VersionId, S3Error> {
    VersionId::parse(text)
        .ok_or_else(|| S3Error::invalid_argument("versionId", text, "Invalid version id specified"))
}

/// Makes the error for an archived object that was not restored.
pub(super) fn archived(object: &Object) -> S3Error {
    let error = S3Error::new(
        ErrorCode::InvalidObjectState,
        "The operation is not valid for the object's storage class",
    )
    .detail("StorageClass", object.attributes.storage_class.name());
    if object.attributes.archive_tier {
        error.detail("AccessTier", "ARCHIVE_ACCESS")
    } else {
        error
    }
}
