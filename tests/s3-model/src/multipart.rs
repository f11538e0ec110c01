//! Multipart uploads: creating, uploading and copying parts, aborting.

use std::collections::BTreeMap;
use std::sync::RwLock;

use crate::access::authorize;
use crate::bucket::Bucket;
use crate::copy::source;
use crate::digest::{ChecksumAlgorithm, ChecksumKind, ETag};
use crate::error::{ErrorCode, S3Error};
use crate::get::{Stretch, encryption_headers};
use crate::lock::{read, write};
use crate::model::Inner;
use crate::object::{Attributes, Checksum, Encryption};
use crate::put::{UPLOAD_BYTES_MAX, attributes, authorize_write, verify_body};
use crate::reply::Reply;
use crate::request::Call;
use crate::rope::{Rope, mix};
use crate::xml::Xml;

/// Every part but the last holds at least 5 MiB.
pub(crate) const PART_BYTES_MIN: u64 = 5 << 20;
/// Parts are numbered from 1 to this.
pub(crate) const PARTS_MAX: u16 = 10_000;

/// An upload that was neither completed nor aborted.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(crate) attributes: Attributes,
    /// The checksum that was asked for when the upload was created.
    pub(crate) algorithm: Option<ChecksumAlgorithm>,
    pub(crate) kind: ChecksumKind,
    pub(crate) parts: BTreeMap<u16, Part>,
    pub(crate) initiated_s: u64,
    pub(crate) initiator: String,
}

/// A part that was uploaded or copied.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) rope: Rope,
    pub(crate) etag: ETag,
    pub(crate) checksum: Option<Checksum>,
    pub(crate) modified_s: u64,
}

pub(crate) fn no_such_upload(id: &str) -> S3Error {
    S3Error::new(
        ErrorCode::NoSuchUpload,
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
    .detail("UploadId", id)
}

/// The upload id of a request.
pub(crate) fn upload_id(call: &Call<'_>) -> Result<String, S3Error> {
    Ok(call.query.get("uploadId")?.unwrap_or_default().into_owned())
}

pub(crate) fn find<'a>(state: &'a Bucket, key: &str, id: &str) -> Result<&'a Upload, S3Error> {
    state
        .uploads
        .get(&(key.to_owned(), id.to_owned()))
        .ok_or_else(|| no_such_upload(id))
}

/// CreateMultipartUpload. Metadata, tags and storage class come from here and nowhere else.
pub(crate) fn create(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let attributes = attributes(&bucket, call)?;
    let (algorithm, kind) = asked_checksum(call)?;
    let mut state = write(&bucket);
    authorize_write(&state, call, &attributes)?;
    let number = model.next_number();
    let id = format!(
        "{:016x}{:016x}{number:08x}",
        mix(number),
        mix(number ^ 0x0075_706c_6f61_6421)
    );
    let mut xml = Xml::result("InitiateMultipartUploadResult", 512);
    xml.text("Bucket", call.bucket);
    xml.text("Key", call.key);
    xml.text("UploadId", &id);
    let mut reply = Reply::xml(xml.finish("InitiateMultipartUploadResult"));
    encryption_headers(&mut reply, &attributes.encryption);
    if let Some(algorithm) = algorithm {
        reply.text("x-amz-checksum-algorithm", algorithm.name());
        reply.text("x-amz-checksum-type", kind.name());
    }
    let upload = Upload {
        attributes,
        algorithm,
        kind,
        parts: BTreeMap::new(),
        initiated_s: model.clock.now_s(),
        initiator: call.caller.arn().to_owned(),
    };
    state.uploads.insert((call.key.to_owned(), id), upload);
    Ok(reply)
}

fn asked_checksum(call: &Call<'_>) -> Result<(Option<ChecksumAlgorithm>, ChecksumKind), S3Error> {
    let Some(name) = call.header("x-amz-checksum-algorithm")? else {
        return Ok((None, ChecksumKind::FullObject));
    };
    let algorithm = ChecksumAlgorithm::parse(name)
        .ok_or_else(|| S3Error::invalid_request("Checksum algorithm provided is unsupported."))?;
    let kind = match call.header("x-amz-checksum-type")? {
        None => algorithm.default_kind(),
        Some(text) => ChecksumKind::parse(text).ok_or_else(|| {
            S3Error::invalid_request("Value for x-amz-checksum-type header is invalid.")
        })?,
    };
    if !algorithm.allows(kind) {
        return Err(S3Error::invalid_request(format!(
            "The {} checksum type cannot be used with the {} checksum algorithm.",
            kind.name(),
            algorithm.name().to_lowercase()
        )));
    }
    Ok((Some(algorithm), kind))
}

fn part_number(call: &Call<'_>) -> Result<u16, S3Error> {
    let text = call.query.get("partNumber")?.unwrap_or_default();
    text.parse::<u16>()
        .ok()
        .filter(|number| (1..=PARTS_MAX).contains(number))
        .ok_or_else(|| {
            S3Error::invalid_argument(
                "partNumber",
                &text,
                format!("Part number must be an integer between 1 and {PARTS_MAX}, inclusive"),
            )
        })
}

/// UploadPart.
pub(crate) fn upload_part(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let (number, id) = (part_number(call)?, upload_id(call)?);
    let algorithm = {
        let state = read(&bucket);
        authorize(&state, &call.caller, "s3:PutObject", call.bucket, call.key)?;
        find(&state, call.key, &id)?.algorithm
    };
    let checksum = verify_body(call, algorithm)?;
    let rope = Rope::literal(call.body.clone());
    let mut reply = Reply::empty(200);
    if let Some(checksum) = &checksum {
        reply.text(checksum.algorithm.header(), &checksum.text());
    }
    let etag = store_part(model, &bucket, call, number, &id, rope, checksum)?;
    reply.text("etag", &etag.quoted());
    Ok(reply)
}

/// UploadPartCopy.
pub(crate) fn upload_part_copy(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let (number, id) = (part_number(call)?, upload_id(call)?);
    let algorithm = {
        let state = read(&bucket);
        authorize(&state, &call.caller, "s3:PutObject", call.bucket, call.key)?;
        find(&state, call.key, &id)?.algorithm
    };
    let source = source(model, call)?;
    let rope = match call.header("x-amz-copy-source-range")? {
        Some(header) => {
            let stretch = copy_range(header, source.object.size())?;
            source.object.rope.slice(stretch.start, stretch.length)
        }
        None => {
            source.check_size()?;
            source.object.rope.clone()
        }
    };
    let copied_bytes = rope.length();
    let checksum = algorithm.map(|algorithm| Checksum::full(algorithm, &rope));
    let etag = store_part(model, &bucket, call, number, &id, rope, checksum.clone())?;
    let mut xml = Xml::result("CopyPartResult", 512);
    xml.text("LastModified", &crate::clock::iso(model.clock.now_s()));
    xml.text("ETag", &etag.quoted());
    if let Some(checksum) = &checksum {
        xml.text(checksum.algorithm.element(), &checksum.text());
    }
    let mut reply = Reply::xml(xml.finish("CopyPartResult"));
    reply.copied_bytes = copied_bytes;
    reply.crossed_bytes = if source.region == read(&bucket).region {
        0
    } else {
        copied_bytes
    };
    if let Some(version) = &source.version {
        reply.text("x-amz-copy-source-version-id", version);
    }
    Ok(reply)
}

/// Reads `bytes=first-last`, the only form that a part copy takes.
fn copy_range(header: &str, size: u64) -> Result<Stretch, S3Error> {
    const NAME: &str = "x-amz-copy-source-range";
    let bounds = header
        .strip_prefix("bytes=")
        .and_then(|range| range.split_once('-'));
    let parsed = bounds
        .and_then(|(first, last)| Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?)));
    let Some((first, last)) = parsed.filter(|(first, last)| first <= last) else {
        return Err(S3Error::invalid_argument(
            NAME,
            header,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
        ));
    };
    if last >= size {
        return Err(S3Error::invalid_argument(
            NAME,
            header,
            format!("Range specified is not valid for source object of size: {size}"),
        ));
    }
    if size <= PART_BYTES_MIN {
        return Err(S3Error::invalid_request(
            "The specified copy source is not supported as a byte-range copy source",
        ));
    }
    let length = last - first + 1;
    if length > UPLOAD_BYTES_MAX {
        return Err(too_large(length));
    }
    Ok(Stretch {
        start: first,
        length,
    })
}

pub(crate) fn too_large(length: u64) -> S3Error {
    S3Error::new(
        ErrorCode::EntityTooLarge,
        "Your proposed upload exceeds the maximum allowed size",
    )
    .detail("ProposedSize", length.to_string())
    .detail("MaxSizeAllowed", UPLOAD_BYTES_MAX.to_string())
}

fn store_part(
    model: &Inner,
    bucket: &RwLock<Bucket>,
    call: &Call<'_>,
    number: u16,
    id: &str,
    rope: Rope,
    checksum: Option<Checksum>,
) -> Result<ETag, S3Error> {
    let mut etag = ETag::of_content(&rope);
    let mut state = write(bucket);
    let upload = state
        .uploads
        .get_mut(&(call.key.to_owned(), id.to_owned()))
        .ok_or_else(|| no_such_upload(id))?;
    if matches!(upload.attributes.encryption, Encryption::Kms { .. }) {
        etag = etag.encrypted(model.next_number());
    }
    upload.parts.insert(
        number,
        Part {
            rope,
            etag,
            checksum,
            modified_s: model.clock.now_s(),
        },
    );
    Ok(etag)
}

/// AbortMultipartUpload.
pub(crate) fn abort(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let id = upload_id(call)?;
    let mut state = write(&bucket);
    authorize(
        &state,
        &call.caller,
        "s3:AbortMultipartUpload",
        call.bucket,
        call.key,
    )?;
    state
        .uploads
        .remove(&(call.key.to_owned(), id.clone()))
        .ok_or_else(|| no_such_upload(&id))?;
    Ok(Reply::empty(204))
}
