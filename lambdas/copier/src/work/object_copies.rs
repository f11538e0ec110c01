//! The objects of a shard, each copied on its own.

use shardlift_core::{
    copy::method::CopyMethod,
    documents::manifest::Manifest,
    documents::receipt::TargetVersion,
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
    copy_context::CopyContext,
    multipart::{MultipartCopy, UploadSharing},
    object_work::ObjectWork,
    planned_object::PlannedObject,
    single_copy::SingleCopy,
    source_changes::{self, AfterFailure},
};

/// Copies the objects of a manifest.
pub(crate) struct ObjectCopies<'a, T> {
    pub(crate) context: CopyContext<'a, T>,
    pub(crate) manifest: &'a Manifest,
    pub(crate) sharing: UploadSharing,
}

impl<T: TargetBucket> ObjectWork for ObjectCopies<'_, T> {
    const OBJECTS_PER_STEP: usize = 1;
    const STEPS_IN_FLIGHT_MAX: usize = 512;
    type Outcomes = Option<(u32, ObjectOutcome)>;

    async fn take_step(&self, indices: &[u32]) -> Result<Self::Outcomes, Failure> {
        let Some(&index) = indices.first() else {
            return Ok(None);
        };
        let object = &self.manifest.objects[index as usize];
        match self.copy(index, object).await {
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

impl<T: TargetBucket> ObjectCopies<'_, T> {
    fn skips_archived(&self) -> bool {
        self.context.calls.spec.archived == ArchivedPolicy::Skip
    }

    /// Copies the object in the planned version, or else in the one that the source has now.
    async fn copy(&self, index: u32, object: &ListedObject) -> Result<ObjectOutcome, Failure> {
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
            let failure = match self.copy_version(&version).await {
                Ok((at_target, notes)) => {
                    let newer = arrived(version, object);
                    return Ok(ObjectOutcome::Copied(at_target, CopyNotes { notes, newer }));
                }
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

    /// Copies one version: the newest may be smaller or larger than the planned one, so each has its own way.
    async fn copy_version(
        &self,
        planned: &PlannedObject,
    ) -> Result<(TargetVersion, Vec<Note>), Failure> {
        let (context, spec) = (&self.context, self.context.calls.spec);
        let method = CopyMethod::choose(
            planned.source.size_bytes,
            spec.multipart_threshold_bytes,
            spec.part_bytes,
        )
        .map_err(|too_large| Failure::new(FailureCode::ObjectUnsupported, too_large.to_string()))?;
        match method {
            CopyMethod::Single => SingleCopy::new(context, planned).run().await,
            // Boxed: hundreds of objects are in flight, and hardly one of them needs this much larger state.
            CopyMethod::Multipart { layout } => {
                let copy = MultipartCopy::new(context, planned, &layout, self.sharing);
                Box::pin(copy.run()).await
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
