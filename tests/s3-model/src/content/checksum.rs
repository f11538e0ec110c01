//! Checksums: true ones for bytes from clients and for short synthetic content, pseudo-checksums
//! for longer synthetic content.

use base64::Engine as _;
use crc_fast::CrcAlgorithm;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};

use super::rope::Rope;

/// Synthetic content up to this length has true checksums (but no true MD5), so that a client can
/// verify a download. Generating 1 MiB takes about 0.3 ms.
const TRUE_CHECKSUM_BYTES_MAX: u64 = 1 << 20;

/// The checksum that is stored with an object or a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    pub(crate) kind: ChecksumKind,
    pub(crate) value: Vec<u8>,
    /// The number of parts of a composite checksum, 0 otherwise.
    pub(crate) parts: u16,
}

impl Checksum {
    pub(crate) fn full(algorithm: ChecksumAlgorithm, rope: &Rope) -> Self {
        Self {
            algorithm,
            kind: ChecksumKind::FullObject,
            value: algorithm.of_content(rope),
            parts: 0,
        }
    }

    /// Returns the value in base64.
    pub(crate) fn value_text(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(&self.value)
    }

    /// Returns the value in base64, with the number of parts if it is composite.
    pub(crate) fn text(&self) -> String {
        let value = self.value_text();
        if self.parts > 0 {
            format!("{value}-{}", self.parts)
        } else {
            value
        }
    }
}

/// The checksum algorithms of S3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are S3's own")]
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

    /// Returns the name, as in `x-amz-checksum-algorithm`.
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

    /// Returns the header for a value of this algorithm.
    pub(crate) fn header(self) -> &'static str {
        match self {
            Self::Crc32 => "x-amz-checksum-crc32",
            Self::Crc32c => "x-amz-checksum-crc32c",
            Self::Crc64nvme => "x-amz-checksum-crc64nvme",
            Self::Sha1 => "x-amz-checksum-sha1",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// Returns the XML element for a value of this algorithm.
    pub(crate) fn element(self) -> &'static str {
        match self {
            Self::Crc32 => "ChecksumCRC32",
            Self::Crc32c => "ChecksumCRC32C",
            Self::Crc64nvme => "ChecksumCRC64NVME",
            Self::Sha1 => "ChecksumSHA1",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// Whether a text is the base64 of a value of this algorithm's length.
    pub(crate) fn is_value(self, text: &str) -> bool {
        let decoded = base64::engine::general_purpose::STANDARD.decode(text);
        decoded.is_ok_and(|value| value.len() == self.width_bytes())
    }

    fn width_bytes(self) -> usize {
        match self {
            Self::Crc32 | Self::Crc32c => 4,
            Self::Crc64nvme => 8,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }

    /// Whether a multipart object can have a checksum of this kind.
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

    /// Returns the kind of a multipart upload that names none.
    pub(crate) fn default_kind(self) -> ChecksumKind {
        if self == Self::Crc64nvme {
            ChecksumKind::FullObject
        } else {
            ChecksumKind::Composite
        }
    }

    /// Returns the checksum of content: a true one, or a pseudo-checksum of long synthetic content.
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
    rope.length() <= TRUE_CHECKSUM_BYTES_MAX || !rope.has_synthetic()
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
    /// Returns the name, as in `x-amz-checksum-type`.
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
