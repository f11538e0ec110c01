//! Multipart uploads: creating, uploading and copying parts, completing, aborting.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use serde::Deserialize;

use crate::access::authorize;
use crate::bucket::{Bucket, Versioning};
use crate::conditions::check_write;
use crate::copy::source;
use crate::digest::{ChecksumAlgorithm, ChecksumKind, ETag};
use crate::error::{ErrorCode, S3Error};
use crate::get::{Stretch, encryption_headers};
use crate::lock::{read, write};
use crate::model::Inner;
use crate::object::{Attributes, Checksum, Encryption, Object, PartRecord, VersionId};
use crate::put::{UPLOAD_BYTES_MAX, attributes, verify_body};
use crate::reply::Reply;
use crate::request::Call;
use crate::rope::{Rope, mix};
use crate::xml::Xml;

/// Every part but the last holds at least 5 MiB.
const PART_BYTES_MIN: u64 = 5 << 20;
/// Parts are numbered from 1 to this.
const PARTS_MAX: u16 = 10_000;

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

/// The document of CompleteMultipartUpload.
#[derive(Debug, Deserialize)]
struct Completion {
    #[serde(rename = "Part", default)]
    parts: Vec<CompletedPart>,
}

#[derive(Debug, Deserialize)]
struct CompletedPart {
    #[serde(rename = "PartNumber")]
    number: u32,
    #[serde(rename = "ETag")]
    etag: Option<String>,
    #[serde(rename = "ChecksumCRC32")]
    crc32: Option<String>,
    #[serde(rename = "ChecksumCRC32C")]
    crc32c: Option<String>,
    #[serde(rename = "ChecksumCRC64NVME")]
    crc64nvme: Option<String>,
    #[serde(rename = "ChecksumSHA1")]
    sha1: Option<String>,
    #[serde(rename = "ChecksumSHA256")]
    sha256: Option<String>,
}

impl CompletedPart {
    fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<&str> {
        match algorithm {
            ChecksumAlgorithm::Crc32 => self.crc32.as_deref(),
            ChecksumAlgorithm::Crc32c => self.crc32c.as_deref(),
            ChecksumAlgorithm::Crc64nvme => self.crc64nvme.as_deref(),
            ChecksumAlgorithm::Sha1 => self.sha1.as_deref(),
            ChecksumAlgorithm::Sha256 => self.sha256.as_deref(),
        }
    }
}

fn no_such_upload(id: &str) -> S3Error {
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
    let attributes = attributes(call)?;
    let (algorithm, kind) = asked_checksum(call)?;
    let mut state = write(&bucket);
    authorize(&state, &call.caller, "s3:PutObject", call.bucket, call.key)?;
    if !attributes.tags.is_empty() {
        authorize(
            &state,
            &call.caller,
            "s3:PutObjectTagging",
            call.bucket,
            call.key,
        )?;
    }
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
    let etag = ETag::of_content(&rope);
    let mut state = write(bucket);
    let upload = state
        .uploads
        .get_mut(&(call.key.to_owned(), id.to_owned()))
        .ok_or_else(|| no_such_upload(id))?;
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

/// CompleteMultipartUpload.
pub(crate) fn complete(model: &Inner, call: &Call<'_>) -> Result<Reply, S3Error> {
    let bucket = model.bucket(call)?;
    let id = upload_id(call)?;
    let listed = listed_parts(call)?;
    let mut state = write(&bucket);
    authorize(&state, &call.caller, "s3:PutObject", call.bucket, call.key)?;
    let upload = find(&state, call.key, &id)?;
    let chosen = choose_parts(upload, &listed)?;
    check_write(call, state.current(call.key.as_bytes()).as_deref())?;
    let object = assemble(model, call, upload, &chosen)?;
    let mut xml = Xml::result("CompleteMultipartUploadResult", 1024);
    xml.text(
        "Location",
        &format!("http://s3.amazonaws.com/{}/{}", call.bucket, call.key),
    );
    xml.text("Bucket", call.bucket);
    xml.text("Key", call.key);
    xml.text("ETag", &object.etag.quoted());
    let checksum = object.checksum();
    xml.text(checksum.algorithm.element(), &checksum.text());
    xml.text("ChecksumType", checksum.kind.name());
    let mut reply = Reply::xml(xml.finish("CompleteMultipartUploadResult"));
    encryption_headers(&mut reply, &object.attributes.encryption);
    state.uploads.remove(&(call.key.to_owned(), id));
    let version = state.put(call.key, object);
    if state.versioning != Versioning::Off {
        reply.text("x-amz-version-id", &version.to_string());
    }
    Ok(reply)
}

fn listed_parts(call: &Call<'_>) -> Result<Vec<CompletedPart>, S3Error> {
    let text = std::str::from_utf8(&call.body).map_err(|_| S3Error::malformed_xml())?;
    let completion: Completion =
        quick_xml::de::from_str(text).map_err(|_| S3Error::malformed_xml())?;
    if completion.parts.is_empty() || completion.parts.len() > usize::from(PARTS_MAX) {
        return Err(S3Error::malformed_xml());
    }
    if !completion.parts.is_sorted_by(|a, b| a.number < b.number) {
        return Err(S3Error::new(
            ErrorCode::InvalidPartOrder,
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        ));
    }
    Ok(completion.parts)
}

/// The uploaded parts that the client listed, each with its number, after all refusals.
fn choose_parts<'a>(
    upload: &'a Upload,
    listed: &[CompletedPart],
) -> Result<Vec<(u16, &'a Part)>, S3Error> {
    let mut chosen = Vec::with_capacity(listed.len());
    for completed in listed {
        let invalid = || {
            S3Error::new(
                ErrorCode::InvalidPart,
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
            )
            .detail("PartNumber", completed.number.to_string())
        };
        let number = u16::try_from(completed.number).map_err(|_| invalid())?;
        let part = upload.parts.get(&number).ok_or_else(invalid)?;
        let etag = completed.etag.as_deref().unwrap_or("").trim_matches('"');
        if etag != part.etag.to_string() {
            return Err(invalid());
        }
        check_part_checksum(upload, completed, part)?;
        chosen.push((number, part));
    }
    let all_but_last = &chosen[..chosen.len() - 1];
    if let Some((number, part)) = all_but_last
        .iter()
        .find(|(_, part)| part.rope.length() < PART_BYTES_MIN)
    {
        return Err(S3Error::new(
            ErrorCode::EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size",
        )
        .detail("ProposedSize", part.rope.length().to_string())
        .detail("MinSizeAllowed", PART_BYTES_MIN.to_string())
        .detail("PartNumber", number.to_string())
        .detail("ETag", part.etag.to_string()));
    }
    Ok(chosen)
}

fn check_part_checksum(
    upload: &Upload,
    completed: &CompletedPart,
    part: &Part,
) -> Result<(), S3Error> {
    let Some(algorithm) = upload.algorithm else {
        return Ok(());
    };
    let stored = part.checksum.as_ref().map(Checksum::text);
    match completed.checksum(algorithm) {
        None if upload.kind == ChecksumKind::Composite => Err(S3Error::invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {} in the request.",
            algorithm.name().to_lowercase(),
            completed.number
        ))),
        Some(sent) if stored.as_deref() != Some(sent) => Err(S3Error::new(
            ErrorCode::InvalidPart,
            "One or more of the specified parts could not be found. The checksum of a part does not match.",
        )
        .detail("PartNumber", completed.number.to_string())),
        _ => Ok(()),
    }
}

/// The object that the parts make.
fn assemble(
    model: &Inner,
    call: &Call<'_>,
    upload: &Upload,
    chosen: &[(u16, &Part)],
) -> Result<Object, S3Error> {
    let rope = Rope::concat(chosen.iter().map(|(_, part)| &part.rope));
    if let Some(text) = call.header("x-amz-mp-object-size")? {
        if text.parse::<u64>().ok() != Some(rope.length()) {
            return Err(S3Error::invalid_request(format!(
                "The provided 'x-amz-mp-object-size' header value {text} does not match what was computed: {}",
                rope.length()
            )));
        }
    }
    let checksum = whole_checksum(call, upload, chosen, &rope)?;
    let records: Arc<[PartRecord]> = chosen
        .iter()
        .map(|(number, part)| PartRecord {
            number: *number,
            length: part.rope.length(),
            checksum: part.checksum.clone(),
        })
        .collect();
    let mut etag = ETag::of_parts(chosen.iter().map(|(_, part)| part.etag));
    if matches!(upload.attributes.encryption, Encryption::Kms { .. }) {
        etag = etag.encrypted(model.next_number());
    }
    let attributes = Arc::new(Attributes {
        checksum,
        parts: Some(records),
        ..upload.attributes.clone()
    });
    Ok(Object {
        rope,
        etag,
        modified_s: model.clock.now_s(),
        version: VersionId::NULL,
        attributes,
    })
}

fn whole_checksum(
    call: &Call<'_>,
    upload: &Upload,
    chosen: &[(u16, &Part)],
    rope: &Rope,
) -> Result<Option<Checksum>, S3Error> {
    let algorithm = upload.algorithm.unwrap_or(ChecksumAlgorithm::Crc64nvme);
    let sent = call.header(algorithm.header())?;
    let checksum = match upload.kind {
        ChecksumKind::FullObject if upload.algorithm.is_none() && sent.is_none() => {
            return Ok(None);
        }
        ChecksumKind::FullObject => Checksum::full(algorithm, rope),
        ChecksumKind::Composite => {
            let values: Vec<u8> = chosen
                .iter()
                .filter_map(|(_, part)| part.checksum.as_ref())
                .flat_map(|c| c.value.clone())
                .collect();
            Checksum {
                algorithm,
                kind: ChecksumKind::Composite,
                value: algorithm.of_bytes(&values),
                parts: u16::try_from(chosen.len()).unwrap_or(PARTS_MAX),
            }
        }
    };
    if sent.is_some_and(|sent| sent != checksum.text()) {
        return Err(S3Error::new(
            ErrorCode::BadDigest,
            format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.name()
            ),
        ));
    }
    Ok(Some(checksum))
}
