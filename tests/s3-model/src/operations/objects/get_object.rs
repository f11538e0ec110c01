//! GetObject and HeadObject.

use super::byte_range::ByteRange;
use crate::content::checksum::{Checksum, ChecksumKind, is_true};
use crate::date::http_date;
use crate::lock::read;
use crate::operations::conditions::check_read;
use crate::operations::guard::{addressed_bucket, authorize_object};
use crate::operations::lookup::{archived, readable_object};
use crate::operations::request::Request;
use crate::operations::response_headers::{set_checksum, set_encryption, set_version};
use crate::operations::written_attributes::refuse_customer_key;
use crate::protocol::encoded_word::encoded;
use crate::protocol::error::S3Error;
use crate::protocol::operation::Operation;
use crate::protocol::response::{Content, Response};
use crate::state::ServerState;
use crate::storage::bucket::Bucket;
use crate::storage::object::Object;
use crate::storage::storage_class::StorageClass;
use crate::storage::upload::PARTS_MAX;
use crate::storage::version::Versioning;

/// GetObject and HeadObject.
pub(crate) fn get_object(server: &ServerState, request: &Request<'_>) -> Result<Response, S3Error> {
    let bucket = addressed_bucket(server, request)?;
    let state = read(&bucket);
    let object = readable_object(&state, request, "s3:GetObject")?;
    refuse_customer_key(request, "")?;
    check_read(server, request, &object)?;
    let is_head = request.operation == Operation::HeadObject;
    if object.is_archived() && !is_head {
        return Err(archived(&object));
    }
    let with_checksum = request.header("x-amz-checksum-mode")? == Some("ENABLED");
    if !is_head || with_checksum {
        // A HEAD reads nothing of the content, so it needs no key.
        let encryption = &object.attributes.encryption;
        server.kms_keys.check(encryption, &state.region)?;
    }
    let range = ByteRange::requested(request, &object)?;
    let mut response = Response::empty(if range.is_some() { 206 } else { 200 });
    describe(&mut response, &object, state.versioning);
    set_tag_count(&mut response, &state, request, &object);
    response.content = Content::Rope(match range {
        Some(ByteRange { start, length }) => {
            let end = (start + length).saturating_sub(1);
            let text = format!("bytes {start}-{end}/{}", object.size());
            response.set("content-range", &text);
            object.rope.slice(start, length)
        }
        None => object.rope.clone(),
    });
    // A client verifies a download against this header, so GET leaves pseudo-checksums out.
    if with_checksum && (is_head || is_true(&object.rope)) {
        let checksum = match range {
            None => Some(object.checksum()),
            Some(_) => part_checksum(request, &object)?,
        };
        if let Some(checksum) = checksum {
            set_checksum(&mut response, &checksum);
        }
    }
    if let (true, Some(parts)) = (request.query.has("partNumber"), &object.attributes.parts) {
        response.set("x-amz-mp-parts-count", &parts.len().to_string());
    }
    override_headers(&mut response, request)?;
    Ok(response)
}

/// Returns the checksum of the part that a request names, which S3 shows for a composite checksum
/// only (fact 69).
fn part_checksum(request: &Request<'_>, object: &Object) -> Result<Option<Checksum>, S3Error> {
    if object.checksum().kind != ChecksumKind::Composite {
        return Ok(None);
    }
    let number = request.query.number("partNumber", u32::from(PARTS_MAX))?;
    let index = number.and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    let parts = object.attributes.parts.as_deref().unwrap_or_default();
    let part = index.and_then(|index| parts.get(index));
    Ok(part
        .and_then(|part| part.checksum.clone())
        .map(|checksum| Checksum {
            kind: ChecksumKind::Composite,
            ..checksum
        }))
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
        response.set_bytes(name, value);
    }
    for (name, value) in &attributes.metadata {
        response.set(&format!("x-amz-meta-{name}"), &encoded(value));
    }
    if attributes.storage_class != StorageClass::Standard {
        response.set("x-amz-storage-class", attributes.storage_class.name());
    }
    if attributes.archive_tier {
        response.set_static("x-amz-archive-status", "ARCHIVE_ACCESS");
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
