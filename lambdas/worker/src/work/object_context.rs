//! What the objects of a shard share of which something is made.

use std::sync::Arc;

use shardlift_core::{
    access::missing_permission::MissingPermission,
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::{CopySource, TagSet, TargetBucket},
    run::option::TagPolicy,
    value::object::ETag,
};

use super::{
    denials::{Denials, Finding},
    planned_object::PlannedObject,
    target_calls::TargetCalls,
};
use crate::session::OpenUploads;

/// The calls that are made for an object, what was found out about refused ones, and the uploads of the shard.
pub struct ObjectContext<'a, T> {
    /// The calls.
    pub calls: TargetCalls<'a, T>,
    /// The multipart uploads of the shard.
    pub uploads: Arc<OpenUploads>,
    denials: Denials,
}

impl<'a, T: TargetBucket> ObjectContext<'a, T> {
    /// That of a shard whose uploads these are.
    pub fn new(calls: TargetCalls<'a, T>, uploads: Arc<OpenUploads>) -> Self {
        Self {
            calls,
            uploads,
            denials: Denials::default(),
        }
    }

    /// The source's tags; nothing when they were refused and the run does without.
    ///
    /// # Errors
    /// Why they cannot be read.
    pub async fn tags_to_carry(&self, planned: &PlannedObject) -> Result<Option<TagSet>, Failure> {
        let calls = &self.calls;
        if calls.spec.tags == TagPolicy::Ignore {
            return Ok(Some(TagSet::new()));
        }
        let source = &planned.source;
        match calls.read(|| calls.target.source_tags(source.into())).await {
            Ok(tags) => Ok(Some(tags)),
            Err(fault) if self.may_drop_tags(&fault) => Ok(None),
            Err(fault) => Err(self.explain(fault, planned).await),
        }
    }

    /// Whether a refused call may be one because of the tags, and the run does without these then. S3 refuses tags for
    /// their rights, their form or their size.
    pub fn may_drop_tags(&self, fault: &CallFault) -> bool {
        matches!(fault.kind, FaultKind::AccessDenied | FaultKind::Rejected)
            && self.calls.spec.tags == TagPolicy::BestEffort
    }

    /// What a call that failed for good means for its object.
    pub async fn explain(&self, fault: CallFault, planned: &PlannedObject) -> Failure {
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
            FaultKind::Rejected => self.explain_rejected(fault, planned).await,
            _ => fault.into(),
        }
    }

    /// What a failed call means that needs one `permission` alone.
    pub fn explain_with(
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

    /// S3 rejects the id of a delete marker, and one that it never gave, with the same status as a wrong request: a look at the
    /// version shows which it was.
    async fn explain_rejected(&self, fault: CallFault, planned: &PlannedObject) -> Failure {
        let source = &planned.source;
        let Some(version_id) = &source.version_id else {
            return fault.into();
        };
        let head = || self.calls.target.head_source(source.into());
        match self.calls.read(head).await {
            Err(read) if read.kind == FaultKind::Rejected => Failure::new(
                FailureCode::SourceMissing,
                format!(
                    "its version {version_id} was planned and is no version that can be read: a list names the id of a delete marker, or one that S3 never gave: {fault}"
                ),
            ),
            _ => fault.into(),
        }
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
pub fn source_changed(planned: &CopySource, found_etag: &ETag, found_bytes: u64) -> Failure {
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
            "its version {version_id} was planned and is not at the source: it was removed, by its id or by a lifecycle rule, or a list names a version that never was: {fault}"
        ),
        None => format!("it was planned and is gone at the source: {fault}"),
    };
    Failure::new(FailureCode::SourceMissing, detail)
}
