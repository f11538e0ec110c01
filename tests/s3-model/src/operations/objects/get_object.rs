//! GetObject and HeadObject.

use super::byte_range::ByteRange;
use crate::content::checksum::is_true;
use crate::date::http_date;
use crate::lock::read;
use crate::operations::conditions::check_read;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::lookup::{archived, readable_object};
use crate::operations::request::Request;
use crate::operations::response_headers::{set_checksum, set_encryption, set_version};
use crate::protocol::error::S3Error;
use crate::protocol::operation::Operation;
use crate::protocol::response::{Content, Response};
use crate::state::ServerState;
use crate::storage::bucket::Bucket;
use crate::storage::object::Object;
use crate::storage::storage_class::StorageClass;
use crate::storage::version::Versioning;

/// GetObject and HeadObject.
pub(crate) fn get_object(server: &ServerState, request: &Request<'_>) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    let object = readable_object(&state, request, "s3:GetObject")?;
    check_read(request, &object)?;
    let is_head = request.operation == Operation::HeadObject;
    if object.is_archived() && !is_head {
        return Err(archived(&object));
    }
    let range = ByteRange::requested(request, &object)?;
    let mut response = Response::empty(if range.is_some() { 206 } else { 200 });
    describe(&mut response, &object, state.versioning);
    set_tag_count(&mut response, &state, request, &object);
    if let Some(ByteRange { start, length }) = range {
        let end = (start + length).saturating_sub(1);
        response.set(
            "content-range",
            &format!("bytes {start}-{end}/{}", object.size()),
        );
        response.content = Content::Rope(object.rope.slice(start, length));
    } else {
        response.content = Content::Rope(object.rope.clone());
        // A client verifies a download against this header, so GET leaves pseudo-checksums out.
        let wanted = request.header("x-amz-checksum-mode")? == Some("ENABLED");
        if wanted && (is_head || is_true(&object.rope)) {
            set_checksum(&mut response, &object.checksum());
        }
    }
    if request.query.has("partNumber") {
        let parts = object
            .attributes
            .parts
            .as_ref()
            .map_or(1, |parts| parts.len());
        response.set("x-amz-mp-parts-count", &parts.to_string());
    }
    override_headers(&mut response, request)?;
    Ok(response)
}

/// Sets the headers that describe an object.
fn describe(response: &mut Response, object: &Object, versioning: Versioning) {
    let attributes = &object.attributes;
    response.set("etag", &object.etag.quoted());
    response.set("last-modified", &http_date(object.modified_s));
    response.set_static("accept-ranges", "bytes");
    if !attributes.system.contains_key("content-type") {
        response.set_static("content-type", "binary/octet-stream");
    }
    for (name, value) in &attributes.system {
        response.set(name, value);
    }
    for (name, value) in &attributes.metadata {
        response.set(&format!("x-amz-meta-{name}"), value);
    }
    if attributes.storage_class != StorageClass::Standard {
        response.set("x-amz-storage-class", attributes.storage_class.name());
    }
    if attributes.restored {
        response.set(
            "x-amz-restore",
            "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2096 00:00:00 GMT\"",
        );
    }
    set_version(response, versioning, object.version);
    set_encryption(response, &attributes.encryption);
}

/// Sets the number of tags, if the caller may read them.
fn set_tag_count(response: &mut Response, bucket: &Bucket, request: &Request<'_>, object: &Object) {
    let tags = object.attributes.tags.len();
    let action = if request.query.has("versionId") {
        "s3:GetObjectVersionTagging"
    } else {
        "s3:GetObjectTagging"
    };
    if tags > 0 && authorize_object(bucket, request, action).is_ok() {
        response.set("x-amz-tagging-count", &tags.to_string());
    }
}

/// Applies `response-content-type` and similar parameters, which replace response headers.
fn override_headers(response: &mut Response, request: &Request<'_>) -> Result<(), S3Error> {
    for name in [
        "content-type",
        "content-disposition",
        "content-encoding",
        "content-language",
        "cache-control",
        "expires",
    ] {
        if let Some(value) = request.query.get(&format!("response-{name}"))? {
            response.set(name, &value);
        }
    }
    Ok(())
}
