//! The objects of a shard, each copied on its own.

use shardlift_core::{
    copy::method::CopyMethod,
    documents::manifest::Manifest,
    failure::{Failure, FailureCode, Scope},
    port::TargetBucket,
    shard::{note::Note, settled_objects::ObjectOutcome},
    value::object::ListedObject,
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
            Err(failure) => Ok(Some((index, ObjectOutcome::Failed(failure)))),
        }
    }
}

impl<T: TargetBucket> ObjectCopies<'_, T> {
    async fn copy(&self, index: u32, object: &ListedObject) -> Result<Vec<Note>, Failure> {
        let (context, spec) = (&self.context, self.context.calls.spec);
        let planned = PlannedObject::new(spec, index, object)?;
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
