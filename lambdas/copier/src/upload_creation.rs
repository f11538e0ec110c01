//! Creating the upload of an object in parts, with what CopyObject would carry.

use shardlift_core::{
    access::missing_permission::MissingPermission,
    failure::{
        Failure,
        fault::{Effect, FaultKind},
    },
    port::{ObjectAttributes, TagSet, TargetBucket, UploadSpec},
    run::option::TagPolicy,
    shard::OpenUpload,
    value::key::KeyPrefix,
};

use crate::{
    object_copy::{ObjectCopy, Planned, source_changed},
    retries::Retries,
};

impl<T: TargetBucket> ObjectCopy<'_, T> {
    /// Creates the upload of an object, and notes it.
    pub(crate) async fn begin_upload(&self, planned: &Planned) -> Result<OpenUpload, Failure> {
        if self.is_resumed {
            self.abort_unrecorded(planned).await?;
        }
        let upload = self.create_upload(planned).await?;
        self.uploads.opened(upload.clone());
        Ok(upload)
    }

    /// Creates an upload that carries what CopyObject would carry.
    pub(crate) async fn create_upload(&self, planned: &Planned) -> Result<OpenUpload, Failure> {
        let (mut upload, mut is_without_tags) = self.upload_spec(planned).await?;
        let mut retries = Retries::new(self.gate);
        loop {
            let fault = match self.gate.write(self.target.create_upload(&upload)).await {
                Ok(created) => {
                    return Ok(OpenUpload {
                        index: planned.index,
                        upload_id: created.id,
                        is_without_tags,
                        created_at: created.created_at,
                        completing: None,
                    });
                }
                Err(fault) => fault,
            };
            let may_go_without_tags =
                self.spec.tags == TagPolicy::BestEffort && !upload.tags.is_empty();
            if fault.kind == FaultKind::AccessDenied && may_go_without_tags {
                upload.tags.clear();
                is_without_tags = true;
                continue;
            }
            // With part shards another copier may have created the upload that this would abort.
            if fault.effect == Effect::Unknown && !self.has_part_shards {
                self.abort_unrecorded(planned).await?;
            }
            match retries.delay_after(&fault) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(self.explain(fault, planned).await),
            }
        }
    }

    /// Aborts uploads to this key that nobody recorded: created by a copier that died, or by a call whose answer was
    /// lost. The run owns the key: the lock keeps other runs away, and other writers are no part of the promise.
    pub(crate) async fn abort_unrecorded(&self, planned: &Planned) -> Result<(), Failure> {
        let target_key = &planned.target_key;
        let prefix = KeyPrefix::new(target_key.as_str())
            .map_err(|invalid| Failure::invariant(invalid.to_string()))?;
        let found = self
            .repeat(|| self.target.list_uploads(&prefix))
            .await
            .map_err(|fault| self.lacking(MissingPermission::ListUploads, planned, &fault))?;
        for (key, upload_id) in found {
            if key == *target_key {
                self.repeat(|| self.target.abort_upload(&key, &upload_id))
                    .await
                    .map_err(|fault| {
                        self.lacking(MissingPermission::AbortUpload, planned, &fault)
                    })?;
            }
        }
        Ok(())
    }

    /// What CopyObject would carry along by itself, and whether the tags are missing from it because they were refused.
    async fn upload_spec(&self, planned: &Planned) -> Result<(UploadSpec, bool), Failure> {
        let source = &planned.source;
        let attributes = match self.repeat(|| self.target.head_source(&source.key)).await {
            Ok(attributes) => attributes,
            Err(fault) => return Err(self.explain(fault, planned).await),
        };
        if attributes.etag != source.etag || attributes.size_bytes != source.size_bytes {
            return Err(source_changed(
                source,
                &attributes.etag,
                attributes.size_bytes,
            ));
        }
        let tags = self.tags_to_carry(planned).await?;
        let is_without_tags = tags.is_none();
        let checksum_algorithm = checksum_algorithm(&attributes);
        let ObjectAttributes {
            headers, metadata, ..
        } = attributes;
        let upload = UploadSpec {
            target_key: planned.target_key.clone(),
            headers,
            metadata,
            tags: tags.unwrap_or_default(),
            storage_class: self.spec.storage_class,
            kms_key_arn: self.spec.kms_key_arn.clone(),
            checksum_algorithm: Some(checksum_algorithm),
        };
        Ok((upload, is_without_tags))
    }

    /// The source's tags; nothing when they were refused and the run does without.
    async fn tags_to_carry(&self, planned: &Planned) -> Result<Option<TagSet>, Failure> {
        if self.spec.tags == TagPolicy::Ignore {
            return Ok(Some(TagSet::new()));
        }
        match self
            .repeat(|| self.target.source_tags(&planned.source.key))
            .await
        {
            Ok(tags) => Ok(Some(tags)),
            Err(fault)
                if fault.kind == FaultKind::AccessDenied
                    && self.spec.tags == TagPolicy::BestEffort =>
            {
                Ok(None)
            }
            Err(fault) => Err(self.explain(fault, planned).await),
        }
    }
}

/// The algorithm that the target is to have its checksum in: the source's, where an upload in parts can be asked for it,
/// else S3's default, named because parts that are listed again tell their checksums only in a named algorithm. Then S3
/// makes the checksum of the whole from those of the parts, and it can be compared with the source's.
fn checksum_algorithm(source: &ObjectAttributes) -> String {
    const DEFAULT: &str = "CRC64NVME";
    const OF_UPLOADS: [&str; 5] = [DEFAULT, "CRC32C", "CRC32", "SHA256", "SHA1"];
    OF_UPLOADS
        .into_iter()
        .find(|algorithm| source.checksums.contains_key(*algorithm))
        .unwrap_or(DEFAULT)
        .to_owned()
}
