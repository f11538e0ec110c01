//! What becomes of an object whose source changed, or is gone, after it was planned.
//!
//! A source that lives changes while it is copied. Each attempt copies one version, on the condition that the source
//! still has it; when it has not, the source is looked at and the version that is there now is copied instead. So bytes of
//! two versions are never mixed, and the outcome names the version that arrived (P1, P7).
//!
//! A version that the plan names by its id never changes, and nothing takes its place: if it is gone, the object failed.

use shardlift_core::{
    failure::{Failure, FailureCode, fault::FaultKind},
    port::TargetBucket,
    run::option::OnChange,
    shard::NewerVersion,
    value::{object::ListedObject, skips::SkipReason, storage::ObjectStorage},
};

use super::{object_context::ObjectContext, planned_object::PlannedObject};

/// How many versions after the planned one are attempted. Who writes an object more often than this while it is copied
/// must pause for it to be copied.
const NEWER_VERSIONS_MAX: u32 = 5;

/// What comes after a copy that failed.
pub(super) enum AfterFailure {
    /// A copy of the version that the source has now.
    Copy(Box<PlannedObject>),
    /// Nothing: there is nothing to copy any more.
    Skip(SkipReason),
    /// The failure is the object's outcome.
    Fail(Failure),
}

/// Looks at the source of an object that could not be copied in the version of `tried`.
pub(super) async fn look<T: TargetBucket>(
    context: &ObjectContext<'_, T>,
    tried: &PlannedObject,
    failure: Failure,
) -> Result<AfterFailure, Failure> {
    let (calls, source) = (&context.calls, &tried.source);
    // A version that the plan names is meant, and no newer one; nor is it gone at the source like an object that somebody
    // deleted: the plan was promised it.
    if calls.spec.on_change == OnChange::Fail || source.version_id.is_some() {
        return Ok(AfterFailure::Fail(failure));
    }
    match failure.code {
        FailureCode::SourceMissing => return Ok(AfterFailure::Skip(SkipReason::GoneAtSource)),
        FailureCode::SourceChanged => {}
        _ => return Ok(AfterFailure::Fail(failure)),
    }
    let number = tried.newer.as_ref().map_or(0, |newer| newer.number) + 1;
    if number > NEWER_VERSIONS_MAX {
        return Ok(AfterFailure::Fail(failure.within(format_args!(
            "the source changed {number} times while it was copied"
        ))));
    }
    // Its upload could not be aborted, and the record can name one upload of an object.
    if context.uploads.get(tried.index).is_some() {
        return Ok(AfterFailure::Fail(failure));
    }
    let found = match calls.read(|| calls.target.head_source(source.into())).await {
        Ok(found) => found,
        Err(fault) if fault.kind == FaultKind::NoSuchKey => {
            return Ok(AfterFailure::Skip(SkipReason::GoneAtSource));
        }
        // Another round may find out what this one cannot.
        Err(fault) if fault.is_transient() => {
            return Ok(AfterFailure::Fail(Failure::from(fault).within(&failure)));
        }
        Err(_) => return Ok(AfterFailure::Fail(failure)),
    };
    // A HEAD does not tell whether an archived object is restored: the copy finds out.
    let storage = ObjectStorage::listed(&found.storage_class, true);
    let listed = ListedObject {
        key: source.key.clone(),
        size_bytes: found.size_bytes,
        etag: found.etag.clone(),
        modified_at: found.modified_at,
        storage,
        version_id: None,
    };
    let relative = source.key.relative_to(&calls.spec.pair.source.prefix);
    let filter = calls.spec.filters.compile()?;
    if relative.is_some_and(|relative| !filter.admits(relative, &listed)) {
        return Ok(AfterFailure::Skip(SkipReason::FilteredSince));
    }
    Ok(AfterFailure::Copy(Box::new(tried.in_version(
        NewerVersion {
            etag: found.etag,
            size_bytes: found.size_bytes,
            storage_class: calls.spec.storage_class.requested(storage),
            number,
        },
    ))))
}
