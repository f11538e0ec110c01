//! The objects of a shard, each copied on its own.

use shardlift_core::{
    copy::method::CopyMethod,
    documents::manifest::Manifest,
    failure::{Failure, FailureCode, Scope},
    port::TargetBucket,
    run::option::ArchivedPolicy,
    shard::{note::Note, settled_objects::ObjectOutcome},
    value::{object::ListedObject, storage::StorageClass},
};

use super::{
    copy_context::CopyContext,
    multipart::{MultipartCopy, UploadSharing},
    object_work::ObjectWork,
    planned_object::PlannedObject,
    single_copy::SingleCopy,
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
            Ok(notes) => Ok(Some((index, ObjectOutcome::Copied(notes)))),
            Err(failure) if failure.code.scope() == Scope::Run => {
                Err(failure.within(format_args!("object {:?}", object.key.as_str())))
            }
            Err(failure)
                if failure.code == FailureCode::ObjectArchived && self.skips_archived() =>
            {
                Ok(Some((index, ObjectOutcome::Archived)))
            }
            Err(failure) => Ok(Some((index, ObjectOutcome::Failed(failure)))),
        }
    }
}

impl<T: TargetBucket> ObjectCopies<'_, T> {
    fn skips_archived(&self) -> bool {
        self.context.calls.spec.archived == ArchivedPolicy::Skip
    }

    async fn copy(&self, index: u32, object: &ListedObject) -> Result<Vec<Note>, Failure> {
        let (context, spec) = (&self.context, self.context.calls.spec);
        let planned = PlannedObject::new(spec, index, object)?;
        // S3 would refuse a call, and says nothing that the listing did not.
        if object.storage.is_archived {
            return Err(archived(object));
        }
        let method = CopyMethod::choose(
            object.size_bytes,
            spec.multipart_threshold_bytes,
            spec.part_bytes,
        )
        .map_err(|too_large| Failure::new(FailureCode::ObjectUnsupported, too_large.to_string()))?;
        match method {
            CopyMethod::Single => SingleCopy::new(context, &planned).run().await,
            // Boxed: hundreds of objects are in flight, and hardly one of them needs this much larger state.
            CopyMethod::Multipart { layout } => {
                let copy = MultipartCopy::new(context, &planned, &layout, self.sharing);
                Box::pin(copy.run()).await
            }
        }
    }
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
