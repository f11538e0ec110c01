//! The object that the parts of an upload become.

use std::sync::Arc;

use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::operations::body_digest::checksum_mismatch;
use crate::operations::request::Request;
use crate::protocol::error::S3Error;
use crate::state::ServerState;
use crate::storage::attributes::{Attributes, PartRecord};
use crate::storage::object::{Object, VersionId};
use crate::storage::upload::{PARTS_MAX, Part, Upload};

/// Makes the object of these parts.
pub(super) fn assemble(
    server: &ServerState,
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
    let mut etag = ETag::of_parts(chosen.iter().map(|(_, part)| part.etag));
    if upload.attributes.encryption.is_kms() {
        etag = etag.encrypted(server.next_number());
    }
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
    let algorithm = upload.algorithm.unwrap_or(ChecksumAlgorithm::Crc64nvme);
    let sent = request.header(algorithm.header())?;
    let checksum = match upload.kind {
        ChecksumKind::FullObject if upload.algorithm.is_none() && sent.is_none() => {
            return Ok(None);
        }
        ChecksumKind::FullObject => Checksum::full(algorithm, rope),
        ChecksumKind::Composite => {
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
    };
    if sent.is_some_and(|sent| sent != checksum.text()) {
        return Err(checksum_mismatch(algorithm));
    }
    Ok(Some(checksum))
}
