//! Buckets in memory: keys, contents and unfinished uploads, with S3's limits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{
        ListRequest, ObjectAttributes, ObjectPage, ObjectRef, Probe, TagSet, VersionPage,
        VersionRequest,
    },
    run::record::BucketFacts,
    value::{
        arn::{AccountId, Region},
        bucket::BucketName,
        id::{UploadId, VersionId},
        key::ObjectKey,
        object::{ETag, Encryption},
        time::Timestamp,
    },
};

use crate::{
    distortion::Distortion,
    history::History,
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
    /// The bytes of those contents that have some, by their names.
    pub(crate) bytes: BTreeMap<String, Vec<u8>>,
    /// ETags given under a KMS key so far: each is another one.
    pub(crate) salts: u64,
    /// Buckets that encrypt under a KMS key by default.
    pub(crate) kms_buckets: BTreeSet<String>,
    /// The past of the buckets that keep versions.
    pub(crate) histories: BTreeMap<String, History>,
    /// Buckets whose listings do not say what they hold.
    pub(crate) distortions: BTreeMap<String, Distortion<ListRequest, ObjectPage>>,
    /// The same of listings of versions.
    pub(crate) version_distortions: BTreeMap<String, Distortion<VersionRequest, VersionPage>>,
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

    /// From now on the bucket keeps versions of what the test itself puts and removes.
    pub fn keep_versions(&self, bucket: &str) {
        let mut world = self.lock();
        let before = world.bucket_mut(bucket).clone();
        let history = History::since(before);
        world.histories.insert(bucket.to_owned(), history);
    }

    /// Suspends the versions of a bucket that keeps them: from now on writes take the place of the version `null`.
    pub fn suspend_versions(&self, bucket: &str) {
        self.history(bucket, History::suspend);
    }

    /// Removes one version, or a delete marker, for good.
    pub fn remove_version(&self, bucket: &str, key: &str, version_id: &VersionId) {
        let key = ObjectKey::new(key).expect("a key");
        let newest = self.history(bucket, |history| history.remove_version(&key, version_id));
        let mut world = self.lock();
        let objects = world.bucket_mut(bucket);
        match newest {
            Some(object) => objects.insert(key, object),
            None => objects.remove(&key),
        };
    }

    /// The versions of a key, the oldest first: the id of each, and whether it is an object.
    #[must_use]
    pub fn versions(&self, bucket: &str, key: &str) -> Vec<(VersionId, bool)> {
        let key = ObjectKey::new(key).expect("a key");
        self.history(bucket, |history| history.versions(&key))
    }

    /// The id of the newest version of a key; nothing where the bucket keeps none.
    #[must_use]
    pub fn newest_version(&self, bucket: &str, key: &ObjectKey) -> Option<VersionId> {
        let world = self.lock();
        let history = world.histories.get(bucket)?;
        Some(history.versions(key).pop()?.0)
    }

    fn history<T>(&self, bucket: &str, with: impl FnOnce(&mut History) -> T) -> T {
        let mut world = self.lock();
        with(
            world
                .histories
                .get_mut(bucket)
                .expect("the bucket keeps versions"),
        )
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

    /// From now on each listing of the bucket's versions responds with what `distort` makes of the request and the true
    /// page.
    pub fn distort_versions(
        &self,
        bucket: &str,
        distort: impl Fn(&VersionRequest, VersionPage) -> Result<VersionPage, CallFault>
        + Send
        + Sync
        + 'static,
    ) {
        let distortion = Distortion::new(distort);
        self.lock()
            .version_distortions
            .insert(bucket.to_owned(), distortion);
    }

    /// From now on the bucket's listings tell the truth.
    pub fn heal_listing(&self, bucket: &str) {
        let mut world = self.lock();
        world.distortions.remove(bucket);
        world.version_distortions.remove(bucket);
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
        if let Some(history) = world.histories.get_mut(bucket) {
            history.put(&key, object.clone());
        }
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
        let mut world = self.lock();
        let now = world.now();
        if let Some(history) = world.histories.get_mut(bucket) {
            history.delete(&key, now);
        }
        world.bucket_mut(bucket).remove(&key);
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

    /// The object of a key, in its newest version or the named one.
    pub(crate) fn object_of(
        &self,
        bucket: &BucketName,
        object: ObjectRef<'_>,
        operation: &'static str,
    ) -> Result<&StoredObject, CallFault> {
        let Some(version_id) = object.version_id else {
            return self.object(bucket, object.key, operation);
        };
        let history = self.histories.get(bucket.as_str());
        let history = history.ok_or_else(|| {
            let text = format!("{bucket} keeps no versions");
            CallFault::new(operation, FaultKind::NoSuchKey, text)
        })?;
        history.object(object.key, version_id, operation)
    }

    /// A probe asks for permission only: whether the object is there does not matter.
    pub(crate) fn probe(
        &self,
        source: &BucketName,
        probe: Probe<'_>,
        operation: &'static str,
    ) -> Result<(), CallFault> {
        match probe {
            Probe::ReadSource(object) => match self.object_of(source, object, operation) {
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

    pub(crate) fn bucket_mut(&mut self, name: &str) -> &mut BTreeMap<ObjectKey, StoredObject> {
        let name = BucketName::new(name).expect("a bucket name");
        &mut self.buckets.get_mut(&name).expect("the bucket was made").1
    }
}

fn denied(operation: &'static str, key: &ObjectKey) -> CallFault {
    CallFault::new(operation, FaultKind::AccessDenied, key.to_string())
}
