//! The parts that a completion lists, against the parts of the upload.

use serde::Deserialize;

use super::open_upload::upload_id;
use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::operations::body_digest::checksum_mismatch;
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
    /// Returns the ETag without quotes.
    fn etag(&self) -> &str {
        self.etag.as_deref().unwrap_or("").trim_matches('"')
    }

    /// Makes the error for a part that the upload does not have like this (facts 52 and 57).
    fn invalid(&self, upload_id: &str) -> S3Error {
        S3Error::new(
            ErrorCode::InvalidPart,
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        )
        .detail("ETag", self.etag())
        .detail("PartNumber", self.number.to_string())
        .detail("UploadId", upload_id)
    }

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
    if completion.parts.is_empty() {
        return Err(S3Error::invalid_request(
            "You must specify at least one part",
        ));
    }
    if completion.parts.len() > usize::from(PARTS_MAX) {
        return Err(S3Error::malformed_xml());
    }
    if !completion.parts.is_sorted_by(|a, b| a.number < b.number) {
        return Err(S3Error::new(
            ErrorCode::InvalidPartOrder,
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        )
        .detail("UploadId", upload_id(request)?));
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
        let invalid = || completed.invalid(&upload.id);
        let number = u16::try_from(completed.number).map_err(|_| invalid())?;
        let part = upload.parts.get(&number).ok_or_else(invalid)?;
        if completed.etag() != part.etag.to_string() {
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
    let sent = ChecksumAlgorithm::ALL
        .into_iter()
        .find(|algorithm| completed.checksum(*algorithm).is_some());
    let Some(algorithm) = upload.algorithm else {
        // Whatever the part was sent with: the upload has no checksums to compare with (fact 50).
        return sent.map_or(Ok(()), |_| Err(completed.invalid(&upload.id)));
    };
    if sent.is_some_and(|sent| sent != algorithm) {
        return Err(checksum_mismatch(algorithm.name().to_lowercase()));
    }
    let stored = part.checksum.as_ref().map(Checksum::text);
    match completed.checksum(algorithm) {
        None if upload.kind == ChecksumKind::Composite => Err(S3Error::invalid_request(format!(
            "The upload was created using a {} checksum. The complete request must include the checksum for each part. It was missing for part {} in the request.",
            algorithm.name().to_lowercase(),
            completed.number
        ))),
        Some(sent) if stored.as_deref() != Some(sent) => Err(completed.invalid(&upload.id)),
        _ => Ok(()),
    }
}
