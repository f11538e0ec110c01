//! GetObject, HeadObject, GetObjectAttributes.

use std::sync::Arc;

use hyper::header::HeaderValue;

use crate::access::{authorize, readable};
use crate::bucket::{Bucket, Versioning};
use crate::clock::{http_date, iso};
use crate::conditions::check_read;
use crate::digest::is_true;
use crate::error::{ErrorCode, S3Error};
use crate::lock::read;
use crate::model::Inner;
use crate::object::{Checksum, Encryption, Object, StorageClass};
use crate::operation::Operation;
use crate::reply::{Content, Reply};
use crate::request::Call;
use crate::xml::Xml;

/// A stretch of an object, by its first byte and its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) start: u64,
    pub(crate) length: u64,
}

/// GetObject and HeadObject.
pub(crate) fn get_object(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    let object = find(&state, call, "s3:GetObject")?;
    check_read(call, &object)?;
    let is_head = call.operation == Operation::HeadObject;
    if object.is_archived() && !is_head {
        return Err(archived(&object));
    }
    let stretch = requested_stretch(call, &object)?;
    let mut reply = Reply::empty(if stretch.is_some() { 206 } else { 200 });
    object_headers(&mut reply, &object, state.versioning);
    tag_count(&mut reply, &state, call, &object);
    if let Some(Stretch { start, length }) = stretch {
        let end = (start + length).saturating_sub(1);
        reply.text(
            "content-range",
            &format!("bytes {start}-{end}/{}", object.size()),
        );
        reply.content = Content::Rope(object.rope.slice(start, length));
    } else {
        reply.content = Content::Rope(object.rope.clone());
        // A client verifies what it downloads against this header, so pseudo checksums stay out.
        let wanted = call.header("x-amz-checksum-mode")? == Some("ENABLED");
        if wanted && (is_head || is_true(&object.rope)) {
            checksum_headers(&mut reply, &object.checksum());
        }
    }
    if call.query.has("partNumber") {
        let parts = object
            .attributes
            .parts
            .as_ref()
            .map_or(1, |parts| parts.len());
        reply.text("x-amz-mp-parts-count", &parts.to_string());
    }
    override_headers(&mut reply, call)?;
    Ok(reply)
}

/// The object that a read names, if the caller may read it.
fn find(state: &Bucket, call: &Call<'_>, action: &str) -> Result<Arc<Object>, S3Error> {
    let version = call.query.get("versionId")?;
    match version {
        None => authorize(state, &call.caller, action, call.bucket, call.key)?,
        Some(_) => authorize(
            state,
            &call.caller,
            &format!("{action}Version"),
            call.bucket,
            call.key,
        )?,
    }
    readable(
        state,
        &call.caller,
        call.bucket,
        call.key,
        version.as_deref(),
    )
}

pub(crate) fn archived(object: &Object) -> S3Error {
    S3Error::new(
        ErrorCode::InvalidObjectState,
        "The operation is not valid for the object's storage class",
    )
    .detail("StorageClass", object.attributes.storage_class.name())
}

fn requested_stretch(call: &Call<'_>, object: &Object) -> Result<Option<Stretch>, S3Error> {
    if let Some(number) = call.query.number("partNumber", 10_000)? {
        return part_stretch(object, number).map(Some);
    }
    let Some(header) = call.header("range")? else {
        return Ok(None);
    };
    let size = object.size();
    let invalid = || {
        S3Error::new(
            ErrorCode::InvalidRange,
            "The requested range is not satisfiable",
        )
        .detail("RangeRequested", header)
        .detail("ActualObjectSize", size.to_string())
    };
    // S3 ignores a Range header that it cannot read.
    let Some((first, last)) = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'))
    else {
        return Ok(None);
    };
    match (first.parse::<u64>().ok(), last.parse::<u64>().ok()) {
        (Some(first), Some(last)) if first > last => Ok(None),
        (Some(first), _) if first >= size => Err(invalid()),
        (Some(first), Some(last)) => Ok(Some(Stretch {
            start: first,
            length: last.min(size - 1) - first + 1,
        })),
        (Some(first), None) if last.is_empty() => Ok(Some(Stretch {
            start: first,
            length: size - first,
        })),
        (None, Some(count)) if first.is_empty() => {
            if count == 0 || size == 0 {
                return Err(invalid());
            }
            let length = count.min(size);
            Ok(Some(Stretch {
                start: size - length,
                length,
            }))
        }
        _ => Ok(None),
    }
}

fn part_stretch(object: &Object, number: u32) -> Result<Stretch, S3Error> {
    let missing = || {
        S3Error::new(
            ErrorCode::InvalidRange,
            "The requested part number is not satisfiable",
        )
    };
    let index = usize::try_from(number)
        .ok()
        .and_then(|number| number.checked_sub(1))
        .ok_or_else(missing)?;
    let Some(parts) = &object.attributes.parts else {
        return if index == 0 {
            Ok(Stretch {
                start: 0,
                length: object.size(),
            })
        } else {
            Err(missing())
        };
    };
    let part = parts.get(index).ok_or_else(missing)?;
    Ok(Stretch {
        start: parts[..index].iter().map(|part| part.length).sum(),
        length: part.length,
    })
}

/// The headers that describe an object.
fn object_headers(reply: &mut Reply, object: &Object, versioning: Versioning) {
    let attributes = &object.attributes;
    reply.text("etag", &object.etag.quoted());
    reply.text("last-modified", &http_date(object.modified_s));
    reply.set("accept-ranges", HeaderValue::from_static("bytes"));
    if !attributes.system.contains_key("content-type") {
        reply.set(
            "content-type",
            HeaderValue::from_static("binary/octet-stream"),
        );
    }
    for (name, value) in &attributes.system {
        reply.text(name, value);
    }
    for (name, value) in &attributes.metadata {
        reply.text(&format!("x-amz-meta-{name}"), value);
    }
    if attributes.storage_class != StorageClass::Standard {
        reply.text("x-amz-storage-class", attributes.storage_class.name());
    }
    if attributes.restored {
        reply.text(
            "x-amz-restore",
            "ongoing-request=\"false\", expiry-date=\"Fri, 21 Dec 2096 00:00:00 GMT\"",
        );
    }
    if versioning != Versioning::Off {
        reply.text("x-amz-version-id", &object.version.to_string());
    }
    encryption_headers(reply, &attributes.encryption);
}

/// How many tags there are: told to those alone who may read them.
fn tag_count(reply: &mut Reply, state: &Bucket, call: &Call<'_>, object: &Object) {
    let tags = object.attributes.tags.len();
    let action = if call.query.has("versionId") {
        "s3:GetObjectVersionTagging"
    } else {
        "s3:GetObjectTagging"
    };
    if tags > 0 && authorize(state, &call.caller, action, call.bucket, call.key).is_ok() {
        reply.text("x-amz-tagging-count", &tags.to_string());
    }
}

pub(crate) fn encryption_headers(reply: &mut Reply, encryption: &Encryption) {
    match encryption {
        Encryption::S3Managed => reply.set(
            "x-amz-server-side-encryption",
            HeaderValue::from_static("AES256"),
        ),
        Encryption::Kms { key_id, bucket_key } => {
            reply.set(
                "x-amz-server-side-encryption",
                HeaderValue::from_static("aws:kms"),
            );
            reply.text("x-amz-server-side-encryption-aws-kms-key-id", key_id);
            if *bucket_key {
                reply.text("x-amz-server-side-encryption-bucket-key-enabled", "true");
            }
        }
    }
}

pub(crate) fn checksum_headers(reply: &mut Reply, checksum: &Checksum) {
    reply.text(checksum.algorithm.header(), &checksum.text());
    reply.text("x-amz-checksum-type", checksum.kind.name());
}

/// `response-content-type` and its kin, which replace headers of the answer.
fn override_headers(reply: &mut Reply, call: &Call<'_>) -> Result<(), S3Error> {
    for name in [
        "content-type",
        "content-disposition",
        "content-encoding",
        "content-language",
        "cache-control",
        "expires",
    ] {
        if let Some(value) = call.query.get(&format!("response-{name}"))? {
            reply.text(name, &value);
        }
    }
    Ok(())
}

/// GetObjectAttributes.
pub(crate) fn get_object_attributes(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let state = read(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:GetObjectAttributes",
        call.bucket,
        call.key,
    )?;
    let object = find(&state, call, "s3:GetObject")?;
    check_read(call, &object)?;
    // The list may come in one header line or in several.
    let lines: Vec<&str> = call
        .headers
        .get_all("x-amz-object-attributes")
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    if lines.is_empty() {
        return Err(S3Error::invalid_request(
            "Missing required header for this request: x-amz-object-attributes",
        ));
    }
    let wants = |name: &str| {
        lines
            .iter()
            .flat_map(|line| line.split(','))
            .any(|attribute| attribute.trim() == name)
    };
    let mut xml = Xml::result("GetObjectAttributesResponse", 1024);
    if wants("ETag") {
        xml.text("ETag", &object.etag.to_string());
    }
    if wants("Checksum") {
        let checksum = object.checksum();
        xml.open("Checksum");
        xml.text(checksum.algorithm.element(), &checksum.text());
        xml.text("ChecksumType", checksum.kind.name());
        xml.close("Checksum");
    }
    if wants("ObjectParts") {
        write_parts(&mut xml, call, &object)?;
    }
    if wants("StorageClass") {
        xml.text("StorageClass", object.attributes.storage_class.name());
    }
    if wants("ObjectSize") {
        xml.number("ObjectSize", object.size());
    }
    let mut reply = Reply::xml(xml.finish("GetObjectAttributesResponse"));
    reply.text("last-modified", &http_date(object.modified_s));
    if state.versioning != Versioning::Off {
        reply.text("x-amz-version-id", &object.version.to_string());
    }
    Ok(reply)
}

fn write_parts(xml: &mut Xml, call: &Call<'_>, object: &Object) -> Result<(), S3Error> {
    let Some(parts) = &object.attributes.parts else {
        return Ok(());
    };
    let number = |name| {
        Ok::<_, S3Error>(
            call.header(name)?
                .and_then(|text| text.parse::<usize>().ok()),
        )
    };
    let marker = number("x-amz-part-number-marker")?.unwrap_or(0);
    let max = number("x-amz-max-parts")?.unwrap_or(1000).min(1000);
    let after: Vec<_> = parts
        .iter()
        .filter(|part| usize::from(part.number) > marker)
        .collect();
    xml.open("ObjectParts");
    xml.number("TotalPartsCount", parts.len() as u64);
    xml.number("PartNumberMarker", marker as u64);
    xml.number("MaxParts", max as u64);
    xml.boolean("IsTruncated", after.len() > max);
    if let Some(last) = after.get(..max).and_then(<[_]>::last) {
        xml.number("NextPartNumberMarker", u64::from(last.number));
    }
    // S3 lists the parts one by one only where each has a checksum.
    for part in after.into_iter().take(max) {
        let Some(checksum) = &part.checksum else {
            break;
        };
        xml.open("Part");
        xml.number("PartNumber", u64::from(part.number));
        xml.number("Size", part.length);
        xml.text(checksum.algorithm.element(), &checksum.text());
        xml.close("Part");
    }
    xml.close("ObjectParts");
    Ok(())
}

/// `2026-01-31T23:59:59.000Z`, for documents.
pub(crate) fn modified_text(object: &Object) -> String {
    iso(object.modified_s)
}
