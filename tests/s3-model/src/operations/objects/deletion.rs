//! Deletes one key or one version.

use crate::operations::conditions::check_delete;
use crate::operations::guard::authorize;
use crate::operations::lookup::parse_version;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::state::ServerState;
use crate::storage::bucket::{Bucket, Deleted};

/// A key or a version to delete.
#[derive(Debug, serde::Deserialize)]
pub(super) struct ObjectToDelete {
    #[serde(rename = "Key")]
    pub(super) key: String,
    #[serde(rename = "VersionId")]
    pub(super) version: Option<String>,
    /// The condition that the newest version has this ETag.
    #[serde(rename = "ETag")]
    pub(super) etag: Option<String>,
    /// Conditions that a general purpose bucket refuses.
    #[serde(rename = "Size")]
    pub(super) size: Option<String>,
    #[serde(rename = "LastModifiedTime")]
    pub(super) modified: Option<String>,
}

/// Deletes an object if the caller may, and if its condition holds.
pub(super) fn delete(
    server: &ServerState,
    bucket: &mut Bucket,
    request: &Request<'_>,
    object: &ObjectToDelete,
) -> Result<Deleted, S3Error> {
    let key = object.key.as_str();
    let action = if object.version.is_some() {
        "s3:DeleteObjectVersion"
    } else {
        "s3:DeleteObject"
    };
    authorize(bucket, &request.caller, action, request.bucket, key)?;
    if let Some(etag) = &object.etag {
        // The response reveals something about the object, which needs permission to read it.
        authorize(bucket, &request.caller, "s3:GetObject", request.bucket, key)?;
        check_delete(etag, key, bucket.newest(key.as_bytes()))?;
    }
    match &object.version {
        None => Ok(bucket.delete(key, server.clock.now_s())),
        Some(text) => Ok(bucket.delete_version(key, parse_version(text)?)),
    }
}
