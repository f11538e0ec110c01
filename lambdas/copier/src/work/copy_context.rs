//! What the copies of a shard share.

use std::sync::Arc;

use shardlift_core::{
    access::missing_permission::MissingPermission,
    copy::proof::{self, Comparison, CopyWay},
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::{CopyReceipt, CopySource, ObjectAttributes, TargetBucket},
    run::option::{TagPolicy, Verify},
    shard::note::Note,
    value::object::ETag,
};

use super::{
    denials::{Denials, Finding},
    planned_object::PlannedObject,
    target_calls::TargetCalls,
};
use crate::session::OpenUploads;

/// The calls of a copy, what was found out about refused ones, and the uploads of the shard.
pub(crate) struct CopyContext<'a, T> {
    pub(super) calls: TargetCalls<'a, T>,
    pub(super) uploads: Arc<OpenUploads>,
    denials: Denials,
}

impl<'a, T: TargetBucket> CopyContext<'a, T> {
    /// That of a shard whose uploads these are.
    pub(crate) fn new(calls: TargetCalls<'a, T>, uploads: Arc<OpenUploads>) -> Self {
        Self {
            calls,
            uploads,
            denials: Denials::default(),
        }
    }

    /// The notes on a finished copy in parts. A HEAD that fails shows nothing.
    pub(super) async fn review(
        &self,
        planned: &PlannedObject,
        receipt: &CopyReceipt,
        way: CopyWay<'_>,
    ) -> Result<Vec<Note>, Failure> {
        let head = self
            .calls
            .read(|| self.calls.target.head_source((&planned.source).into()));
        let at_source = Box::pin(head).await.ok();
        self.judge(planned, at_source.as_ref(), receipt, way)
    }

    /// The notes on a finished copy, as far as a HEAD of the source shows them: how it is proven, when the run asks for
    /// that, and what changed.
    pub(super) fn judge(
        &self,
        planned: &PlannedObject,
        at_source: Option<&ObjectAttributes>,
        receipt: &CopyReceipt,
        way: CopyWay<'_>,
    ) -> Result<Vec<Note>, Failure> {
        let is_proof_wanted = self.calls.spec.verify == Verify::Checksum;
        let Some(at_source) = at_source else {
            let unproven = is_proof_wanted.then_some(Note::Unproven);
            return Ok(unproven.into_iter().collect());
        };
        let mut notes = Vec::new();
        let is_review_wanted = is_proof_wanted || way != CopyWay::Single;
        if is_review_wanted && proof::changes_checksum(&planned.source, at_source, receipt) {
            notes.push(Note::ChecksumChanged);
        }
        if is_proof_wanted {
            match proof::compare(&planned.source, at_source, receipt, way) {
                Comparison::Noted(note) => notes.push(note),
                Comparison::Different => return Err(different(at_source, receipt)),
            }
        }
        Ok(notes)
    }

    /// Whether a refused call may be one because of the tags, and the run does without these then. S3 refuses tags for
    /// their rights, their form or their size.
    pub(super) fn may_drop_tags(&self, fault: &CallFault) -> bool {
        matches!(fault.kind, FaultKind::AccessDenied | FaultKind::Rejected)
            && self.calls.spec.tags == TagPolicy::BestEffort
    }

    /// What a call of copying that failed for good means for its object.
    pub(super) async fn explain(&self, fault: CallFault, planned: &PlannedObject) -> Failure {
        match fault.kind {
            FaultKind::ConditionFailed => self.explain_condition(&fault, planned).await,
            FaultKind::NoSuchKey => source_missing(&planned.source, &fault),
            FaultKind::AccessDenied => {
                let source = (&planned.source).into();
                match self.denials.find(&self.calls, source, &fault).await {
                    Finding::SourceMissing => source_missing(&planned.source, &fault),
                    Finding::Missing(permission) => self.denied(permission, planned, &fault),
                }
            }
            _ => fault.into(),
        }
    }

    /// What a failed call means that needs one `permission` alone.
    pub(super) fn explain_with(
        &self,
        permission: MissingPermission,
        planned: &PlannedObject,
        fault: &CallFault,
    ) -> Failure {
        if fault.kind == FaultKind::AccessDenied {
            self.denied(permission, planned, fault)
        } else {
            fault.clone().into()
        }
    }

    fn denied(
        &self,
        permission: MissingPermission,
        planned: &PlannedObject,
        fault: &CallFault,
    ) -> Failure {
        permission
            .denial(self.calls.spec, &planned.source.key, &planned.target_key)
            .into_failure(fault)
    }

    /// A condition on the source and one on the target fail with the same response: the source shows which it was.
    async fn explain_condition(&self, fault: &CallFault, planned: &PlannedObject) -> Failure {
        let source = &planned.source;
        let head = || self.calls.target.head_source(source.into());
        match self.calls.read(head).await {
            Ok(found) if found.etag == source.etag && found.size_bytes == source.size_bytes => {
                Failure::new(
                    FailureCode::TargetConflict,
                    format!(
                        "the source is the planned version, so the target refused the write: {fault}"
                    ),
                )
            }
            Ok(found) => source_changed(source, &found.etag, found.size_bytes),
            Err(read) if read.kind == FaultKind::NoSuchKey => source_missing(source, &read),
            // Another round may find out what this one cannot.
            Err(read) if read.is_transient() => Failure::from(read).within(fault),
            Err(read) => Failure::new(
                FailureCode::SourceChanged,
                format!("{fault}; the source could not be read to see its new version: {read}"),
            ),
        }
    }
}

/// The failure of an object that is another version than the planned one (P7).
pub(super) fn source_changed(planned: &CopySource, found_etag: &ETag, found_bytes: u64) -> Failure {
    Failure::new(
        FailureCode::SourceChanged,
        format!(
            "planned with ETag {} and {} bytes, found with ETag {found_etag} and {found_bytes} bytes",
            planned.etag, planned.size_bytes
        ),
    )
}

fn source_missing(planned: &CopySource, fault: &CallFault) -> Failure {
    let detail = match &planned.version_id {
        Some(version_id) => format!(
            "its version {version_id} was planned and is gone at the source, removed by its id or by a lifecycle rule: {fault}"
        ),
        None => format!("it was planned and is gone at the source: {fault}"),
    };
    Failure::new(FailureCode::SourceMissing, detail)
}

fn different(at_source: &ObjectAttributes, receipt: &CopyReceipt) -> Failure {
    Failure::new(
        FailureCode::IntegrityMismatch,
        format!(
            "the source has the checksums {:?}, the copy {:?}",
            at_source.checksums, receipt.checksums
        ),
    )
}
