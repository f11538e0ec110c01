//! How the planning of one invocation ended.

use shardlift_core::shard::ShardRecord;

/// How the planning of one invocation ended.
#[derive(Debug, PartialEq)]
pub(crate) enum InvocationEnd {
    /// Every range is done.
    Complete {
        /// Manifests written by this invocation.
        manifests: u64,
        /// The shards of a small plan that this invocation made alone, from its beginning.
        few_shards: Option<Vec<ShardRecord>>,
    },
    /// The deadline is near; everything merged is written.
    Yielded {
        /// Manifests written by this invocation.
        manifests: u64,
    },
    /// Another invocation wrote to the same ranges.
    Superseded,
}
