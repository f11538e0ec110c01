//! The objects of a shard, of each of which something is made at the target: a copy, or a rendition.

use std::future::Future;

use shardlift_core::{
    documents::{manifest::Manifest, receipt::TargetVersion},
    failure::{Failure, FailureCode, Scope},
    port::TargetBucket,
    run::option::ArchivedPolicy,
    shard::{
        note::{ArrivedVersion, Note},
        settled_objects::{CopyNotes, ObjectOutcome},
    },
    value::{object::ListedObject, skips::SkipReason, storage::StorageClass},
};

use super::{
    object_context::ObjectContext,
    object_work::ObjectWork,
    planned_object::PlannedObject,
    source_changes::{self, AfterFailure},
};

/// What is made of one version of an object.
pub trait VersionWork<T: TargetBucket>: Sync {
    /// The most objects under way at once: it bounds the memory of those that wait for the gate.
    const STEPS_IN_FLIGHT_MAX: usize;

    /// Writes at the target what is made of this version, and of no other (P1). Doing it again writes the same.
    ///
    /// # Errors
    /// Why it cannot be made. `SourceChanged` and `SourceMissing` lead to a look at the source.
    fn take(
        &self,
        context: &ObjectContext<'_, T>,
        version: &PlannedObject,
    ) -> impl Future<Output = Result<VersionEnd, Failure>> + Send;
}

/// What became of one version of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VersionEnd {
    /// This is at the target, and this is to be said of it.
    Written(TargetVersion, Vec<Note>),
    /// Nothing is to be made of it.
    Skipped(SkipReason),
}

/// Does this work on the objects of a manifest.
pub struct ObjectVersions<'a, T, W> {
    /// What the objects share.
    pub context: ObjectContext<'a, T>,
    /// The objects.
    pub manifest: &'a Manifest,
    /// What is made of each.
    pub work: W,
}

impl<T: TargetBucket, W: VersionWork<T>> ObjectWork for ObjectVersions<'_, T, W> {
    const OBJECTS_PER_STEP: usize = 1;
    const STEPS_IN_FLIGHT_MAX: usize = W::STEPS_IN_FLIGHT_MAX;
    type Outcomes = Option<(u32, ObjectOutcome)>;

    async fn take_step(&self, indices: &[u32]) -> Result<Self::Outcomes, Failure> {
        let Some(&index) = indices.first() else {
            return Ok(None);
        };
        let object = &self.manifest.objects[index as usize];
        match self.settle(index, object).await {
            Ok(outcome) => Ok(Some((index, outcome))),
            Err(failure) if failure.code.scope() == Scope::Run => {
                Err(failure.within(format_args!("object {:?}", object.key.as_str())))
            }
            Err(failure)
                if failure.code == FailureCode::ObjectArchived && self.skips_archived() =>
            {
                Ok(Some((index, ObjectOutcome::Skipped(SkipReason::Archived))))
            }
            Err(failure) => Ok(Some((index, ObjectOutcome::Failed(failure)))),
        }
    }
}

impl<T: TargetBucket, W: VersionWork<T>> ObjectVersions<'_, T, W> {
    fn skips_archived(&self) -> bool {
        self.context.calls.spec.archived == ArchivedPolicy::Skip
    }

    /// Works on the object in the planned version, or else in the one that the source has now.
    async fn settle(&self, index: u32, object: &ListedObject) -> Result<ObjectOutcome, Failure> {
        let context = &self.context;
        // S3 would refuse a call, and says nothing that the listing did not.
        if object.storage.is_archived {
            return Err(archived(object));
        }
        let mut version = PlannedObject::new(context.calls.spec, index, object)?;
        // An upload that an earlier invocation left is of one version, and goes on with that.
        if let Some(newer) = context.uploads.get(index).and_then(|upload| upload.newer) {
            version = version.in_version(newer);
        }
        loop {
            let failure = match self.work.take(context, &version).await {
                Ok(VersionEnd::Written(at_target, notes)) => {
                    let newer = arrived(version, object);
                    return Ok(ObjectOutcome::Copied(at_target, CopyNotes { notes, newer }));
                }
                Ok(VersionEnd::Skipped(reason)) => return Ok(ObjectOutcome::Skipped(reason)),
                Err(failure) => failure,
            };
            // Boxed: hundreds of objects are in flight, and hardly one of them changes.
            match Box::pin(source_changes::look(context, &version, failure)).await? {
                AfterFailure::Copy(newer) => version = *newer,
                AfterFailure::Skip(reason) => return Ok(ObjectOutcome::Skipped(reason)),
                AfterFailure::Fail(failure) => return Err(failure),
            }
        }
    }
}

/// The version that was copied, if it is not the planned one: the source may have gone back to that.
fn arrived(version: PlannedObject, planned: &ListedObject) -> Option<ArrivedVersion> {
    let newer = version.newer?;
    let is_planned = newer.etag == planned.etag && newer.size_bytes == planned.size_bytes;
    (!is_planned).then_some(ArrivedVersion {
        etag: newer.etag,
        size_bytes: newer.size_bytes,
    })
}

fn archived(object: &ListedObject) -> Failure {
    let class = object
        .storage
        .class
        .map_or("an archive", StorageClass::name);
    Failure::new(
        FailureCode::ObjectArchived,
        format!("it was listed as {class} and not restored"),
    )
}
