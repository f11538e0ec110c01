//! One object in parts.

use std::collections::BTreeSet;

use futures::{StreamExt, stream::FuturesUnordered};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    copy::{proof, remark::Remark},
    failure::{Failure, FailureCode},
    fault::{CallFault, Effect, FaultKind},
    id::UploadId,
    key::{KeyPrefix, ObjectKey},
    object::ETag,
    part_layout::{Part, PartLayout, PartNumber},
    port::{CopyReceipt, ObjectAttributes, PartReceipt, TagSet, TargetBucket, UploadSpec},
    shard::OpenUpload,
    spec::TagPolicy,
};

use crate::{
    assembled_etag::assembled_etag,
    object_copy::{ObjectCopy, Planned, source_changed},
    retries::Retries,
};

/// Parts of one object in flight. The gate bounds the calls of all objects together.
const PARTS_IN_FLIGHT_MAX: usize = 64;

impl<T: TargetBucket> ObjectCopy<'_, T> {
    /// Copies an object in parts: goes on with the upload that the record names, or begins one. When it fails the
    /// upload is aborted; when the copier is dropped at its deadline the upload stays, and stays recorded.
    pub(crate) async fn copy_in_parts(
        &self,
        planned: &Planned,
        layout: &PartLayout,
    ) -> Result<Vec<Remark>, Failure> {
        let _place = self.gate.object_in_parts().await;
        let (upload, parts_there) = match self.resumed_upload(planned, layout).await? {
            Some(resumed) => resumed,
            None => (self.begin_upload(planned).await?, Vec::new()),
        };
        let completed = match self
            .copy_missing(planned, layout.parts(), &upload.upload_id, parts_there)
            .await
        {
            Ok(parts) => self.complete(planned, &upload.upload_id, &parts).await,
            Err(fault) => Err(self.explain(fault, planned).await),
        };
        if completed.is_ok() {
            self.uploads.closed(planned.index);
        }
        if self.has_part_shards {
            self.abort_unrecorded(&planned.target_key).await?;
        }
        match completed {
            Ok(mut remarks) => {
                if upload.is_without_tags {
                    remarks.push(Remark::TagsLeftBehind);
                }
                remarks.extend(self.annotations_left_behind(planned).await);
                Ok(remarks)
            }
            Err(failure) => Err(self.give_up(planned, &upload.upload_id, failure).await),
        }
    }

    /// The recorded upload and its usable parts. One that is gone was completed or aborted by a copier that could not
    /// say so any more: the object is then copied again, which is always right.
    async fn resumed_upload(
        &self,
        planned: &Planned,
        layout: &PartLayout,
    ) -> Result<Option<(OpenUpload, Vec<PartReceipt>)>, Failure> {
        let Some(upload) = self.uploads.get(planned.index) else {
            return Ok(None);
        };
        match self
            .repeat(|| {
                self.target
                    .list_parts(&planned.target_key, &upload.upload_id)
            })
            .await
        {
            Ok(parts) => {
                let usable = parts
                    .into_iter()
                    .filter(|receipt| is_of_layout(receipt, layout))
                    .collect();
                Ok(Some((upload, usable)))
            }
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => {
                self.uploads.closed(planned.index);
                Ok(None)
            }
            Err(fault) => Err(fault.into_failure()),
        }
    }

    async fn begin_upload(&self, planned: &Planned) -> Result<OpenUpload, Failure> {
        if self.is_resumed {
            self.abort_unrecorded(&planned.target_key).await?;
        }
        let upload = self.create_upload(planned).await?;
        self.uploads.opened(upload.clone());
        Ok(upload)
    }

    /// Creates an upload that carries what CopyObject would carry.
    pub(crate) async fn create_upload(&self, planned: &Planned) -> Result<OpenUpload, Failure> {
        let (mut upload, mut is_without_tags) = self.upload_spec(planned).await?;
        let mut retries = Retries::default();
        loop {
            let fault = match self.gate.write(self.target.create_upload(&upload)).await {
                Ok(created) => {
                    return Ok(OpenUpload {
                        index: planned.index,
                        upload_id: created.id,
                        is_without_tags,
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
                self.abort_unrecorded(&planned.target_key).await?;
            }
            match retries.delay_after(&fault) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(self.explain(fault, planned).await),
            }
        }
    }

    /// Aborts uploads to this key that nobody recorded: created by a copier that died, or by a call whose answer was
    /// lost. The run owns the key: the lock keeps other runs away, and other writers are no part of the promise.
    async fn abort_unrecorded(&self, target_key: &ObjectKey) -> Result<(), Failure> {
        let prefix = KeyPrefix::new(target_key.as_str())
            .map_err(|invalid| Failure::invariant(invalid.to_string()))?;
        let found = self
            .repeat(|| self.target.list_uploads(&prefix))
            .await
            .map_err(CallFault::into_failure)?;
        for (key, upload_id) in found {
            if key == *target_key {
                self.repeat(|| self.target.abort_upload(&key, &upload_id))
                    .await
                    .map_err(CallFault::into_failure)?;
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

    /// Copies those of `parts` that are not there yet, and returns the receipts of all. After the first failure no more
    /// are begun, and those in flight end first: a part that lands after the abort would keep the upload alive.
    pub(crate) async fn copy_missing(
        &self,
        planned: &Planned,
        parts: impl Iterator<Item = Part> + Send,
        upload_id: &UploadId,
        mut receipts: Vec<PartReceipt>,
    ) -> Result<Vec<PartReceipt>, CallFault> {
        let there: BTreeSet<PartNumber> = receipts.iter().map(|receipt| receipt.number).collect();
        let mut missing = parts.filter(move |part| !there.contains(&part.number));
        let mut in_flight = FuturesUnordered::new();
        let mut first_fault = None;
        loop {
            while first_fault.is_none() && in_flight.len() < PARTS_IN_FLIGHT_MAX {
                match missing.next() {
                    Some(part) => in_flight.push(self.copy_part(planned, upload_id, part)),
                    None => break,
                }
            }
            match in_flight.next().await {
                None => break,
                Some(Ok(receipt)) => receipts.push(receipt),
                Some(Err(fault)) => {
                    first_fault.get_or_insert(fault);
                }
            }
        }
        receipts.sort_by_key(|receipt| receipt.number);
        first_fault.map_or(Ok(receipts), Err)
    }

    async fn copy_part(
        &self,
        planned: &Planned,
        upload_id: &UploadId,
        part: Part,
    ) -> Result<PartReceipt, CallFault> {
        let mut retries = Retries::default();
        loop {
            let call =
                self.target
                    .copy_part(&planned.source, &planned.target_key, upload_id, &part);
            let fault = match self.gate.write(call).await {
                Ok(receipt) => return Ok(receipt),
                Err(fault) => fault,
            };
            // A part whose answer was lost is copied again: the same part, and an answer that can be relied on.
            match retries.delay_after(&fault) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            }
        }
    }

    /// Completes the upload; after a lost answer the target tells whether that happened.
    async fn complete(
        &self,
        planned: &Planned,
        upload_id: &UploadId,
        parts: &[PartReceipt],
    ) -> Result<Vec<Remark>, Failure> {
        let expected = assembled_etag(parts);
        let size_bytes = planned.source.size_bytes;
        let mut retries = Retries::default();
        loop {
            let call =
                self.target
                    .complete_upload(&planned.target_key, upload_id, parts, size_bytes);
            let fault = match self.gate.write(call).await {
                Ok(receipt) => {
                    let proof = self.prove(planned, &receipt, expected.as_ref()).await?;
                    return Ok(proof.into_iter().collect());
                }
                Err(fault) => fault,
            };
            let is_doubtful =
                fault.effect == Effect::Unknown || fault.kind == FaultKind::NoSuchUpload;
            if is_doubtful
                && let Some(receipt) = self.found_completed(planned, expected.as_ref()).await
            {
                let proof = self.prove(planned, &receipt, expected.as_ref()).await?;
                return Ok(proof.into_iter().collect());
            }
            match retries.delay_after(&fault) {
                Some(delay) => tokio::time::sleep(delay).await,
                None if fault.kind == FaultKind::Rejected => {
                    return Err(Failure::new(
                        FailureCode::IntegrityMismatch,
                        format!("S3 does not take the parts for the planned object: {fault}"),
                    ));
                }
                None => return Err(self.explain(fault, planned).await),
            }
        }
    }

    /// What there is to say of annotations, which parts do not take along. One request an object of more than 5 GiB; a
    /// look that fails shows nothing and says so.
    async fn annotations_left_behind(&self, planned: &Planned) -> Option<Remark> {
        if self.spec.tags == TagPolicy::Ignore {
            return None;
        }
        let key = &planned.source.key;
        match self.repeat(|| self.target.has_annotations(key)).await {
            Ok(has_annotations) => has_annotations.then_some(Remark::AnnotationsLeftBehind),
            Err(fault) => {
                tracing::warn!(
                    { field::AWS_OPERATION } = fault.operation,
                    { field::ERROR_DETAIL } = %fault,
                    "annotations could not be looked for"
                );
                Some(Remark::AnnotationsUnknown)
            }
        }
    }

    /// The answer that completing would have given, if the target shows that it took effect.
    async fn found_completed(
        &self,
        planned: &Planned,
        expected: Option<&ETag>,
    ) -> Option<CopyReceipt> {
        let found = self
            .repeat(|| self.target.head_target(&planned.target_key))
            .await
            .ok()?;
        proof::is_completed(expected?, planned.source.size_bytes, &found).then_some(CopyReceipt {
            etag: found.etag,
            version_id: None,
            checksums: found.checksums,
        })
    }

    /// Aborts the upload of an object that failed. An upload that cannot be aborted stays recorded, so that the
    /// reporter tries again and tells (P8).
    async fn give_up(&self, planned: &Planned, upload_id: &UploadId, failure: Failure) -> Failure {
        let aborted = self
            .repeat(|| self.target.abort_upload(&planned.target_key, upload_id))
            .await;
        match aborted {
            Ok(()) => {
                self.uploads.closed(planned.index);
                failure
            }
            Err(fault) => Failure::new(
                failure.code,
                format!(
                    "{}; its upload {upload_id} is still open: {fault}",
                    failure.detail
                ),
            ),
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

/// Whether a part that is there already is the one that the layout asks for.
pub(crate) fn is_of_layout(receipt: &PartReceipt, layout: &PartLayout) -> bool {
    layout
        .part(receipt.number)
        .is_some_and(|part| receipt.size_bytes == Some(part.bytes.end() - part.bytes.start() + 1))
}
