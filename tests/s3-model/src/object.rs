//! What a bucket keeps of an object beside its key.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::annotation::Annotations;
use crate::digest::{ChecksumAlgorithm, ChecksumKind, ETag};
use crate::rope::Rope;

/// Identifies a version of a key. `NULL` is the version of an unversioned bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionId(pub(crate) u64);

impl VersionId {
    pub(crate) const NULL: Self = Self(0);

    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "null" {
            return Some(Self::NULL);
        }
        let digits = text.strip_prefix('v').filter(|digits| digits.len() == 31)?;
        u64::from_str_radix(digits, 16)
            .ok()
            .filter(|id| *id > 0)
            .map(Self)
    }
}

impl fmt::Display for VersionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NULL {
            formatter.write_str("null")
        } else {
            write!(formatter, "v{:031x}", self.0)
        }
    }
}

/// S3's storage classes for general purpose buckets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are S3's own")]
pub enum StorageClass {
    #[default]
    Standard,
    ReducedRedundancy,
    StandardIa,
    OnezoneIa,
    IntelligentTiering,
    GlacierIr,
    Glacier,
    DeepArchive,
}

impl StorageClass {
    const ALL: [Self; 8] = [
        Self::Standard,
        Self::ReducedRedundancy,
        Self::StandardIa,
        Self::OnezoneIa,
        Self::IntelligentTiering,
        Self::GlacierIr,
        Self::Glacier,
        Self::DeepArchive,
    ];

    /// As `x-amz-storage-class` spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::ReducedRedundancy => "REDUCED_REDUNDANCY",
            Self::StandardIa => "STANDARD_IA",
            Self::OnezoneIa => "ONEZONE_IA",
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::GlacierIr => "GLACIER_IR",
            Self::Glacier => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    fn is_archive(self) -> bool {
        matches!(self, Self::Glacier | Self::DeepArchive)
    }
}

/// The checksum that is stored with an object or a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checksum {
    pub(crate) algorithm: ChecksumAlgorithm,
    pub(crate) kind: ChecksumKind,
    pub(crate) value: Vec<u8>,
    /// Parts behind a composite checksum, 0 otherwise.
    pub(crate) parts: u16,
}

/// One part of a completed multipart object.
#[derive(Debug, Clone)]
pub(crate) struct PartRecord {
    pub(crate) number: u16,
    pub(crate) length: u64,
    pub(crate) checksum: Option<Checksum>,
}

/// Server-side encryption as far as it shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Encryption {
    #[default]
    S3Managed,
    Kms {
        key_id: String,
        bucket_key: bool,
    },
}

impl Encryption {
    /// Under a KMS key, without a bucket key.
    pub(crate) fn under(kms_key_arn: impl Into<String>) -> Self {
        Self::Kms {
            key_id: kms_key_arn.into(),
            bucket_key: false,
        }
    }
}

/// What CopyObject carries over by default and multipart does not.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    /// Content-Type and the other headers S3 stores, by lower-case name.
    pub(crate) system: BTreeMap<&'static str, String>,
    /// `x-amz-meta-…`, by lower-case name without the prefix.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) annotations: Annotations,
    pub(crate) storage_class: StorageClass,
    /// Whether an archived object was restored.
    pub(crate) restored: bool,
    pub(crate) encryption: Encryption,
    /// `None` stands for the CRC64NVME that S3 adds by itself, computed when it is asked for.
    pub(crate) checksum: Option<Checksum>,
    pub(crate) parts: Option<Arc<[PartRecord]>>,
}

/// The attributes of an object that was written without any.
pub(crate) static PLAIN_ATTRIBUTES: LazyLock<Arc<Attributes>> = LazyLock::new(Arc::default);

/// One version of an object.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) rope: Rope,
    pub(crate) etag: ETag,
    pub(crate) modified_s: u64,
    pub(crate) version: VersionId,
    pub(crate) attributes: Arc<Attributes>,
}

impl Object {
    /// An object without attributes, written at once.
    pub(crate) fn plain(rope: Rope, modified_s: u64) -> Self {
        let etag = ETag::of_content(&rope);
        Self {
            rope,
            etag,
            modified_s,
            version: VersionId::NULL,
            attributes: PLAIN_ATTRIBUTES.clone(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.rope.length()
    }

    /// Whether the content cannot be read: archived and not restored.
    pub(crate) fn is_archived(&self) -> bool {
        self.attributes.storage_class.is_archive() && !self.attributes.restored
    }

    /// The stored checksum, or the CRC64NVME that S3 adds by itself.
    pub(crate) fn checksum(&self) -> Checksum {
        self.attributes
            .checksum
            .clone()
            .unwrap_or_else(|| Checksum::full(ChecksumAlgorithm::Crc64nvme, &self.rope))
    }
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

    /// The value in base64, with the number of parts behind a composite one.
    pub(crate) fn text(&self) -> String {
        use base64::Engine as _;
        let value = base64::engine::general_purpose::STANDARD.encode(&self.value);
        if self.parts > 0 {
            format!("{value}-{}", self.parts)
        } else {
            value
        }
    }
}
