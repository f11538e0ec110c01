//! Direct access to an object.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::content::etag::ETag;
use crate::content::rope::Rope;
use crate::storage::object::{Object, VersionId};
use crate::storage::storage_class::StorageClass;

/// An object, as it is stored.
#[derive(Debug, Clone)]
pub struct ObjectView {
    object: Arc<Object>,
}

impl ObjectView {
    pub(super) fn new(object: Arc<Object>) -> Self {
        Self { object }
    }

    /// Returns its size in bytes.
    pub fn size(&self) -> u64 {
        self.object.size()
    }

    /// Returns its content.
    pub fn content(&self) -> &Rope {
        &self.object.rope
    }

    /// Returns its entity tag.
    pub fn etag(&self) -> ETag {
        self.object.etag
    }

    /// Returns its LastModified, in seconds since 1970.
    pub fn modified_s(&self) -> u64 {
        self.object.modified_s
    }

    /// Returns its version.
    pub fn version(&self) -> VersionId {
        self.object.version
    }

    /// Returns its user metadata, by lower-case name.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.object.attributes.metadata
    }

    /// Returns its tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.object.attributes.tags
    }

    /// Returns its annotations, by name.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.object.attributes.annotations
    }

    /// Returns a stored header such as `content-type`, by lower-case name.
    pub fn system_header(&self, name: &str) -> Option<&[u8]> {
        self.object.attributes.system.get(name).map(Vec::as_slice)
    }

    /// Returns its storage class.
    pub fn storage_class(&self) -> StorageClass {
        self.object.attributes.storage_class
    }

    /// Returns the number of its parts, 0 if it was written in one request.
    pub fn parts(&self) -> usize {
        self.object
            .attributes
            .parts
            .as_ref()
            .map_or(0, |parts| parts.len())
    }
}
