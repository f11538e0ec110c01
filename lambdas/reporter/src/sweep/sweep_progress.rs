//! How far the uploads of a run are swept.

use serde::{Deserialize, Serialize};
use shardlift_core::failure::Failure;

/// How far the uploads of a run are swept. It is kept between invocations, so that a run is swept once, and no manifest
/// is read twice except those that were being read when an invocation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum SweepProgress {
    /// The first so many of the shards that may have uploads, in the ledger's order, have none any more.
    UnderWay(u64),
    /// No shard has one any more.
    Done,
    /// Uploads may be left behind.
    Impossible(Failure),
}

impl Default for SweepProgress {
    fn default() -> Self {
        Self::UnderWay(0)
    }
}

impl SweepProgress {
    /// Whether nothing is left to try.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self, Self::UnderWay(_))
    }
}
