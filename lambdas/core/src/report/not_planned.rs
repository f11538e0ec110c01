//! What a rerun leaves out.

use serde::{Deserialize, Serialize};

use crate::value::tally::Count;

/// What the earlier run left undone and its rerun did not plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotPlanned {
    /// Nothing is left to do: gone from the source or, for a deletion, gone from the target or back at the source.
    pub gone: Count,
    /// Changed since, and now excluded by the filters.
    pub filtered: Count,
    /// In shards that were not chosen, for this rerun or for one that it is a rerun of.
    pub not_chosen: Count,
}
