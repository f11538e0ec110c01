//! Completing an upload, and finding out what became of one that is gone.

use shardlift_core::{
    copy::lost_response::{LostUpload, Trace},
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::{CopyReceipt, ObjectAttributes, PartReceipt, TargetBucket},
    shard::OpenUpload,
    value::object::ETag,
};

use super::{assembled_etag::assembled_etag, upload_parts::UploadParts};
use shardlift_worker::pace::BudgetedRetries;

/// An upload that became the object.
pub(super) struct Completed {
    pub(super) receipt: CopyReceipt,
    /// The ETag that follows from its parts, if one does.
    pub(super) parts_etag: Option<ETag>,
}

/// Completes one upload.
pub(super) struct UploadCompletion<'a, T> {
    pub(super) upload: &'a OpenUpload,
    pub(super) parts: &'a UploadParts<'a, T>,
}

impl<T: TargetBucket> UploadCompletion<'_, T> {
    /// Completes the upload; nothing when it is gone without a trace. After a lost response the call is retried, which is
    /// idempotent; only when the upload is gone the target shows what became of it.
    ///
    /// # Errors
    /// Why the object cannot be completed.
    pub(super) async fn run(
        &self,
        mut parts: Vec<PartReceipt>,
    ) -> Result<Option<Completed>, Failure> {
        let UploadParts {
            context, planned, ..
        } = self.parts;
        let calls = &context.calls;
        let size_bytes = planned.source.size_bytes;
        let mut is_relisted = false;
        let mut retries = BudgetedRetries::new(calls.gate);
        loop {
            let parts_etag = assembled_etag(&parts);
            context
                .uploads
                .completing(planned.index, parts_etag.clone());
            let call = calls.target.complete_upload(
                &planned.target_key,
                &self.upload.upload_id,
                &parts,
                size_bytes,
            );
            let fault = match calls.gate.write(call).await {
                Ok(receipt) => {
                    return Ok(Some(Completed {
                        receipt,
                        parts_etag,
                    }));
                }
                Err(fault) => fault,
            };
            match fault.kind {
                FaultKind::NoSuchUpload => return self.find_completed(parts_etag).await,
                FaultKind::Rejected => match self.parts_instead(&parts).await? {
                    Some(listed) if !is_relisted => {
                        parts = listed;
                        is_relisted = true;
                        continue;
                    }
                    _ => return Err(parts_refused(&fault)),
                },
                _ => {}
            }
            if !retries.back_off(&fault).await {
                return Err(context.explain(fault, planned).await);
            }
        }
    }

    /// The parts that the upload has, when they differ from those that S3 refused to assemble. A part that was copied twice
    /// because a response was lost has two ETags under a KMS key, and the response that came is not always that of the copy
    /// which came last.
    async fn parts_instead(
        &self,
        refused: &[PartReceipt],
    ) -> Result<Option<Vec<PartReceipt>>, Failure> {
        let listed = self.parts.list().await?;
        Ok(listed.filter(|listed| {
            listed.len() == refused.len()
                && listed
                    .iter()
                    .zip(refused)
                    .any(|(listed, refused)| listed.etag != refused.etag)
        }))
    }

    /// Whether an upload that is gone was completed: the receipt of its completion, if the target shows it. A read that fails
    /// for now leaves the upload to the next round; one that shows nothing lets the object be copied again.
    ///
    /// # Errors
    /// `TargetConflict` when somebody else wrote the object; why the two sides cannot be read now.
    pub(super) async fn find_completed(
        &self,
        parts_etag: Option<ETag>,
    ) -> Result<Option<Completed>, Failure> {
        let UploadParts {
            context, planned, ..
        } = self.parts;
        let calls = &context.calls;
        let head = calls.read(|| calls.target.head_target(&planned.target_key));
        let Some(at_target) = found(head.await)? else {
            return Ok(None);
        };
        let head = calls.read(|| calls.target.head_source((&planned.source).into()));
        let Some(at_source) = found(head.await)? else {
            return Ok(None);
        };
        let lost = LostUpload {
            planned: &planned.source,
            source: &at_source,
            storage_class: planned.storage_class,
            kms_key_arn: calls.spec.kms_key_arn.as_ref(),
            sse: calls.spec.sse,
            created_at: self.upload.created_at,
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
}

/// What a HEAD found; nothing when it was refused, or nothing is there.
fn found(head: Result<ObjectAttributes, CallFault>) -> Result<Option<ObjectAttributes>, Failure> {
    match head {
        Ok(attributes) => Ok(Some(attributes)),
        Err(fault) if fault.is_transient() => Err(fault.into()),
        Err(_) => Ok(None),
    }
}

fn parts_refused(fault: &CallFault) -> Failure {
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
