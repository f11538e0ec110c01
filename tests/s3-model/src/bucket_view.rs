//! Looking into a bucket and changing it, past all requests.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};

use bytes::Bytes;

use crate::bucket::{Bucket, Versioning};
use crate::digest::ETag;
use crate::lock::{read, write};
use crate::model::Inner;
use crate::object::{Attributes, Encryption, Object, StorageClass, VersionId};
use crate::policy::PolicyDocument;
use crate::put::share;
use crate::rope::Rope;

/// A bucket, seen from inside. Nothing here is counted, refused or delayed.
#[derive(Debug, Clone)]
pub struct BucketView {
    pub(crate) model: Arc<Inner>,
    pub(crate) bucket: Arc<RwLock<Bucket>>,
}

/// An object to be put in place.
#[derive(Debug, Clone, Default)]
pub struct ObjectSpec {
    content: Rope,
    attributes: Attributes,
    modified_s: Option<u64>,
}

impl ObjectSpec {
    /// The first `bytes` of the stream of `seed`: any size costs the same.
    pub fn synthetic(seed: u64, bytes: u64) -> Self {
        Self {
            content: Rope::synthetic(seed, bytes),
            ..Self::default()
        }
    }

    /// These bytes.
    pub fn literal(bytes: impl Into<Bytes>) -> Self {
        Self {
            content: Rope::literal(bytes.into()),
            ..Self::default()
        }
    }

    /// With user metadata.
    #[must_use]
    pub fn metadata(mut self, name: &str, value: &str) -> Self {
        self.attributes
            .metadata
            .insert(name.to_lowercase(), value.to_owned());
        self
    }

    /// With a Content-Type.
    #[must_use]
    pub fn content_type(mut self, value: &str) -> Self {
        self.attributes
            .system
            .insert("content-type", value.to_owned());
        self
    }

    /// With a tag.
    #[must_use]
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        self.attributes
            .tags
            .insert(key.to_owned(), value.to_owned());
        self
    }

    /// With an annotation.
    #[must_use]
    pub fn annotation(mut self, name: &str, payload: &str) -> Self {
        self.attributes
            .annotations
            .insert(name.to_owned(), payload.to_owned());
        self
    }

    /// In a storage class.
    #[must_use]
    pub fn storage_class(mut self, class: StorageClass) -> Self {
        self.attributes.storage_class = class;
        self
    }

    /// With another LastModified, in seconds since 1970.
    #[must_use]
    pub fn modified_s(mut self, modified_s: u64) -> Self {
        self.modified_s = Some(modified_s);
        self
    }
}

/// An object, seen from inside.
#[derive(Debug, Clone)]
pub struct ObjectView {
    object: Arc<Object>,
}

impl ObjectView {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.object.size()
    }

    /// Its content.
    pub fn content(&self) -> &Rope {
        &self.object.rope
    }

    /// Its entity tag.
    pub fn etag(&self) -> ETag {
        self.object.etag
    }

    /// LastModified, in seconds since 1970.
    pub fn modified_s(&self) -> u64 {
        self.object.modified_s
    }

    /// Its version.
    pub fn version(&self) -> VersionId {
        self.object.version
    }

    /// Its user metadata, by lower-case name.
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.object.attributes.metadata
    }

    /// Its tags.
    pub fn tags(&self) -> &BTreeMap<String, String> {
        &self.object.attributes.tags
    }

    /// Its annotations by name.
    pub fn annotations(&self) -> &BTreeMap<String, String> {
        &self.object.attributes.annotations
    }

    /// A stored header such as `content-type`, by lower-case name.
    pub fn system_header(&self, name: &str) -> Option<&str> {
        self.object.attributes.system.get(name).map(String::as_str)
    }

    /// Its storage class.
    pub fn storage_class(&self) -> StorageClass {
        self.object.attributes.storage_class
    }

    /// The parts it was made of, 0 when it was written at once.
    pub fn parts(&self) -> usize {
        self.object
            .attributes
            .parts
            .as_ref()
            .map_or(0, |parts| parts.len())
    }
}

impl BucketView {
    /// Puts an object in place as its newest version.
    pub fn put(&self, key: &str, spec: ObjectSpec) -> VersionId {
        let mut object = Object::plain(
            spec.content,
            spec.modified_s.unwrap_or_else(|| self.model.clock.now_s()),
        );
        object.attributes = share(spec.attributes);
        write(&self.bucket).put(key, object)
    }

    /// Takes an object away, or puts a delete marker on it.
    pub fn remove(&self, key: &str) {
        let now_s = self.model.clock.now_s();
        // The outcome matters to a client only.
        let _deleted = write(&self.bucket).delete(key, now_s);
    }

    /// The object that a plain GET finds.
    pub fn object(&self, key: &str) -> Option<ObjectView> {
        read(&self.bucket)
            .current(key.as_bytes())
            .map(|object| ObjectView { object })
    }

    /// All live keys under a prefix, in byte order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let state = read(&self.bucket);
        let mut cursor = state.cursor(prefix.as_bytes(), true);
        let mut keys = Vec::new();
        while cursor.advance().is_some() && cursor.key().starts_with(prefix.as_bytes()) {
            keys.push(String::from_utf8_lossy(cursor.key()).into_owned());
        }
        keys
    }

    /// The number of live keys under a prefix.
    pub fn count(&self, prefix: &str) -> u64 {
        let state = read(&self.bucket);
        let mut cursor = state.cursor(prefix.as_bytes(), true);
        let mut count = 0;
        while cursor.advance().is_some() && cursor.key().starts_with(prefix.as_bytes()) {
            count += 1;
        }
        count
    }

    /// Multipart uploads that are neither completed nor aborted, by key.
    pub fn open_uploads(&self) -> Vec<String> {
        read(&self.bucket)
            .uploads
            .keys()
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Sets or removes the bucket policy.
    pub fn set_policy(&self, policy: Option<PolicyDocument>) {
        write(&self.bucket).policy = policy.map(Arc::new);
    }

    /// Encrypts from now on by default under this KMS key.
    pub fn set_default_encryption(&self, kms_key_arn: impl Into<String>) {
        write(&self.bucket).default_encryption = Encryption::under(kms_key_arn);
    }

    /// Switches versioning.
    pub fn set_versioning(&self, versioning: Versioning) {
        write(&self.bucket).versioning = versioning;
    }

    /// The account that owns it.
    pub fn owner(&self) -> String {
        read(&self.bucket).owner.clone()
    }
}
