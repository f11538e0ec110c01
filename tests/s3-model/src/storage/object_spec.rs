//! An object to put into a bucket without a request.

use bytes::Bytes;

use super::attributes::Attributes;
use super::object::Object;
use super::storage_class::StorageClass;
use crate::content::rope::Rope;

/// An object to put into a bucket.
#[derive(Debug, Clone, Default)]
pub struct ObjectSpec {
    content: Rope,
    attributes: Attributes,
    modified_s: Option<u64>,
}

impl ObjectSpec {
    /// Describes an object with the first `bytes` of the stream of `seed`. Any size costs the same.
    pub fn synthetic(seed: u64, bytes: u64) -> Self {
        Self {
            content: Rope::synthetic(seed, bytes),
            ..Self::default()
        }
    }

    /// Describes an object with these bytes.
    pub fn literal(bytes: impl Into<Bytes>) -> Self {
        Self {
            content: Rope::literal(bytes.into()),
            ..Self::default()
        }
    }

    /// Adds user metadata.
    #[must_use]
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.attributes
            .metadata
            .insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// Sets the Content-Type.
    #[must_use]
    pub fn content_type(self, value: &str) -> Self {
        self.system_header("content-type", value)
    }

    /// Sets a header that S3 stores with an object, by lower-case name. The value need not be UTF-8:
    /// what a POST form sets is stored in ISO-8859-1 (fact 78).
    #[must_use]
    pub fn system_header(mut self, name: &'static str, value: impl Into<Vec<u8>>) -> Self {
        self.attributes.system.insert(name, value.into());
        self
    }

    /// Adds a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.attributes
            .tags
            .insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds an annotation.
    #[must_use]
    pub fn annotation(mut self, name: &str, payload: &str) -> Self {
        self.attributes
            .annotations
            .insert(name.to_owned(), payload.to_owned());
        self
    }

    /// Sets the storage class.
    #[must_use]
    pub fn storage_class(mut self, class: StorageClass) -> Self {
        self.attributes.storage_class = class;
        self
    }

    /// Restores the object, whose class is an archive: it can be read.
    #[must_use]
    pub fn restored(mut self) -> Self {
        self.attributes.restored = true;
        self
    }

    /// Moves the object, whose class is INTELLIGENT_TIERING, to an archive tier. No listing tells.
    #[must_use]
    pub fn archive_tier(mut self) -> Self {
        self.attributes.archive_tier = true;
        self
    }

    /// Sets LastModified, in seconds since 1970.
    #[must_use]
    pub fn modified_s(mut self, modified_s: u64) -> Self {
        self.modified_s = Some(modified_s);
        self
    }

    /// Makes the object. `now_s` is its LastModified if the spec sets none.
    pub(crate) fn into_object(self, now_s: u64) -> Object {
        let mut object = Object::plain(self.content, self.modified_s.unwrap_or(now_s));
        object.attributes = self.attributes.into_shared();
        object
    }
}
