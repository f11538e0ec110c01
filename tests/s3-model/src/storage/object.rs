//! One version of an object.

use std::fmt;
use std::sync::Arc;

use super::attributes::Attributes;
use crate::content::checksum::{Checksum, ChecksumAlgorithm};
use crate::content::etag::ETag;
use crate::content::rope::Rope;

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
    /// Makes an object without attributes, written in one request.
    pub(crate) fn plain(rope: Rope, modified_s: u64) -> Self {
        let etag = ETag::of_content(&rope);
        Self {
            rope,
            etag,
            modified_s,
            version: VersionId::NULL,
            attributes: Attributes::plain(),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.rope.length()
    }

    /// Whether the content cannot be read because the object is archived and not restored.
    pub(crate) fn is_archived(&self) -> bool {
        let attributes = &self.attributes;
        (attributes.storage_class.is_archive() || attributes.archive_tier) && !attributes.restored
    }

    /// Returns the stored checksum, or the CRC64NVME that S3 adds.
    pub(crate) fn checksum(&self) -> Checksum {
        self.attributes
            .checksum
            .clone()
            .unwrap_or_else(|| Checksum::full(ChecksumAlgorithm::Crc64nvme, &self.rope))
    }
}
