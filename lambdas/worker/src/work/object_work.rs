//! A kind of work on the objects of a shard.

use std::future::Future;

use shardlift_core::{failure::Failure, shard::settled_objects::ObjectOutcome};

/// Gives objects of a manifest their outcomes, some of them in each step. The work loop decides when a step begins.
pub trait ObjectWork: Sync {
    /// The most objects of one step.
    const OBJECTS_PER_STEP: usize;
    /// The most steps under way at once: it bounds the memory of those that wait for the gate.
    const STEPS_IN_FLIGHT_MAX: usize;
    /// The outcome of each object of a step, by its position in the manifest.
    type Outcomes: IntoIterator<Item = (u32, ObjectOutcome)> + Send;

    /// Works on the objects at these positions of the manifest. It is dropped when the deadline comes first; taking the same
    /// step again must then lead to the same outcome.
    ///
    /// # Errors
    /// Only what concerns more than these objects, for example a role that can no longer be assumed.
    fn take_step(
        &self,
        indices: &[u32],
    ) -> impl Future<Output = Result<Self::Outcomes, Failure>> + Send;
}
