//! The checksums in S3's answers, by algorithm, and back into the parts that complete an upload.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{self as sdk, builders::CompletedPartBuilder};
use shardlift_core::port::ChecksumType;

/// Collects the checksums that an answer carries; S3's answers share the names of these getters but no trait.
macro_rules! checksums_of {
    ($answer:expr) => {{
        let answer = $answer;
        [
            ("CRC32", answer.checksum_crc32()),
            ("CRC32C", answer.checksum_crc32_c()),
            ("CRC64NVME", answer.checksum_crc64_nvme()),
            ("MD5", answer.checksum_md5()),
            ("SHA1", answer.checksum_sha1()),
            ("SHA256", answer.checksum_sha256()),
            ("SHA512", answer.checksum_sha512()),
            ("XXHASH64", answer.checksum_xxhash64()),
            ("XXHASH3", answer.checksum_xxhash3()),
            ("XXHASH128", answer.checksum_xxhash128()),
        ]
        .into_iter()
        .filter_map(|(name, checksum)| Some((name.to_owned(), checksum?.to_owned())))
        .collect::<std::collections::BTreeMap<String, String>>()
    }};
}

pub(crate) use checksums_of;

/// What the checksums of an answer are computed over, where it says so.
pub(crate) fn checksum_type(told: Option<&sdk::ChecksumType>) -> Option<ChecksumType> {
    match told? {
        sdk::ChecksumType::FullObject => Some(ChecksumType::FullObject),
        sdk::ChecksumType::Composite => Some(ChecksumType::Composite),
        _ => None,
    }
}

/// The part with its checksums, which S3 compares with what it holds.
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
