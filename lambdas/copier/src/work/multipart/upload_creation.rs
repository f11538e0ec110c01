//! Creating the upload of an object in parts, with what CopyObject would carry.

use shardlift_core::{
    access::missing_permission::MissingPermission,
    copy::stated_tags::StatedTags,
    failure::{Failure, fault::Effect},
    port::{ObjectAttributes, TagSet, TargetBucket, UploadSpec},
    shard::OpenUpload,
    value::key::KeyPrefix,
};

use shardlift_worker::{
    pace::BudgetedRetries,
    work::{ObjectContext, PlannedObject, source_changed},
};

/// Who opens uploads to the key of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UploadSharing {
    /// The copier of the object's shard alone.
    OneShard,
    /// The copiers of the object's part shards too, at the same time.
    PartShards,
}

/// How the object of an upload gets its tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tagging {
    /// The upload states them.
    Stated,
    /// They are written once it is completed.
    Later,
    /// Not at all, because they were refused.
    LeftBehind,
}

/// Creates the upload of one object.
pub(in crate::work) struct UploadCreation<'a, T> {
    pub(in crate::work) context: &'a ObjectContext<'a, T>,
    pub(in crate::work) planned: &'a PlannedObject,
    pub(in crate::work) sharing: UploadSharing,
}

impl<T: TargetBucket> UploadCreation<'_, T> {
    /// Creates an upload that carries what CopyObject would carry.
    ///
    /// # Errors
    /// Why the object cannot be copied.
    pub(in crate::work) async fn run(&self) -> Result<OpenUpload, Failure> {
        let (context, planned) = (self.context, self.planned);
        let calls = &context.calls;
        let (mut upload, mut tagging) = self.upload_spec().await?;
        let mut retries = BudgetedRetries::new(calls.gate);
        loop {
            let fault = match calls.gate.write(calls.target.create_upload(&upload)).await {
                Ok(created) => {
                    return Ok(OpenUpload {
                        index: planned.index,
                        upload_id: created.id,
                        is_without_tags: tagging == Tagging::LeftBehind,
                        is_tagged_later: tagging == Tagging::Later,
                        created_at: created.created_at,
                        completing: None,
                        newer: planned.newer.clone(),
                    });
                }
                Err(fault) => fault,
            };
            if !upload.tags.is_empty() && context.may_drop_tags(&fault) {
                upload.tags.clear();
                tagging = Tagging::LeftBehind;
                continue;
            }
            // Where uploads are shared, another copier may have created the one that this would abort.
            if fault.effect == Effect::Unknown && self.sharing == UploadSharing::OneShard {
                self.abort_orphans().await?;
            }
            if !retries.back_off(&fault).await {
                return Err(context.explain(fault, planned).await);
            }
        }
    }

    /// Aborts the orphaned uploads to the key of the object, which no record names: created by a copier that died, or by a
    /// call whose response was lost. The run owns the key: the lock keeps other runs away, and the promise does not cover
    /// other writers.
    ///
    /// # Errors
    /// Why they cannot be listed or aborted.
    pub(in crate::work) async fn abort_orphans(&self) -> Result<(), Failure> {
        let (context, planned) = (self.context, self.planned);
        let calls = &context.calls;
        let target_key = &planned.target_key;
        let prefix = KeyPrefix::new(target_key.as_str())
            .map_err(|invalid| Failure::invariant(invalid.to_string()))?;
        let found = calls
            .read(|| calls.target.list_uploads(&prefix))
            .await
            .map_err(|fault| {
                context.explain_with(MissingPermission::ListUploads, planned, &fault)
            })?;
        for (key, upload_id) in found {
            if key == *target_key {
                calls
                    .read(|| calls.target.abort_upload(&key, &upload_id))
                    .await
                    .map_err(|fault| {
                        context.explain_with(MissingPermission::AbortUpload, planned, &fault)
                    })?;
            }
        }
        Ok(())
    }

    /// What CopyObject would carry along, and how the object gets its tags.
    async fn upload_spec(&self) -> Result<(UploadSpec, Tagging), Failure> {
        let (context, planned) = (self.context, self.planned);
        let (calls, source) = (&context.calls, &planned.source);
        let attributes = match calls.read(|| calls.target.head_source(source.into())).await {
            Ok(attributes) => attributes,
            Err(fault) => return Err(context.explain(fault, planned).await),
        };
        if attributes.etag != source.etag || attributes.size_bytes != source.size_bytes {
            return Err(source_changed(
                source,
                &attributes.etag,
                attributes.size_bytes,
            ));
        }
        let (tags, tagging) = match context.tags_to_carry(planned).await?.map(StatedTags::of) {
            None => (TagSet::new(), Tagging::LeftBehind),
            Some(stated) if stated.are_all => (stated.in_header, Tagging::Stated),
            Some(stated) => (stated.in_header, Tagging::Later),
        };
        let checksum_algorithm = checksum_algorithm(&attributes);
        let ObjectAttributes {
            headers, metadata, ..
        } = attributes;
        let upload = UploadSpec {
            target_key: planned.target_key.clone(),
            headers,
            metadata,
            tags,
            storage_class: planned.storage_class,
            kms_key_arn: calls.spec.kms_key_arn.clone(),
            sse: calls.spec.sse,
            acl: calls.spec.acl,
            checksum_algorithm: Some(checksum_algorithm),
        };
        Ok((upload, tagging))
    }
}

/// The algorithm of the target's checksum: the source's, if uploads support it, else S3's default. It is always named,
/// because ListParts returns checksums only of a named algorithm. Then S3 computes the checksum of the whole from those of
/// the parts, and it can be compared with the source's.
fn checksum_algorithm(source: &ObjectAttributes) -> String {
    const DEFAULT: &str = "CRC64NVME";
    const OF_UPLOADS: [&str; 5] = [DEFAULT, "CRC32C", "CRC32", "SHA256", "SHA1"];
    OF_UPLOADS
        .into_iter()
        .find(|algorithm| source.checksums.contains_key(*algorithm))
        .unwrap_or(DEFAULT)
        .to_owned()
}
