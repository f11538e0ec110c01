//! Checksums by algorithm: read from S3's responses, and sent back with the parts that complete an upload.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{self as sdk, builders::CompletedPartBuilder};
use shardlift_core::port::ChecksumType;

/// Collects the checksums that a response carries. The SDK's outputs share the names of these getters but no trait.
macro_rules! checksums_of {
    ($response:expr) => {{
        let response = $response;
        [
            ("CRC32", response.checksum_crc32()),
            ("CRC32C", response.checksum_crc32_c()),
            ("CRC64NVME", response.checksum_crc64_nvme()),
            ("MD5", response.checksum_md5()),
            ("SHA1", response.checksum_sha1()),
            ("SHA256", response.checksum_sha256()),
            ("SHA512", response.checksum_sha512()),
            ("XXHASH64", response.checksum_xxhash64()),
            ("XXHASH3", response.checksum_xxhash3()),
            ("XXHASH128", response.checksum_xxhash128()),
        ]
        .into_iter()
        .filter_map(|(name, checksum)| Some((name.to_owned(), checksum?.to_owned())))
        .collect::<std::collections::BTreeMap<String, String>>()
    }};
}

pub(crate) use checksums_of;

/// What the checksums of a response are computed over, if S3 says so.
pub(crate) fn checksum_type(reported: Option<&sdk::ChecksumType>) -> Option<ChecksumType> {
    match reported? {
        sdk::ChecksumType::FullObject => Some(ChecksumType::FullObject),
        sdk::ChecksumType::Composite => Some(ChecksumType::Composite),
        _ => None,
    }
}

/// Adds the checksums of a part, which S3 compares with those that it holds.
pub(crate) fn with_checksums(
    part: CompletedPartBuilder,
    checksums: &BTreeMap<String, String>,
) -> CompletedPartBuilder {
    let of = |algorithm: &str| checksums.get(algorithm).cloned();
    part.set_checksum_crc32(of("CRC32"))
        .set_checksum_crc32_c(of("CRC32C"))
        .set_checksum_crc64_nvme(of("CRC64NVME"))
        .set_checksum_md5(of("MD5"))
        .set_checksum_sha1(of("SHA1"))
        .set_checksum_sha256(of("SHA256"))
        .set_checksum_sha512(of("SHA512"))
        .set_checksum_xxhash64(of("XXHASH64"))
        .set_checksum_xxhash3(of("XXHASH3"))
        .set_checksum_xxhash128(of("XXHASH128"))
}

/// The type to request for an upload. S3 combines the CRCs of parts into one of the whole object; for every other
/// algorithm the choice is left to S3's default
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html).
pub(crate) fn requested_checksum_type(algorithm: &str) -> Option<sdk::ChecksumType> {
    matches!(algorithm, "CRC32" | "CRC32C" | "CRC64NVME").then_some(sdk::ChecksumType::FullObject)
}
