//! Bytes of objects in memory.

use std::collections::BTreeMap;

use shardlift_core::{
    copy::stated_tags::header_bytes,
    failure::fault::{CallFault, FaultKind},
    port::{CopyReceipt, CopySource, NewObject, ObjectAttributes, ObjectBytes},
    value::{key::ObjectKey, object::ETag, time::Timestamp},
};

use crate::{
    MemoryBuckets, MemoryTarget,
    stored_object::{StoredObject, content_of, fingerprint},
    target_bucket::HEADERS_BYTES_MAX,
};

impl MemoryBuckets {
    /// Writes an object of these bytes, which [`ObjectBytes`] reads. The name of its content
    /// is made from them: equal bytes, equal content.
    pub fn put_bytes(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let content = content_of(bytes);
        self.put(bucket, key, &content, bytes.len() as u64);
        self.lock().bytes.insert(content, bytes.to_vec());
    }

    /// From now on objects with this content have these bytes, or as many of them as their size says, and zeros after them.
    pub fn hold_bytes(&self, content: &str, bytes: &[u8]) {
        self.lock().bytes.insert(content.to_owned(), bytes.to_vec());
    }

    /// The bytes of an object that was written with some.
    #[must_use]
    pub fn bytes(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let key = ObjectKey::new(key).expect("a key");
        let mut world = self.lock();
        let content = world.bucket_mut(bucket).get(&key)?.content.clone();
        world.bytes.get(&content).cloned()
    }
}

impl ObjectBytes for MemoryTarget {
    /// An object that was put without bytes has those of its content's name, and zeros up to its size.
    async fn read_source(&self, source: &CopySource, bytes_max: u64) -> Result<Vec<u8>, CallFault> {
        const OPERATION: &str = "s3:GetObject";
        self.handle
            .call(OPERATION, |world| {
                let object = self.planned(world, source, OPERATION)?;
                let size = object.attributes.size_bytes.min(bytes_max);
                let size = usize::try_from(size).expect("a test reads what fits its memory");
                let named = || object.content.clone().into_bytes();
                let mut bytes = world
                    .bytes
                    .get(&object.content)
                    .cloned()
                    .unwrap_or_else(named);
                bytes.resize(size, 0);
                Ok(bytes)
            })
            .await
    }

    async fn put_object(&self, object: &NewObject, bytes: &[u8]) -> Result<CopyReceipt, CallFault> {
        const OPERATION: &str = "s3:PutObject";
        self.handle
            .call(OPERATION, |world| {
                if header_bytes(&object.tags) > HEADERS_BYTES_MAX {
                    let kind = FaultKind::Rejected;
                    return Err(CallFault::new(
                        OPERATION,
                        kind,
                        "RequestHeaderSectionTooLarge",
                    ));
                }
                let key = object.kms_key_arn.as_ref();
                let (encryption, kms_key_arn) = self.encryption(world, key, object.sse);
                let (content, size_bytes) = (content_of(bytes), bytes.len() as u64);
                let etag = match kms_key_arn {
                    Some(_) => world.salted_etag(&content, size_bytes),
                    None => ETag::new(format!("{:032x}", fingerprint(&content, size_bytes)))
                        .expect("an ETag"),
                };
                let text =
                    |(name, value): (&String, &String)| (name.clone(), value.as_str().into());
                let content_type = object.content_type.as_str().into();
                let class = object
                    .storage_class
                    .map_or("STANDARD", |class| class.name());
                let stored = StoredObject {
                    content: content.clone(),
                    attributes: ObjectAttributes {
                        size_bytes,
                        etag,
                        headers: BTreeMap::from([("content-type".to_owned(), content_type)]),
                        metadata: object.metadata.iter().map(text).collect(),
                        storage_class: class.to_owned(),
                        tag_count: u32::try_from(object.tags.len()).expect("ten at most"),
                        checksums: BTreeMap::new(),
                        checksum_type: None,
                        encryption,
                        kms_key_arn,
                        modified_at: Timestamp::default(),
                        response_date: None,
                    },
                    tags: object.tags.clone(),
                    has_annotations: false,
                    is_denied: false,
                    is_restored: false,
                    is_in_archive_tier: false,
                    modified_at: world.now(),
                };
                world.bytes.insert(content, bytes.to_vec());
                Ok(self.write(world, &object.target_key, stored))
            })
            .await
    }
}
