//! One object in parts, from its upload to its outcome.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::missing_permission::MissingPermission,
    copy::{part_layout::PartLayout, proof::CopyWay},
    documents::receipt::TargetVersion,
    failure::{Failure, FailureCode, fault::FaultKind},
    port::{PartReceipt, TargetBucket},
    run::option::TagPolicy,
    shard::{OpenUpload, note::Note},
};

use super::{
    upload_completion::{Completed, UploadCompletion},
    upload_creation::{UploadCreation, UploadSharing},
    upload_parts::UploadParts,
};
use shardlift_worker::work::{ObjectContext, PlannedObject};

use crate::work::review::review;

/// How often an object is copied into a new upload because the one before was gone without a trace.
const UPLOADS_MAX: usize = 2;

/// Copies one object in parts.
pub(in crate::work) struct MultipartCopy<'a, T> {
    context: &'a ObjectContext<'a, T>,
    planned: &'a PlannedObject,
    layout: &'a PartLayout,
    creation: UploadCreation<'a, T>,
}

impl<'a, T: TargetBucket> MultipartCopy<'a, T> {
    /// That of this object, into the parts of `layout`.
    pub(in crate::work) fn new(
        context: &'a ObjectContext<'a, T>,
        planned: &'a PlannedObject,
        layout: &'a PartLayout,
        sharing: UploadSharing,
    ) -> Self {
        let creation = UploadCreation {
            context,
            planned,
            sharing,
        };
        Self {
            context,
            planned,
            layout,
            creation,
        }
    }

    /// Copies the object and returns the notes on it: continues the upload that the record names, or begins one. When it
    /// fails for good the upload is aborted; when another round may succeed, or the copier is dropped at its deadline, the
    /// upload stays open and recorded.
    ///
    /// # Errors
    /// Why the object cannot be copied.
    pub(in crate::work) async fn run(&self) -> Result<(TargetVersion, Vec<Note>), Failure> {
        let (context, planned) = (self.context, self.planned);
        let part_count = self.layout.part_count();
        let _permit = context.calls.gate.multipart_permit(part_count).await;
        for _ in 0..UPLOADS_MAX {
            let resumed = context.uploads.get(planned.index);
            if resumed
                .as_ref()
                .is_some_and(|upload| upload.newer != planned.newer)
            {
                return Err(Failure::invariant(
                    "an upload of another version of the object is open",
                ));
            }
            let is_new = resumed.is_none();
            let upload = match resumed {
                Some(upload) => upload,
                None => self.begin_upload().await?,
            };
            let parts = self.parts_of(&upload);
            let there = if is_new {
                Some(Vec::new())
            } else {
                parts.list().await?
            };
            let completion = UploadCompletion {
                upload: &upload,
                parts: &parts,
            };
            let ended = match there {
                Some(there) => self.copy_and_complete(&completion, there).await,
                None => completion.find_completed(upload.completing.clone()).await,
            };
            match ended {
                Ok(Some(completed)) => return self.close(&upload, completed).await,
                Ok(None) => context.uploads.closed(planned.index),
                Err(failure) => return Err(self.give_up(&upload, failure).await),
            }
        }
        Err(Failure::new(
            FailureCode::ServiceFault,
            "its upload was gone twice, and the target does not show that it was completed",
        ))
    }

    fn parts_of<'u>(&'u self, upload: &'u OpenUpload) -> UploadParts<'u, T> {
        UploadParts {
            context: self.context,
            planned: self.planned,
            layout: self.layout,
            upload_id: &upload.upload_id,
        }
    }

    /// Creates the upload of the object, and notes it.
    async fn begin_upload(&self) -> Result<OpenUpload, Failure> {
        if self.context.uploads.may_lack_some() {
            self.creation.abort_orphans().await?;
        }
        let upload = self.creation.run().await?;
        self.context.uploads.opened(upload.clone());
        Ok(upload)
    }

    /// Copies the parts that are missing and completes the upload; nothing when it is gone without a trace.
    async fn copy_and_complete(
        &self,
        completion: &UploadCompletion<'_, T>,
        there: Vec<PartReceipt>,
    ) -> Result<Option<Completed>, Failure> {
        let missing = self.layout.parts();
        match completion.parts.copy_missing(missing, there).await {
            Ok(parts) => completion.run(parts).await,
            Err(fault) if fault.kind == FaultKind::NoSuchUpload => {
                completion.find_completed(None).await
            }
            Err(fault) => Err(self.context.explain(fault, self.planned).await),
        }
    }

    /// The object is there: what is at the target, and the notes on it. Orphans that are left do not change that; the reporter sweeps again.
    async fn close(
        &self,
        upload: &OpenUpload,
        completed: Completed,
    ) -> Result<(TargetVersion, Vec<Note>), Failure> {
        self.sweep().await;
        let tagged = self.tag(upload).await;
        if let Err(failure) = &tagged
            && is_worth_another_round(failure.code)
            && self.context.uploads.may_stay_open()
        {
            // Recorded as it is, the next round finds the object complete, and its tags missing.
            return Err(failure.clone());
        }
        let closed = match tagged {
            Ok(note) => {
                let notes = self.notes(upload, &completed).await;
                notes.map(|notes| {
                    let version = self.planned.as_written(completed.receipt);
                    (version, notes.into_iter().chain(note).collect())
                })
            }
            Err(failure) => Err(failure),
        };
        // Not before there is an outcome: a record that is written meanwhile, and names no upload, would have everything
        // copied again.
        self.context.uploads.closed(self.planned.index);
        closed
    }

    /// Writes the tags that did not fit the header of the upload. Returns a note where the run does without them.
    ///
    /// # Errors
    /// Why the object, which is at the target, lacks its tags.
    async fn tag(&self, upload: &OpenUpload) -> Result<Option<Note>, Failure> {
        if !upload.is_tagged_later {
            return Ok(None);
        }
        let (context, planned) = (self.context, self.planned);
        let calls = &context.calls;
        let Some(tags) = context.tags_to_carry(planned).await? else {
            return Ok(Some(Note::TagsLeftBehind));
        };
        let put = || calls.target.put_target_tags(&planned.target_key, &tags);
        match calls.write(put).await {
            Ok(()) => Ok(None),
            Err(fault) if context.may_drop_tags(&fault) => Ok(Some(Note::TagsLeftBehind)),
            Err(fault) if fault.kind == FaultKind::NoSuchKey => Err(Failure::new(
                FailureCode::TargetConflict,
                format!("it was copied, and was gone before it got its tags: {fault}"),
            )),
            Err(fault) => Err(context.explain_with(MissingPermission::WriteTags, planned, &fault)),
        }
    }

    async fn notes(
        &self,
        upload: &OpenUpload,
        completed: &Completed,
    ) -> Result<Vec<Note>, Failure> {
        let Completed {
            receipt,
            parts_etag,
        } = completed;
        let way = CopyWay::InParts(parts_etag.as_ref());
        let mut notes = review(self.context, self.planned, receipt, way).await?;
        if upload.is_without_tags {
            notes.push(Note::TagsLeftBehind);
        }
        notes.extend(self.annotations_left_behind().await);
        Ok(notes)
    }

    /// Aborts the orphans that copiers of part shards may have created beside the upload that the record names.
    async fn sweep(&self) {
        if self.creation.sharing == UploadSharing::OneShard {
            return;
        }
        if let Err(failure) = self.creation.abort_orphans().await {
            tracing::warn!(
                { field::ERROR_CODE } = failure.code.name(),
                { field::ERROR_DETAIL } = failure.detail,
                "orphaned uploads were not aborted"
            );
        }
    }

    /// The note on annotations, which parts do not carry. One request for each object of more than 5 GiB; one that fails is
    /// a note too.
    async fn annotations_left_behind(&self) -> Option<Note> {
        let calls = &self.context.calls;
        if calls.spec.tags == TagPolicy::Ignore {
            return None;
        }
        let source = &self.planned.source;
        let look = || calls.target.has_annotations(source.into());
        match calls.read(look).await {
            Ok(has_annotations) => has_annotations.then_some(Note::AnnotationsLeftBehind),
            Err(fault) => {
                tracing::warn!(
                    { field::AWS_OPERATION } = fault.operation,
                    { field::ERROR_DETAIL } = %fault,
                    "whether there are annotations is unknown"
                );
                Some(Note::AnnotationsUnknown)
            }
        }
    }

    /// What becomes of the upload of an object that failed. If another round may copy it, the upload stays open and
    /// recorded, with every part that is there; the reporter aborts it if the run ends without (P8). Otherwise it is
    /// aborted, and one that cannot be stays recorded, so that the reporter tries again and reports it.
    async fn give_up(&self, upload: &OpenUpload, failure: Failure) -> Failure {
        let (calls, uploads) = (&self.context.calls, &self.context.uploads);
        if is_worth_another_round(failure.code) && uploads.may_stay_open() {
            return failure;
        }
        let (target_key, upload_id) = (&self.planned.target_key, &upload.upload_id);
        let aborted = calls
            .read(|| calls.target.abort_upload(target_key, upload_id))
            .await;
        let failure = match aborted {
            Ok(()) => {
                uploads.closed(self.planned.index);
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
        self.sweep().await;
        failure
    }
}

/// Whether nothing is wrong with the object itself, so that the parts which are there are worth keeping.
fn is_worth_another_round(code: FailureCode) -> bool {
    matches!(code, FailureCode::Throttled | FailureCode::ServiceFault)
}
