//! How far the picking of objects got.

use shardlift_core::{
    failure::Failure,
    plan::range::{Checkpoint, ListingTally},
};

/// How far the picking of objects got. It is stored as the checkpoint of the run's one range, and read by the next invocation.
pub(crate) trait Waypoint: Sized {
    /// That of a checkpoint; the beginning where there is none.
    fn read(checkpoint: Option<&Checkpoint>) -> Result<Self, Failure>;

    /// The checkpoint at this waypoint, with the counts up to it.
    fn checkpoint(&self, tally: ListingTally) -> Result<Checkpoint, Failure>;
}
