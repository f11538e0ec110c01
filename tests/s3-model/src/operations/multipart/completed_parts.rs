//! The parts that a completion lists, against the parts of the upload.

use serde::Deserialize;

use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;
use crate::storage::upload::{PART_BYTES_MIN, PARTS_MAX, Part, Upload};

/// The document of CompleteMultipartUpload.
#[derive(Debug, Deserialize)]
struct Completion {
    #[serde(rename = "Part", default)]
    parts: Vec<CompletedPart>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CompletedPart {
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

/// Parses the parts that a completion lists.
pub(super) fn listed_parts(request: &Request<'_>) -> Result<Vec<CompletedPart>, S3Error> {
    let completion: Completion = request.document()?;
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

/// Returns the listed parts with their numbers, unless the upload does not have them or one of
/// them is too small.
pub(super) fn choose_parts<'a>(
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
