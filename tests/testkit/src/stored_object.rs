//! An object in memory.

use shardlift_core::{
    port::{ObjectAttributes, TagSet},
    value::{key::ObjectKey, object::ListedObject, storage::ObjectStorage, time::Timestamp},
};

/// An object: its content is named, not held, so that a terabyte costs nothing. Equal content, equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// What stands for the bytes: the original content's name; a multipart copy of every byte keeps it.
    pub content: String,
    /// What HeadObject tells.
    pub attributes: ObjectAttributes,
    /// Its tags.
    pub tags: TagSet,
    /// Whether it has annotations, which parts do not take along.
    pub has_annotations: bool,
    /// Whether a policy denies everything on it by its name.
    pub is_denied: bool,
    /// Whether it can be read although its class is an archive.
    pub is_restored: bool,
    /// Whether S3 has moved it to an archive tier of its class, which listings do not tell.
    pub is_in_archive_tier: bool,
    /// When it was written.
    pub modified_at: Timestamp,
}

impl StoredObject {
    /// As HeadObject tells it at `now`.
    pub(crate) fn attributes_at(&self, now: Timestamp) -> ObjectAttributes {
        ObjectAttributes {
            modified_at: whole_seconds(self.modified_at),
            response_date: Some(whole_seconds(now)),
            ..self.attributes.clone()
        }
    }

    /// How it is stored.
    fn storage(&self) -> ObjectStorage {
        ObjectStorage::listed(&self.attributes.storage_class, self.is_restored)
    }

    /// Whether it must be restored before it can be read.
    pub(crate) fn is_archived(&self) -> bool {
        self.storage().is_archived || self.is_in_archive_tier
    }

    /// As a listing shows it.
    #[must_use]
    pub fn listed(&self, key: &ObjectKey) -> ListedObject {
        ListedObject {
            key: key.clone(),
            size_bytes: self.attributes.size_bytes,
            etag: self.attributes.etag.clone(),
            modified_at: whole_seconds(self.modified_at),
            storage: self.storage(),
            version_id: None,
        }
    }
}

/// An instant as S3 tells it.
pub(crate) fn whole_seconds(instant: Timestamp) -> Timestamp {
    Timestamp::from_millis(instant.as_epoch_seconds() * 1000)
}

/// The name of a content of these bytes.
#[must_use]
pub fn content_of(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|&byte| char::from(byte)).collect();
    format!("bytes-{:016x}", fingerprint(&text, bytes.len() as u64))
}

/// A number that stands for an MD5: equal for equal content and size.
pub(crate) fn fingerprint(content: &str, size_bytes: u64) -> u64 {
    content
        .bytes()
        .chain(size_bytes.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}
