//! The shards of a run in its report.

use serde::{Deserialize, Serialize};

use crate::value::id::ShardId;

/// The shards of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShardSummary {
    /// All of them.
    pub total: u64,
    /// Those in which every object has an outcome.
    pub done: u64,
    /// The others: at most [`NOT_DONE_SHOWN_MAX`] of them; `shards.json` has all.
    pub not_done: Vec<ShardId>,
}

/// How many ids of unfinished shards the report carries, so that it fits a notification.
pub const NOT_DONE_SHOWN_MAX: usize = 100;
