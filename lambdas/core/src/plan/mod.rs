//! Planning: listings of both sides become the list of what is to be done, cut into shards.
//!
//! A [`RangeWalk`] takes the pages of one range from both sides and merges them as they stream; it gives [`Chunk`]s,
//! small stretches of the range with what is planned in them. The [`Packer`] puts chunks of all ranges together to
//! [`ShardDraft`]s, which the planner writes to the ledger in one transaction with the ranges that they account for.
//! Nothing here waits or calls: memory is bounded by pages and chunks, never by the number of keys.

mod chunk;
pub mod compare;
mod copy_effort;
mod estimate;
mod lister_count;
mod packer;
pub mod range;
pub mod rerun;
pub(crate) mod side_listing;
pub mod split;
mod walk;

pub use chunk::{Chunk, PlannedWork, ShardBounds};
pub use copy_effort::CopyEffort;
pub use estimate::{EstimateBasis, RunEstimate};
pub use lister_count::ListerCount;
pub use packer::{Packer, ShardDraft};
pub use walk::{RangeWalk, WalkRules};
