//! Buckets in memory: keys, contents and unfinished uploads, with S3's limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use shardlift_core::{
    arn::{AccountId, Region},
    bucket::BucketName,
    fault::{CallFault, FaultKind},
    id::UploadId,
    key::ObjectKey,
    object::{ETag, Encryption, ListedObject},
    port::{ListRequest, ObjectAttributes, ObjectPage, TagSet},
    run::BucketFacts,
    time::Timestamp,
};

use crate::{distortion::Distortion, upload::Upload};

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
    /// When it was written.
    pub modified_at: Timestamp,
}

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) buckets: BTreeMap<BucketName, (BucketFacts, BTreeMap<ObjectKey, StoredObject>)>,
    pub(crate) uploads: BTreeMap<UploadId, Upload>,
    pub(crate) uploads_created: u64,
    pub(crate) now: Timestamp,
    /// Buckets that encrypt under a KMS key by default.
    pub(crate) kms_buckets: BTreeSet<String>,
    /// Buckets whose listings do not say what they hold.
    pub(crate) distortions: BTreeMap<String, Distortion>,
}

/// All buckets of a test.
#[derive(Debug, Clone, Default)]
pub struct MemoryBuckets {
    world: Arc<Mutex<World>>,
}

impl MemoryBuckets {
    /// Makes an empty bucket. Panics on names that S3 would refuse: they are the test's own.
    #[must_use]
    pub fn with_bucket(self, name: &str, owner: &str, region: &str) -> Self {
        let facts = BucketFacts {
            region: Region::new(region).expect("a Region"),
            owner: AccountId::new(owner).expect("an account id"),
        };
        self.lock().buckets.insert(
            BucketName::new(name).expect("a bucket name"),
            (facts, BTreeMap::new()),
        );
        self
    }

    /// From now on the bucket encrypts by default under a KMS key.
    pub fn encrypt_under_kms(&self, bucket: &str) {
        self.lock().kms_buckets.insert(bucket.to_owned());
    }

    /// From now on each listing of the bucket answers what `distort` makes of the request and the true page.
    pub fn distort_listing(
        &self,
        bucket: &str,
        distort: impl Fn(&ListRequest, ObjectPage) -> Result<ObjectPage, CallFault>
        + Send
        + Sync
        + 'static,
    ) {
        let distortion = Distortion::new(distort);
        self.lock()
            .distortions
            .insert(bucket.to_owned(), distortion);
    }

    /// From now on the bucket's listings tell the truth.
    pub fn heal_listing(&self, bucket: &str) {
        self.lock().distortions.remove(bucket);
    }

    /// Sets the time at which later writes happen.
    pub fn set_time(&self, now: Timestamp) {
        self.lock().now = now;
    }

    /// Writes an object whose content is `content`, with plain attributes.
    pub fn put(&self, bucket: &str, key: &str, content: &str, size_bytes: u64) {
        let attributes = ObjectAttributes {
            size_bytes,
            etag: ETag::new(format!("{:032x}", fingerprint(content, size_bytes))).expect("an ETag"),
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            storage_class: "STANDARD".to_owned(),
            tag_count: 0,
            checksums: BTreeMap::new(),
            checksum_type: None,
            encryption: self.lock().encryption(bucket),
        };
        let mut world = self.lock();
        let modified_at = world.now;
        let object = StoredObject {
            content: content.to_owned(),
            attributes,
            tags: TagSet::new(),
            has_annotations: false,
            modified_at,
        };
        let key = ObjectKey::new(key).expect("a key");
        world.bucket_mut(bucket).insert(key, object);
    }

    /// Changes an object in place, for example to give it tags.
    pub fn change(&self, bucket: &str, key: &str, change: impl FnOnce(&mut StoredObject)) {
        let key = ObjectKey::new(key).expect("a key");
        change(
            self.lock()
                .bucket_mut(bucket)
                .get_mut(&key)
                .expect("the object exists"),
        );
    }

    /// Removes an object.
    pub fn remove(&self, bucket: &str, key: &str) {
        let key = ObjectKey::new(key).expect("a key");
        self.lock().bucket_mut(bucket).remove(&key);
    }

    /// Every object of a bucket, in key order.
    #[must_use]
    pub fn objects(&self, bucket: &str) -> BTreeMap<ObjectKey, StoredObject> {
        self.lock().bucket_mut(bucket).clone()
    }

    /// How many uploads are neither completed nor aborted.
    #[must_use]
    pub fn unfinished_uploads(&self) -> usize {
        self.lock().uploads.len()
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().expect("not poisoned")
    }
}

impl World {
    /// How a bucket encrypts by default.
    pub(crate) fn encryption(&self, bucket: &str) -> Encryption {
        if self.kms_buckets.contains(bucket) {
            Encryption::Kms
        } else {
            Encryption::S3Managed
        }
    }

    pub(crate) fn objects(
        &self,
        bucket: &BucketName,
        operation: &'static str,
    ) -> Result<&BTreeMap<ObjectKey, StoredObject>, CallFault> {
        self.buckets
            .get(bucket)
            .map(|(_, objects)| objects)
            .ok_or_else(|| CallFault::new(operation, FaultKind::NoSuchBucket, bucket.to_string()))
    }

    pub(crate) fn object(
        &self,
        bucket: &BucketName,
        key: &ObjectKey,
        operation: &'static str,
    ) -> Result<&StoredObject, CallFault> {
        self.objects(bucket, operation)?
            .get(key)
            .ok_or_else(|| CallFault::new(operation, FaultKind::NoSuchKey, key.to_string()))
    }

    pub(crate) fn upload(
        &mut self,
        bucket: &BucketName,
        key: &ObjectKey,
        id: &UploadId,
        operation: &'static str,
    ) -> Result<&mut Upload, CallFault> {
        self.uploads
            .get_mut(id)
            .filter(|upload| upload.spec.target_key == *key && upload.bucket == *bucket)
            .ok_or_else(|| CallFault::new(operation, FaultKind::NoSuchUpload, id.to_string()))
    }

    fn bucket_mut(&mut self, name: &str) -> &mut BTreeMap<ObjectKey, StoredObject> {
        let name = BucketName::new(name).expect("a bucket name");
        &mut self.buckets.get_mut(&name).expect("the bucket was made").1
    }
}

impl StoredObject {
    pub(crate) fn listed(&self, key: &ObjectKey) -> ListedObject {
        ListedObject {
            key: key.clone(),
            size_bytes: self.attributes.size_bytes,
            etag: self.attributes.etag.clone(),
            // S3 lists whole seconds.
            modified_at: Timestamp::from_millis(self.modified_at.as_epoch_seconds() * 1000),
        }
    }
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
