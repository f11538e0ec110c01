//! One object in parts.

use std::collections::BTreeSet;

use futures::{StreamExt, stream::FuturesUnordered};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::diagnosis::MissingPermission,
    copy::{
        part_layout::{Part, PartLayout, PartNumber},
        proof::CopyWay,
    },
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::{PartReceipt, TargetBucket},
    run::option::TagPolicy,
    shard::{OpenUpload, note::Note},
    value::id::UploadId,
};

use crate::{
    gate::PARTS_IN_FLIGHT_MAX,
    object_copy::{ObjectCopy, Planned},
    retries::Retries,
    upload_completion::Completed,
};

/// How often an object is copied into a new upload because the one before was gone without a trace.
const UPLOADS_MAX: usize = 2;

impl<T: TargetBucket> ObjectCopy<'_, T> {
    /// Copies an object in parts: goes on with the upload that the record names, or begins one. When it fails for good the
    /// upload is aborted; when time may heal it, or the copier is dropped at its deadline, the upload stays, and stays
    /// recorded.
    pub(crate) async fn copy_in_parts(
        &self,
        planned: &Planned,
        layout: &PartLayout,
    ) -> Result<Vec<Note>, Failure> {
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
    pub(crate) async fn parts_there(
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
    ) -> Result<Vec<Note>, Failure> {
        self.clean_up(planned).await;
        let notes = self.notes_of(planned, upload, completed).await;
        // Not before there is an outcome: a record that is written meanwhile, and names no upload, would have everything
        // copied again.
        self.uploads.closed(planned.index);
        notes
    }

    async fn notes_of(
        &self,
        planned: &Planned,
        upload: &OpenUpload,
        completed: Completed,
    ) -> Result<Vec<Note>, Failure> {
        let Completed {
            receipt,
            parts_etag,
        } = completed;
        let way = CopyWay::InParts(parts_etag.as_ref());
        let mut notes = self.look_back(planned, &receipt, way).await?;
        if upload.is_without_tags {
            notes.push(Note::TagsLeftBehind);
        }
        notes.extend(self.annotations_left_behind(planned).await);
        Ok(notes)
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

    /// What there is to say of annotations, which parts do not take along. One request an object of more than 5 GiB; a
    /// look that fails shows nothing and says so.
    async fn annotations_left_behind(&self, planned: &Planned) -> Option<Note> {
        if self.spec.tags == TagPolicy::Ignore {
            return None;
        }
        let key = &planned.source.key;
        match self.repeat(|| self.target.has_annotations(key)).await {
            Ok(has_annotations) => has_annotations.then_some(Note::AnnotationsLeftBehind),
            Err(fault) => {
                tracing::warn!(
                    { field::AWS_OPERATION } = fault.operation,
                    { field::ERROR_DETAIL } = %fault,
                    "annotations could not be looked for"
                );
                Some(Note::AnnotationsUnknown)
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

/// Whether a part that is there already is the one that the layout asks for.
pub(crate) fn is_of_layout(receipt: &PartReceipt, layout: &PartLayout) -> bool {
    layout
        .part(receipt.number)
        .is_some_and(|part| receipt.size_bytes == Some(part.bytes.end() - part.bytes.start() + 1))
}
