//! One object in parts.

use std::collections::BTreeSet;

use futures::{StreamExt, stream::FuturesUnordered};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    copy::{
        diagnosis::MissingPermission,
        lost_answer::{LostUpload, Trace},
        proof::CopyWay,
        remark::Remark,
    },
    failure::{Failure, FailureCode},
    fault::{CallFault, Effect, FaultKind},
    id::UploadId,
    key::KeyPrefix,
    object::ETag,
    part_layout::{Part, PartLayout, PartNumber},
    port::{CopyReceipt, ObjectAttributes, PartReceipt, TagSet, TargetBucket, UploadSpec},
    shard::OpenUpload,
    spec::TagPolicy,
};

use crate::{
    assembled_etag::assembled_etag,
    gate::PARTS_IN_FLIGHT_MAX,
    object_copy::{ObjectCopy, Planned, source_changed},
    retries::Retries,
};

/// How often an object is copied into a new upload because the one before was gone without a trace.
const UPLOADS_MAX: usize = 2;

/// An upload that became the object.
struct Completed {
    receipt: CopyReceipt,
    /// The ETag that follows from its parts, if one does.
    parts_etag: Option<ETag>,
}

impl<T: TargetBucket> ObjectCopy<'_, T> {
    /// Copies an object in parts: goes on with the upload that the record names, or begins one. When it fails for good the
    /// upload is aborted; when time may heal it, or the copier is dropped at its deadline, the upload stays, and stays
    /// recorded.
    pub(crate) async fn copy_in_parts(
        &self,
        planned: &Planned,
        layout: &PartLayout,
    ) -> Result<Vec<Remark>, Failure> {
        let _place = self.gate.object_in_parts(layout.part_count()).await;
        for _ in 0..UPLOADS_MAX {
            let (upload, there) = match self.uploads.get(planned.index) {
                Some(upload) => {
                    let there = self.parts_there(planned, layout, &upload).await?;
                    (upload, there)
                }
                None => (self.begin_upload(planned).await?, Some(Vec::new())),
            };
            let ended = match there {
                Some(parts) => {
                    self.copy_and_complete(planned, layout, &upload, parts)
                        .await
                }
                None => {
                    let parts_etag = upload.completing.clone();
                    self.find_completed(planned, &upload, parts_etag).await
                }
            };
            match ended {
                Ok(Some(completed)) => return self.completed(planned, &upload, completed).await,
                Ok(None) => self.uploads.closed(planned.index),
                Err(failure) => return Err(self.give_up(planned, &upload, failure).await),
            }
        }
        Err(Failure::new(
            FailureCode::ServiceFault,
            "its upload was gone twice, and the target does not show that it was completed",
        ))
    }

    /// The usable parts of a recorded upload; nothing when it is gone.
    async fn parts_there(
        &self,
        planned: &Planned,
        layout: &PartLayout,
        upload: &OpenUpload,
    ) -> Result<Option<Vec<PartReceipt>>, Failure> {
        let listed = self
            .repeat(|| {
                self.target
                    .list_parts(&planned.target_key, &upload.upload_id)
            })
            .await;
        match listed {
            Ok(parts) => {
                let usable = parts
                    .into_iter()
                    .filter(|receipt| is_of_layout(receipt, layout));
                Ok(Some(usable.collect()))
            }
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => Ok(None),
            Err(fault) => Err(self.lacking(MissingPermission::ListParts, planned, &fault)),
        }
    }

    /// Copies the parts that are missing and completes the upload; nothing when it is gone without a trace.
    async fn copy_and_complete(
        &self,
        planned: &Planned,
        layout: &PartLayout,
        upload: &OpenUpload,
        there: Vec<PartReceipt>,
    ) -> Result<Option<Completed>, Failure> {
        let copied = self
            .copy_missing(planned, layout.parts(), &upload.upload_id, there)
            .await;
        match copied {
            Ok(parts) => self.complete(planned, layout, upload, parts).await,
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => {
                self.find_completed(planned, upload, None).await
            }
            Err(fault) => Err(self.explain(fault, planned).await),
        }
    }

    /// The object is there: what there is to say of it. What is left to clean up does not change that; the reporter's sweep
    /// does it again.
    async fn completed(
        &self,
        planned: &Planned,
        upload: &OpenUpload,
        completed: Completed,
    ) -> Result<Vec<Remark>, Failure> {
        self.clean_up(planned).await;
        let remarks = self.remarks_of(planned, upload, completed).await;
        // Not before there is an outcome: a record that is written meanwhile, and names no upload, would have everything
        // copied again.
        self.uploads.closed(planned.index);
        remarks
    }

    async fn remarks_of(
        &self,
        planned: &Planned,
        upload: &OpenUpload,
        completed: Completed,
    ) -> Result<Vec<Remark>, Failure> {
        let Completed {
            receipt,
            parts_etag,
        } = completed;
        let way = CopyWay::InParts(parts_etag.as_ref());
        let mut remarks = self.look_back(planned, &receipt, way).await?;
        if upload.is_without_tags {
            remarks.push(Remark::TagsLeftBehind);
        }
        remarks.extend(self.annotations_left_behind(planned).await);
        Ok(remarks)
    }

    /// Aborts what other copiers of parts may have created beside the upload that the record names.
    async fn clean_up(&self, planned: &Planned) {
        if !self.has_part_shards {
            return;
        }
        if let Err(failure) = self.abort_unrecorded(planned).await {
            tracing::warn!(
                { field::ERROR_CODE } = failure.code.name(),
                { field::ERROR_DETAIL } = failure.detail,
                "unrecorded uploads were not aborted"
            );
        }
    }

    async fn begin_upload(&self, planned: &Planned) -> Result<OpenUpload, Failure> {
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
    async fn abort_unrecorded(&self, planned: &Planned) -> Result<(), Failure> {
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

    /// What a failed call means that needs one `permission` alone.
    pub(crate) fn lacking(
        &self,
        permission: MissingPermission,
        planned: &Planned,
        fault: &CallFault,
    ) -> Failure {
        if fault.kind == FaultKind::AccessDenied {
            let denial = permission.denial(self.spec, &planned.source.key, &planned.target_key);
            denial.into_failure(fault)
        } else {
            fault.clone().into_failure()
        }
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
            while first_fault.is_none() && in_flight.len() < PARTS_IN_FLIGHT_MAX as usize {
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
        let mut retries = Retries::new(self.gate);
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

    /// Completes the upload; nothing when it is gone without a trace. A lost answer is answered by asking again, which is
    /// idempotent; only when the upload is gone the target tells.
    async fn complete(
        &self,
        planned: &Planned,
        layout: &PartLayout,
        upload: &OpenUpload,
        mut parts: Vec<PartReceipt>,
    ) -> Result<Option<Completed>, Failure> {
        let size_bytes = planned.source.size_bytes;
        let mut relisted = false;
        let mut retries = Retries::new(self.gate);
        loop {
            let parts_etag = assembled_etag(&parts);
            self.uploads.completing(planned.index, parts_etag.clone());
            let call = self.target.complete_upload(
                &planned.target_key,
                &upload.upload_id,
                &parts,
                size_bytes,
            );
            let fault = match self.gate.write(call).await {
                Ok(receipt) => {
                    return Ok(Some(Completed {
                        receipt,
                        parts_etag,
                    }));
                }
                Err(fault) => fault,
            };
            match fault.kind {
                FaultKind::NoSuchUpload => {
                    return self.find_completed(planned, upload, parts_etag).await;
                }
                FaultKind::Rejected => {
                    match self.parts_instead(planned, layout, upload, &parts).await? {
                        Some(listed) if !relisted => {
                            parts = listed;
                            relisted = true;
                            continue;
                        }
                        _ => return Err(not_taken(&fault)),
                    }
                }
                _ => {}
            }
            match retries.delay_after(&fault) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(self.explain(fault, planned).await),
            }
        }
    }

    /// The parts that the upload has, when they are other ones than those that S3 refused to put together. A part that was
    /// copied twice because an answer was lost has two ETags under a KMS key, and the answer that came is not always that
    /// of the copy which came last.
    async fn parts_instead(
        &self,
        planned: &Planned,
        layout: &PartLayout,
        upload: &OpenUpload,
        refused: &[PartReceipt],
    ) -> Result<Option<Vec<PartReceipt>>, Failure> {
        let listed = self.parts_there(planned, layout, upload).await?;
        Ok(listed.filter(|listed| {
            listed.len() == refused.len()
                && listed
                    .iter()
                    .zip(refused)
                    .any(|(listed, refused)| listed.etag != refused.etag)
        }))
    }

    /// Whether an upload that is gone was completed: the answer that completing would have given, if the target shows it. A
    /// look that fails for now leaves the upload to the next round; one that shows nothing lets the object be copied again.
    async fn find_completed(
        &self,
        planned: &Planned,
        upload: &OpenUpload,
        parts_etag: Option<ETag>,
    ) -> Result<Option<Completed>, Failure> {
        let looked = self
            .repeat(|| self.target.head_target(&planned.target_key))
            .await;
        let Some(at_target) = seen(looked)? else {
            return Ok(None);
        };
        let looked = self
            .repeat(|| self.target.head_source(&planned.source.key))
            .await;
        let Some(at_source) = seen(looked)? else {
            return Ok(None);
        };
        let lost = LostUpload {
            planned: &planned.source,
            source: &at_source,
            storage_class: self.spec.storage_class,
            kms_key_arn: self.spec.kms_key_arn.as_ref(),
            created_at: upload.created_at,
            parts_etag: parts_etag.as_ref(),
        };
        match lost.trace(&at_target) {
            Trace::Completed => Ok(Some(Completed {
                receipt: CopyReceipt {
                    etag: at_target.etag,
                    version_id: None,
                    checksums: at_target.checksums,
                    checksum_type: at_target.checksum_type,
                },
                parts_etag,
            })),
            Trace::Foreign => Err(overwritten(&at_target)),
            Trace::Nothing => Ok(None),
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

    /// What becomes of the upload of an object that failed. If another round may copy it, the upload stays open and
    /// recorded, with every part that is there; the reporter aborts it if the run ends without (P8). Otherwise it is
    /// aborted, and one that cannot be stays recorded, so that the reporter tries again and tells.
    async fn give_up(&self, planned: &Planned, upload: &OpenUpload, failure: Failure) -> Failure {
        if is_worth_going_on(failure.code) && self.uploads.may_stay_open() {
            return failure;
        }
        let upload_id = &upload.upload_id;
        let aborted = self
            .repeat(|| self.target.abort_upload(&planned.target_key, upload_id))
            .await;
        let failure = match aborted {
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
        };
        self.clean_up(planned).await;
        failure
    }
}

/// Whether nothing is wrong with the object itself, so that the parts which are there are worth keeping.
fn is_worth_going_on(code: FailureCode) -> bool {
    matches!(code, FailureCode::Throttled | FailureCode::ServiceFault)
}

/// What a look saw; nothing when it was refused, or saw that nothing is there.
fn seen(looked: Result<ObjectAttributes, CallFault>) -> Result<Option<ObjectAttributes>, Failure> {
    match looked {
        Ok(attributes) => Ok(Some(attributes)),
        Err(fault) if fault.is_transient() => Err(fault.into_failure()),
        Err(_) => Ok(None),
    }
}

fn not_taken(fault: &CallFault) -> Failure {
    Failure::new(
        FailureCode::IntegrityMismatch,
        format!("S3 does not take the parts for the planned object: {fault}"),
    )
}

fn overwritten(found: &ObjectAttributes) -> Failure {
    Failure::new(
        FailureCode::TargetConflict,
        format!(
            "the upload is gone, and the target has an object of somebody else: ETag {}, {} bytes, written {}",
            found.etag, found.size_bytes, found.modified_at
        ),
    )
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
