//! Everything about an object except its key, content and dates.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::encryption::Encryption;
use super::storage_class::StorageClass;
use crate::content::checksum::Checksum;

/// The annotations of an object, by name.
pub(crate) type Annotations = BTreeMap<String, String>;

/// One part of a completed multipart object.
#[derive(Debug, Clone)]
pub(crate) struct PartRecord {
    pub(crate) number: u16,
    pub(crate) length: u64,
    pub(crate) checksum: Option<Checksum>,
}

/// The attributes of an object. CopyObject copies most of them by default, a multipart copy none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attributes {
    /// Content-Type and the other headers that S3 stores, by lower-case name.
    pub(crate) system: BTreeMap<&'static str, Vec<u8>>,
    /// `x-amz-meta-…`, by lower-case name without the prefix.
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) annotations: Annotations,
    pub(crate) storage_class: StorageClass,
    /// Whether an archived object was restored.
    pub(crate) restored: bool,
    /// Whether S3 has moved an object of INTELLIGENT_TIERING to an archive tier.
    pub(crate) archive_tier: bool,
    pub(crate) encryption: Encryption,
    /// `None` stands for the CRC64NVME that S3 adds, which is computed on demand.
    pub(crate) checksum: Option<Checksum>,
    pub(crate) parts: Option<Arc<[PartRecord]>>,
}

/// The attributes of an object that was written without any.
static PLAIN: LazyLock<Arc<Attributes>> = LazyLock::new(Arc::default);

impl Attributes {
    /// Returns the attributes of an object that was written without any.
    pub(crate) fn plain() -> Arc<Self> {
        PLAIN.clone()
    }

    /// Shares the attributes. All objects without attributes share one value.
    pub(crate) fn into_shared(self) -> Arc<Self> {
        let plain = self.system.is_empty()
            && self.metadata.is_empty()
            && self.tags.is_empty()
            && self.annotations.is_empty()
            && self.storage_class == StorageClass::Standard
            && !self.restored
            && !self.archive_tier
            && self.encryption == Encryption::S3Managed
            && self.checksum.is_none()
            && self.parts.is_none();
        if plain { Self::plain() } else { Arc::new(self) }
    }
}
