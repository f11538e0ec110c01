//! The objects of a shard, each copied on its own.

use shardlift_core::{
    copy::method::CopyMethod,
    failure::{Failure, FailureCode},
    port::TargetBucket,
};
use shardlift_worker::work::{ObjectContext, PlannedObject, VersionEnd, VersionWork};

use super::{
    multipart::{MultipartCopy, UploadSharing},
    single_copy::SingleCopy,
};

/// Copies objects.
pub(crate) struct Copies {
    pub(crate) sharing: UploadSharing,
}

impl<T: TargetBucket> VersionWork<T> for Copies {
    const STEPS_IN_FLIGHT_MAX: usize = 512;

    /// The newest version may be smaller or larger than the planned one, so each has its own way.
    async fn take(
        &self,
        context: &ObjectContext<'_, T>,
        planned: &PlannedObject,
    ) -> Result<VersionEnd, Failure> {
        let spec = context.calls.spec;
        let method = CopyMethod::choose(
            planned.source.size_bytes,
            spec.multipart_threshold_bytes,
            spec.part_bytes,
        )
        .map_err(|too_large| Failure::new(FailureCode::ObjectUnsupported, too_large.to_string()))?;
        let (version, notes) = match method {
            CopyMethod::Single => SingleCopy::new(context, planned).run().await?,
            // Boxed: hundreds of objects are in flight, and hardly one of them needs this much larger state.
            CopyMethod::Multipart { layout } => {
                let copy = MultipartCopy::new(context, planned, &layout, self.sharing);
                Box::pin(copy.run()).await?
            }
        };
        Ok(VersionEnd::Written(version, notes))
    }
}
