//! What a write at the target in memory makes of its source.

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{CopyOptions, CopyReceipt, CopySource},
    run::option::SseChoice,
    value::{
        arn::KmsKeyArn,
        key::ObjectKey,
        object::{ETag, Encryption},
    },
};

use crate::{
    MemoryTarget,
    bucket::World,
    stored_object::{StoredObject, fingerprint},
};

impl MemoryTarget {
    /// The planned version of the source object, or the fault of reading another one.
    pub(crate) fn planned(
        &self,
        world: &World,
        source: &CopySource,
        operation: &'static str,
    ) -> Result<StoredObject, CallFault> {
        let object = world.object_of(&self.source, source.into(), operation)?;
        if object.attributes.etag != source.etag {
            return Err(CallFault::new(
                operation,
                FaultKind::ConditionFailed,
                "copy-source-if-match",
            ));
        }
        if object.is_archived() {
            return Err(CallFault::new(
                operation,
                FaultKind::Archived,
                "InvalidObjectState",
            ));
        }
        Ok(object.clone())
    }

    /// How an object is encrypted that is written under this key, or under none.
    pub(crate) fn encryption(
        &self,
        world: &World,
        key: Option<&KmsKeyArn>,
        sse: Option<SseChoice>,
    ) -> (Encryption, Option<String>) {
        let by_default = || match sse {
            Some(SseChoice::Aes256) => None,
            None => world.default_key(self.handle.bucket.as_str()),
        };
        let key = key.map(ToString::to_string).or_else(by_default);
        match key {
            Some(_) => (Encryption::Kms, key),
            None => (Encryption::S3Managed, None),
        }
    }

    /// The copy is under the key that is asked for, or the bucket's; its ETag is the source's where S3 makes the same one.
    pub(crate) fn encrypt(
        &self,
        world: &mut World,
        object: &mut StoredObject,
        options: &CopyOptions,
    ) {
        let attributes = &mut object.attributes;
        let was = attributes.encryption;
        (attributes.encryption, attributes.kms_key_arn) =
            self.encryption(world, options.kms_key_arn.as_ref(), options.sse);
        if attributes.encryption == Encryption::Kms {
            attributes.etag = world.salted_etag(&object.content, attributes.size_bytes);
        } else if was == Encryption::Kms || attributes.etag.part_count().is_some() {
            let print = fingerprint(&object.content, attributes.size_bytes);
            attributes.etag = ETag::new(format!("{print:032x}")).expect("an ETag");
        }
    }

    pub(crate) fn write(
        &self,
        world: &mut World,
        key: &ObjectKey,
        mut object: StoredObject,
    ) -> CopyReceipt {
        object.attributes.tag_count = u32::try_from(object.tags.len()).expect("S3 allows ten tags");
        let etag = object.attributes.etag.clone();
        let checksums = object.attributes.checksums.clone();
        let checksum_type = object.attributes.checksum_type;
        if let Some((_, objects)) = world.buckets.get_mut(&self.handle.bucket) {
            objects.insert(key.clone(), object);
        }
        CopyReceipt {
            etag,
            version_id: None,
            checksums,
            checksum_type,
        }
    }
}
