//! Direct access to a bucket.

use std::sync::Arc;

use super::object_view::ObjectView;
use crate::access::policy::PolicyDocument;
use crate::lock::{read, write};
use crate::state::{ServerState, SharedBucket};
use crate::storage::encryption::Encryption;
use crate::storage::object::VersionId;
use crate::storage::object_spec::ObjectSpec;
use crate::storage::version::Versioning;

/// A bucket, as it is stored. Access through it is neither counted, refused nor delayed.
#[derive(Debug, Clone)]
pub struct BucketView {
    server: Arc<ServerState>,
    bucket: SharedBucket,
}

impl BucketView {
    pub(super) fn new(server: Arc<ServerState>, bucket: SharedBucket) -> Self {
        Self { server, bucket }
    }

    /// Puts an object as the newest version of its key.
    pub fn put(&self, key: &str, spec: ObjectSpec) -> VersionId {
        let object = spec.into_object(self.server.clock.now_s());
        write(&self.bucket).put(key, object)
    }

    /// Deletes an object, or adds a delete marker.
    pub fn remove(&self, key: &str) {
        let now_s = self.server.clock.now_s();
        // Only a client cares about the result.
        let _deleted = write(&self.bucket).delete(key, now_s);
    }

    /// Returns the object that a GET without a version finds.
    pub fn object(&self, key: &str) -> Option<ObjectView> {
        read(&self.bucket)
            .current(key.as_bytes())
            .map(ObjectView::new)
    }

    /// Returns all live keys under a prefix, in byte order.
    pub fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        self.for_each_key(prefix, |key| {
            keys.push(String::from_utf8_lossy(key).into_owned());
        });
        keys
    }

    /// Returns the number of live keys under a prefix.
    pub fn count(&self, prefix: &str) -> u64 {
        let mut count = 0;
        self.for_each_key(prefix, |_| count += 1);
        count
    }

    fn for_each_key(&self, prefix: &str, mut visit: impl FnMut(&[u8])) {
        let state = read(&self.bucket);
        let mut cursor = state.cursor_from(prefix.as_bytes());
        while cursor.advance().is_some() && cursor.key().starts_with(prefix.as_bytes()) {
            visit(cursor.key());
        }
    }

    /// Returns the keys of open multipart uploads.
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

    /// Encrypts new objects by default under this KMS key, which is registered.
    pub fn set_default_encryption(&self, kms_key_arn: impl Into<String>) {
        let encryption = Encryption::under(kms_key_arn);
        self.server.kms_keys.add(&encryption);
        write(&self.bucket).default_encryption = encryption;
    }

    /// Sets the versioning.
    pub fn set_versioning(&self, versioning: Versioning) {
        write(&self.bucket).versioning = versioning;
    }

    /// Returns the account that owns it.
    pub fn owner(&self) -> String {
        read(&self.bucket).owner.clone()
    }
}
