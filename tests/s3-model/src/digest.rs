//! ETags and checksums: the true ones where bytes are at hand, pseudo ones for synthetic content.
//!
//! Nobody can compute the MD5 of 48.8 TiB, or of a million objects for one listing. So content
//! that has a synthetic stretch gets a *pseudo* digest: a deterministic function of its
//! provenance, so equal content (joined or cut however) has equal digests, and different content
//! different ones. Content that clients sent has its true digests, and so has empty content.

use std::fmt;

use crc_fast::CrcAlgorithm;
use md5::{Digest as _, Md5};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::Sha256;

use crate::rope::{Rope, mix};

/// Synthetic content up to this length has true checksums (not a true MD5), so that a client
/// that verifies what it downloads can. 1 MiB costs some 0.3 ms of generating.
pub(crate) const TRUE_CHECKSUM_BYTES_MAX: u64 = 1 << 20;

/// An entity tag as S3 makes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ETag {
    digest: [u8; 16],
    /// The number of parts of a multipart object; 0 for an object that was written at once.
    parts: u16,
}

impl ETag {
    /// The tag of content written at once: its MD5, or the pseudo-MD5 of synthetic content.
    pub fn of_content(rope: &Rope) -> Self {
        Self {
            digest: content_md5(rope),
            parts: 0,
        }
    }

    /// The tag of a multipart object: the MD5 of its parts' MD5s, and their number.
    pub fn of_parts(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut hasher = Md5::new();
        let mut count: u16 = 0;
        for part in parts {
            hasher.update(part.digest);
            count = count
                .checked_add(1)
                .expect("an upload has at most 10,000 parts");
        }
        Self {
            digest: hasher.finalize().into(),
            parts: count,
        }
    }

    /// The tag of content under SSE-KMS, which is no MD5 of anything.
    pub(crate) fn encrypted(self, salt: u64) -> Self {
        let mut hasher = Md5::new();
        hasher.update(self.digest);
        hasher.update(salt.to_le_bytes());
        Self {
            digest: hasher.finalize().into(),
            parts: self.parts,
        }
    }

    /// The pseudo-MD5 of one stretch of a synthetic stream: two scrambles of its provenance.
    #[inline]
    pub(crate) fn of_stretch(seed: u64, offset: u64, length: u64) -> Self {
        let first = mix(seed ^ mix(offset.wrapping_add(0x5eed)) ^ length.rotate_left(40));
        let second = mix(first ^ seed.rotate_left(23) ^ length);
        let mut digest = [0; 16];
        digest[..8].copy_from_slice(&first.to_be_bytes());
        digest[8..].copy_from_slice(&second.to_be_bytes());
        Self { digest, parts: 0 }
    }

    /// The MD5, for the composite of a multipart object and for `Content-MD5`.
    pub(crate) fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Appends the tag without quotes.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let mut hex = [0u8; 32];
        for (index, byte) in self.digest.iter().enumerate() {
            hex[index * 2] = HEX[usize::from(byte >> 4)];
            hex[index * 2 + 1] = HEX[usize::from(byte & 15)];
        }
        out.extend_from_slice(&hex);
        if self.parts > 0 {
            out.push(b'-');
            out.extend_from_slice(itoa::Buffer::new().format(self.parts).as_bytes());
        }
    }

    /// The tag in the double quotes that HTTP wants.
    pub(crate) fn quoted(&self) -> String {
        format!("\"{self}\"")
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

impl fmt::Display for ETag {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.digest {
            write!(formatter, "{byte:02x}")?;
        }
        if self.parts > 0 {
            write!(formatter, "-{}", self.parts)?;
        }
        Ok(())
    }
}

fn content_md5(rope: &Rope) -> [u8; 16] {
    if let Some((seed, offset, length)) = rope.single_stretch() {
        return ETag::of_stretch(seed, offset, length).digest;
    }
    let mut hasher = Md5::new();
    if has_synthetic(rope) {
        rope.describe(|bytes| hasher.update(bytes));
    } else {
        rope.for_each_block(|block| hasher.update(block));
    }
    hasher.finalize().into()
}

fn has_synthetic(rope: &Rope) -> bool {
    let mut synthetic = false;
    rope.describe(|record| synthetic |= record.len() == 25 && record[0] == b's');
    synthetic || rope.is_synthetic()
}

/// The checksum algorithms of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are S3's own")]
pub enum ChecksumAlgorithm {
    Crc32,
    Crc32c,
    Crc64nvme,
    Sha1,
    Sha256,
}

impl ChecksumAlgorithm {
    pub(crate) const ALL: [Self; 5] = [
        Self::Crc32,
        Self::Crc32c,
        Self::Crc64nvme,
        Self::Sha1,
        Self::Sha256,
    ];

    /// As `x-amz-checksum-algorithm` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc32 => "CRC32",
            Self::Crc32c => "CRC32C",
            Self::Crc64nvme => "CRC64NVME",
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    /// The header that carries a value of this algorithm.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The element that carries a value of this algorithm.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    fn width_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Whether a multipart object can have a checksum of its whole content.
    pub(crate) fn allows(self, kind: ChecksumKind) -> bool {
        match (self, kind) {
            (Self::Sha1 | Self::Sha256, ChecksumKind::FullObject)
            | (Self::Crc64nvme, ChecksumKind::Composite) => false,
            (Self::Crc32 | Self::Crc32c | Self::Crc64nvme, ChecksumKind::FullObject)
            | (Self::Crc32 | Self::Crc32c | Self::Sha1 | Self::Sha256, ChecksumKind::Composite) => {
                true
            }
        }
    }

    /// What a multipart upload gets when it names no type.
    pub(crate) fn default_kind(self) -> ChecksumKind {
        if self == Self::Crc64nvme {
            ChecksumKind::FullObject
        } else {
            ChecksumKind::Composite
        }
    }

    /// The checksum of content: true, or pseudo for long synthetic content.
    pub(crate) fn of_content(self, rope: &Rope) -> Vec<u8> {
        if is_true(rope) {
            let mut running = Running::new(self);
            rope.for_each_block(|block| running.update(block));
            return running.finish();
        }
        let mut hasher = Sha256::new();
        hasher.update(self.name());
        rope.describe(|bytes| hasher.update(bytes));
        hasher.finalize()[..self.width_bytes()].to_vec()
    }

    pub(crate) fn of_bytes(self, bytes: &[u8]) -> Vec<u8> {
        let mut running = Running::new(self);
        running.update(bytes);
        running.finish()
    }
}

/// Whether the model computes true checksums for this content, which a client may verify.
pub(crate) fn is_true(rope: &Rope) -> bool {
    rope.length() <= TRUE_CHECKSUM_BYTES_MAX || !has_synthetic(rope)
}

/// What a checksum covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChecksumKind {
    /// All bytes of the object.
    FullObject,
    /// The checksums of the parts.
    Composite,
}

impl ChecksumKind {
    /// As `x-amz-checksum-type` spells it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::FullObject => "FULL_OBJECT",
            Self::Composite => "COMPOSITE",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::FullObject, Self::Composite]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A checksum that is being computed.
enum Running {
    Crc(ChecksumAlgorithm, crc_fast::Digest),
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Running {
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Crc32 => {
                Self::Crc(algorithm, crc_fast::Digest::new(CrcAlgorithm::Crc32IsoHdlc))
            }
            ChecksumAlgorithm::Crc32c => {
                Self::Crc(algorithm, crc_fast::Digest::new(CrcAlgorithm::Crc32Iscsi))
            }
            ChecksumAlgorithm::Crc64nvme => {
                Self::Crc(algorithm, crc_fast::Digest::new(CrcAlgorithm::Crc64Nvme))
            }
            ChecksumAlgorithm::Sha1 => Self::Sha1(Sha1::new()),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Crc(_, digest) => digest.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Crc(algorithm, digest) => {
                let bytes = digest.finalize().to_be_bytes();
                bytes[8 - algorithm.width_bytes()..].to_vec()
            }
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_content_has_the_true_digests() {
        let rope = Rope::concat([
            &Rope::literal("123".into()),
            &Rope::literal("456789".into()),
        ]);
        assert_eq!(
            ETag::of_content(&rope).to_string(),
            "25f9e794323b453885f5181f1b624d0b"
        );
        assert_eq!(
            ChecksumAlgorithm::Crc32.of_content(&rope),
            0xcbf4_3926_u32.to_be_bytes()
        );
        assert_eq!(
            ChecksumAlgorithm::Crc32c.of_content(&rope),
            0xe306_9283_u32.to_be_bytes()
        );
        assert_eq!(
            ChecksumAlgorithm::Crc64nvme.of_content(&rope),
            0xae8b_1486_0a79_9888_u64.to_be_bytes()
        );
        assert_eq!(
            ETag::of_content(&Rope::default()).to_string(),
            "d41d8cd98f00b204e9800998ecf8427e"
        );
    }

    #[test]
    fn a_composite_tag_is_the_md5_of_the_part_md5s() {
        let part = ETag::of_content(&Rope::literal("a".into()));

        assert_eq!(
            ETag::of_parts([part, part]).to_string(),
            "7b3c799ee8b11a11c798c8b41bed8502-2"
        );
    }

    #[test]
    fn pseudo_digests_follow_the_content_and_not_the_cutting() {
        let whole = Rope::synthetic(3, 100 << 20);
        let joined = Rope::concat([&whole.slice(0, 7), &whole.slice(7, (100 << 20) - 7)]);
        assert_eq!(ETag::of_content(&whole), ETag::of_content(&joined));
        for algorithm in ChecksumAlgorithm::ALL {
            assert_eq!(algorithm.of_content(&whole), algorithm.of_content(&joined));
            assert_ne!(
                algorithm.of_content(&whole),
                algorithm.of_content(&Rope::synthetic(4, 100 << 20))
            );
        }
        assert_ne!(
            ETag::of_content(&whole),
            ETag::of_content(&whole.slice(1, 99 << 20))
        );
    }
}
