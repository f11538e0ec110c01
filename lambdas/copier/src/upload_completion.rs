//! Completing an upload, and finding out what became of one whose answer was lost.

use shardlift_core::{
    copy::{
        lost_response::{LostUpload, Trace},
        part_layout::PartLayout,
    },
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::{CopyReceipt, ObjectAttributes, PartReceipt, TargetBucket},
    shard::OpenUpload,
    value::object::ETag,
};

use crate::{
    assembled_etag::assembled_etag,
    object_copy::{ObjectCopy, Planned},
    retries::Retries,
};

/// An upload that became the object.
pub(crate) struct Completed {
    pub(crate) receipt: CopyReceipt,
    /// The ETag that follows from its parts, if one does.
    pub(crate) parts_etag: Option<ETag>,
}

impl<T: TargetBucket> ObjectCopy<'_, T> {
    /// Completes the upload; nothing when it is gone without a trace. A lost answer is answered by asking again, which is
    /// idempotent; only when the upload is gone the target tells.
    pub(crate) async fn complete(
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
    pub(crate) async fn find_completed(
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
