//! CompleteMultipartUpload.

use std::sync::Arc;

use serde::Deserialize;

use crate::access::authorize;
use crate::bucket::Versioning;
use crate::conditions::check_write;
use crate::digest::{ChecksumAlgorithm, ChecksumKind, ETag};
use crate::error::{ErrorCode, S3Error};
use crate::get::encryption_headers;
use crate::lock::write;
use crate::model::Inner;
use crate::multipart::{PART_BYTES_MIN, PARTS_MAX, Part, Upload, find, upload_id};
use crate::object::{Attributes, Checksum, Encryption, Object, PartRecord, VersionId};
use crate::reply::Reply;
use crate::request::Call;
use crate::rope::Rope;
use crate::xml::Xml;

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
    if let Some(text) = call.header("x-amz-mp-object-size")?
        && text.parse::<u64>().ok() != Some(rope.length())
    {
        return Err(S3Error::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {text} does not match what was computed: {}",
            rope.length()
        )));
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
        // S3 dates it by the beginning of its upload.
        modified_s: upload.initiated_s,
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
