//! Buckets in memory: keys, contents and unfinished uploads, with S3's limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{ListRequest, ObjectAttributes, ObjectPage, Probe, TagSet},
    run::record::BucketFacts,
    value::{
        arn::{AccountId, Region},
        bucket::BucketName,
        id::UploadId,
        key::ObjectKey,
        object::{ETag, Encryption},
        time::Timestamp,
    },
};

use crate::{
    distortion::Distortion,
    stored_object::{StoredObject, fingerprint},
    upload::Upload,
};

#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) buckets: BTreeMap<BucketName, (BucketFacts, BTreeMap<ObjectKey, StoredObject>)>,
    pub(crate) uploads: BTreeMap<UploadId, Upload>,
    pub(crate) uploads_created: u64,
    /// The time, or the time since which it passes.
    pub(crate) now: Timestamp,
    pub(crate) runs_since: Option<tokio::time::Instant>,
    /// ETags given under a KMS key so far: each is another one.
    pub(crate) salts: u64,
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

    /// From now on each listing of the bucket responds with what `distort` makes of the request and the true page.
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
        let mut world = self.lock();
        world.now = now;
        world.runs_since = None;
    }

    /// From now on time passes as it does for tokio: a test that pauses it has both in its hands.
    pub fn let_time_pass(&self) {
        self.lock().runs_since = Some(tokio::time::Instant::now());
    }

    /// Writes an object whose content is `content`, with plain attributes.
    pub fn put(&self, bucket: &str, key: &str, content: &str, size_bytes: u64) {
        let mut world = self.lock();
        let attributes = ObjectAttributes {
            size_bytes,
            etag: ETag::new(format!("{:032x}", fingerprint(content, size_bytes))).expect("an ETag"),
            headers: BTreeMap::new(),
            metadata: BTreeMap::new(),
            storage_class: "STANDARD".to_owned(),
            tag_count: 0,
            checksums: BTreeMap::new(),
            checksum_type: None,
            encryption: world.encryption(bucket),
            kms_key_arn: world.default_key(bucket),
            modified_at: Timestamp::default(),
            response_date: None,
        };
        let modified_at = world.now();
        let object = StoredObject {
            content: content.to_owned(),
            attributes,
            tags: TagSet::new(),
            has_annotations: false,
            is_denied: false,
            is_restored: false,
            is_in_archive_tier: false,
            modified_at,
        };
        let key = ObjectKey::new(key).expect("a key");
        world.bucket_mut(bucket).insert(key, object);
    }

    /// Puts an object as another bucket had it.
    pub fn install(&self, bucket: &str, key: &ObjectKey, object: StoredObject) {
        self.lock().bucket_mut(bucket).insert(key.clone(), object);
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

    /// As if earlier copies of parts, whose responses were lost, had their effect only now: under a KMS key every part of an
    /// open upload has another ETag.
    pub fn let_late_parts_arrive(&self) {
        let mut world = self.lock();
        let mut uploads = std::mem::take(&mut world.uploads);
        for upload in uploads.values_mut() {
            if upload.encryption == Encryption::S3Managed {
                continue;
            }
            for part in upload.parts.values_mut() {
                part.receipt.etag = world.salted_etag(&part.content, part.first_byte);
            }
        }
        world.uploads = uploads;
    }

    /// The uploads that are neither completed nor aborted, with their keys.
    #[must_use]
    pub fn open_uploads(&self) -> Vec<(UploadId, ObjectKey)> {
        let world = self.lock();
        let uploads = world.uploads.iter();
        uploads
            .map(|(id, upload)| (id.clone(), upload.spec.target_key.clone()))
            .collect()
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
    /// The time by S3's clock.
    pub(crate) fn now(&self) -> Timestamp {
        let passed = self.runs_since.map(|since| since.elapsed());
        self.now.plus(passed.unwrap_or_default())
    }

    /// The key under which a bucket encrypts by default.
    pub(crate) fn default_key(&self, bucket: &str) -> Option<String> {
        match self.encryption(bucket) {
            Encryption::Kms => Some(format!("the key of {bucket}")),
            Encryption::S3Managed | Encryption::Unknown => None,
        }
    }

    /// How a bucket encrypts by default.
    pub(crate) fn encryption(&self, bucket: &str) -> Encryption {
        if self.kms_buckets.contains(bucket) {
            Encryption::Kms
        } else {
            Encryption::S3Managed
        }
    }

    /// An ETag under a KMS key: no digest, and another one for equal content.
    pub(crate) fn salted_etag(&mut self, content: &str, salt: u64) -> ETag {
        self.salts += 1;
        let print = fingerprint(content, salt ^ self.salts.rotate_left(17));
        ETag::new(format!("{print:032x}")).expect("an ETag")
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
        match self.objects(bucket, operation)?.get(key) {
            Some(object) if object.is_denied => Err(denied(operation, key)),
            Some(object) => Ok(object),
            None => Err(CallFault::new(
                operation,
                FaultKind::NoSuchKey,
                key.to_string(),
            )),
        }
    }

    /// A probe asks for permission only: whether the object is there does not matter.
    pub(crate) fn probe(
        &self,
        source: &BucketName,
        probe: Probe<'_>,
        operation: &'static str,
    ) -> Result<(), CallFault> {
        match probe {
            Probe::ReadSource(key) => match self.object(source, key, operation) {
                Err(fault) if fault.kind == FaultKind::AccessDenied => Err(fault),
                _ => Ok(()),
            },
            Probe::DeleteTarget(_) => Ok(()),
        }
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

fn denied(operation: &'static str, key: &ObjectKey) -> CallFault {
    CallFault::new(operation, FaultKind::AccessDenied, key.to_string())
}
