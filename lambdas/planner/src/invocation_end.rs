//! How the planning of one invocation ended.

use shardlift_core::{plan::range::RangeRecord, shard::ShardRecord};

/// Everything that the ledger has of a small plan, so that nobody has to look for it.
#[derive(Debug, PartialEq)]
pub(crate) struct SmallPlan {
    /// Its one range, which is done.
    pub(crate) range: RangeRecord,
    /// Its shards.
    pub(crate) shards: Vec<ShardRecord>,
}

/// How the planning of one invocation ended.
#[derive(Debug, PartialEq)]
pub(crate) enum InvocationEnd {
    /// Every range is done.
    Complete {
        /// Manifests written by this invocation.
        manifests: u64,
        /// A small plan that this invocation made alone, from its beginning.
        small: Option<Box<SmallPlan>>,
    },
    /// The deadline is near; everything merged is written.
    Yielded {
        /// Manifests written by this invocation.
        manifests: u64,
    },
    /// Another invocation wrote to the same ranges.
    Superseded,
}
