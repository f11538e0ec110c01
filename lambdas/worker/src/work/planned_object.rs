//! An object of the manifest, and where it goes.

use shardlift_core::{
    documents::receipt::TargetVersion,
    failure::{Failure, FailureCode},
    port::{CopyReceipt, CopySource},
    run::spec::RunSpec,
    shard::NewerVersion,
    value::{key::ObjectKey, object::ListedObject, storage::StorageClass},
};

/// The two keys of an object, and the version to copy.
pub struct PlannedObject {
    /// Its position in the manifest.
    pub index: u32,
    /// The version to copy: the planned one, or a newer one.
    pub source: CopySource,
    /// That version, if it is newer than the planned one.
    pub newer: Option<NewerVersion>,
    /// Its key at the target.
    pub target_key: ObjectKey,
    /// The storage class that the copy asks for; S3's default when absent.
    pub storage_class: Option<StorageClass>,
}

impl PlannedObject {
    /// The object at `index` of the manifest.
    ///
    /// # Errors
    /// `ObjectUnsupported` when its key is too long at the target, `InvariantViolated` when it is not of this run.
    pub fn new(spec: &RunSpec, index: u32, object: &ListedObject) -> Result<Self, Failure> {
        let target_key = spec
            .pair
            .target_key(&object.key)
            .ok_or_else(|| Failure::invariant("the key lies outside the source prefix"))?
            .map_err(|invalid| {
                Failure::new(
                    FailureCode::ObjectUnsupported,
                    format!("the key at the target: {invalid}"),
                )
            })?;
        Ok(Self {
            index,
            source: CopySource {
                version_id: object.version_id.clone(),
                key: object.key.clone(),
                etag: object.etag.clone(),
                size_bytes: object.size_bytes,
            },
            newer: None,
            target_key,
            storage_class: spec.storage_class.requested(object.storage),
        })
    }

    /// What is at the target once S3 wrote this version.
    pub fn as_written(&self, receipt: CopyReceipt) -> TargetVersion {
        TargetVersion {
            etag: receipt.etag,
            version_id: receipt.version_id,
            size_bytes: self.source.size_bytes,
        }
    }

    /// The same object in a newer version: whichever is the newest. Never where the plan names a version.
    pub fn in_version(&self, newer: NewerVersion) -> Self {
        Self {
            index: self.index,
            source: CopySource {
                version_id: None,
                key: self.source.key.clone(),
                etag: newer.etag.clone(),
                size_bytes: newer.size_bytes,
            },
            target_key: self.target_key.clone(),
            storage_class: newer.storage_class,
            newer: Some(newer),
        }
    }
}
