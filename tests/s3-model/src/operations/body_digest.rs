//! The digests of a request body.

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

use super::request::Request;
use crate::content::checksum::{Checksum, ChecksumAlgorithm, ChecksumKind};
use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::protocol::error::S3Error;
use crate::protocol::error_code::ErrorCode;

/// Verifies every digest that came with the body, and returns the checksum to store: the one in
/// the request, or one of `algorithm` if the upload was created with one.
pub(super) fn verify_body(
    request: &Request<'_>,
    algorithm: Option<ChecksumAlgorithm>,
) -> Result<Option<Checksum>, S3Error> {
    verify_md5(request)?;
    verify_payload_hash(request)?;
    let sent = sent_checksum(request)?;
    if let (Some((found, _)), Some(expected)) = (sent, algorithm)
        && found != expected
    {
        return Err(S3Error::invalid_request(format!(
            "Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum Type: {}",
            expected.name().to_lowercase(),
            found.name().to_lowercase()
        )));
    }
    let Some((found, value)) = sent else {
        let rope = Rope::literal(request.body.clone());
        return Ok(algorithm.map(|algorithm| Checksum::full(algorithm, &rope)));
    };
    let checksum = Checksum {
        algorithm: found,
        kind: ChecksumKind::FullObject,
        value: found.of_bytes(&request.body),
        parts: 0,
    };
    if checksum.text() != value {
        return Err(checksum_mismatch(found.name()));
    }
    Ok(Some(checksum))
}

/// Makes the error for a checksum that differs from the computed one. UploadPart and PutObject name
/// the algorithm in capitals, a completion in small letters.
pub(super) fn checksum_mismatch(algorithm: impl std::fmt::Display) -> S3Error {
    S3Error::new(
        ErrorCode::BadDigest,
        format!("The {algorithm} you specified did not match the calculated checksum."),
    )
}

/// Returns the checksum of the request, from a header or the trailer.
pub(super) fn sent_checksum<'a>(
    request: &'a Request<'_>,
) -> Result<Option<(ChecksumAlgorithm, &'a str)>, S3Error> {
    let mut sent = None;
    for candidate in ChecksumAlgorithm::ALL {
        let Some(value) = request.header_or_trailer(candidate.header())? else {
            continue;
        };
        if !candidate.is_value(value) {
            return Err(S3Error::invalid_request(format!(
                "Value for {} header is invalid.",
                candidate.header()
            )));
        }
        if sent.replace((candidate, value)).is_some() {
            return Err(S3Error::invalid_request(
                "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
            ));
        }
    }
    Ok(sent)
}

fn verify_md5(request: &Request<'_>) -> Result<(), S3Error> {
    let Some(sent) = request.header("content-md5")? else {
        return Ok(());
    };
    let decoded = base64::engine::general_purpose::STANDARD
        .decode(sent)
        .ok()
        .filter(|bytes| bytes.len() == 16);
    let Some(decoded) = decoded else {
        return Err(S3Error::new(
            ErrorCode::InvalidDigest,
            "The Content-MD5 you specified was invalid.",
        ));
    };
    if decoded != ETag::of_content(&Rope::literal(request.body.clone())).digest() {
        return Err(S3Error::new(
            ErrorCode::BadDigest,
            "The Content-MD5 you specified did not match what we received.",
        ));
    }
    Ok(())
}

fn verify_payload_hash(request: &Request<'_>) -> Result<(), S3Error> {
    let Some(sent) = request.header("x-amz-content-sha256")? else {
        return Ok(());
    };
    if sent.starts_with("UNSIGNED-") || sent.starts_with("STREAMING-") {
        return Ok(());
    }
    let computed = Sha256::digest(&request.body);
    let text: String = computed.iter().map(|byte| format!("{byte:02x}")).collect();
    if sent != text {
        return Err(S3Error::new(
            ErrorCode::XAmzContentSHA256Mismatch,
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )
        .detail("ClientComputedContentSHA256", sent)
        .detail("S3ComputedContentSHA256", text));
    }
    Ok(())
}
