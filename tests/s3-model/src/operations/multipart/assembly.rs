//! The object that the parts of an upload become.

use std::sync::Arc;

use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::operations::body_digest::{checksum_mismatch, sent_checksum};
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::storage::attributes::{Attributes, PartRecord};
use crate::storage::object::{Object, VersionId};
use crate::storage::upload::{PARTS_MAX, Part, Upload};

/// Makes the object of these parts.
pub(super) fn assemble(
    request: &Request<'_>,
    upload: &Upload,
    chosen: &[(u16, &Part)],
) -> Result<Object, S3Error> {
    let rope = Rope::concat(chosen.iter().map(|(_, part)| &part.rope));
    if let Some(text) = request.header("x-amz-mp-object-size")?
        && text.parse::<u64>().ok() != Some(rope.length())
    {
        return Err(S3Error::invalid_request(format!(
            "The provided 'x-amz-mp-object-size' header value {text} does not match what was computed: {}",
            rope.length()
        )));
    }
    let checksum = whole_checksum(request, upload, chosen, &rope)?;
    let records: Arc<[PartRecord]> = chosen
        .iter()
        .map(|(number, part)| PartRecord {
            number: *number,
            length: part.rope.length(),
            checksum: part.checksum.clone(),
        })
        .collect();
    // The MD5 over the parts' ETags, under SSE-KMS too, where these are no MD5s (fact 62).
    let etag = ETag::of_parts(chosen.iter().map(|(_, part)| part.etag));
    let attributes = Arc::new(Attributes {
        checksum,
        parts: Some(records),
        ..upload.attributes.clone()
    });
    Ok(Object {
        rope,
        etag,
        // S3 dates an object by the creation of its upload.
        modified_s: upload.initiated_s,
        version: VersionId::NULL,
        attributes,
    })
}

/// Computes the checksum of the object, and compares it with that of the request.
fn whole_checksum(
    request: &Request<'_>,
    upload: &Upload,
    chosen: &[(u16, &Part)],
    rope: &Rope,
) -> Result<Option<Checksum>, S3Error> {
    check_type(request, upload)?;
    let sent = sent_checksum(request)?;
    let Some(algorithm) = upload.algorithm else {
        // S3 adds a CRC64NVME, and ignores the value of another algorithm (fact 50).
        return match sent {
            Some((ChecksumAlgorithm::Crc64nvme, value)) => {
                let checksum = Checksum::full(ChecksumAlgorithm::Crc64nvme, rope);
                compare(&checksum, value).map(|()| Some(checksum))
            }
            _ => Ok(None),
        };
    };
    let checksum = match upload.kind {
        ChecksumKind::FullObject => Checksum::full(algorithm, rope),
        ChecksumKind::Composite => composite(algorithm, chosen),
    };
    let has_type = request.headers.contains_key("x-amz-checksum-type");
    match sent {
        // Without the type, S3 refuses even the right value of a whole object (fact 54).
        Some((found, value))
            if found == algorithm && (has_type || upload.kind == ChecksumKind::Composite) =>
        {
            compare(&checksum, value)?;
        }
        Some(_) => return Err(checksum_mismatch(algorithm.name().to_lowercase())),
        None => {}
    }
    Ok(Some(checksum))
}

fn composite(algorithm: ChecksumAlgorithm, chosen: &[(u16, &Part)]) -> Checksum {
    let values: Vec<u8> = chosen
        .iter()
        .filter_map(|(_, part)| part.checksum.as_ref())
        .flat_map(|checksum| checksum.value.clone())
        .collect();
    Checksum {
        algorithm,
        kind: ChecksumKind::Composite,
        value: algorithm.of_bytes(&values),
        parts: u16::try_from(chosen.len()).unwrap_or(PARTS_MAX),
    }
}

fn compare(checksum: &Checksum, sent: &str) -> Result<(), S3Error> {
    if sent == checksum.text() {
        return Ok(());
    }
    Err(checksum_mismatch(checksum.algorithm.name().to_lowercase()))
}

/// Refuses a completion that states another checksum type than the creation of the upload. It need
/// not state any (fact 53).
fn check_type(request: &Request<'_>, upload: &Upload) -> Result<(), S3Error> {
    let created = upload.algorithm.map(|_| upload.kind.name());
    match request.header("x-amz-checksum-type")? {
        Some(stated) if Some(stated) != created => Err(S3Error::invalid_request(format!(
            "The upload was created using the {} checksum mode. The complete request must use the same checksum mode.",
            created.unwrap_or("null")
        ))),
        _ => Ok(()),
    }
}
