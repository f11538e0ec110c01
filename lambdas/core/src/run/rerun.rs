//! What a rerun refers to.

use serde::{Deserialize, Serialize};

use crate::{
    value::{
        id::{RunId, ShardId},
        tally::Count,
        time::Timestamp,
    },
    verify::CarriedProof,
};

/// How many shards a rerun may choose: they stand in the run's record, which every copier reads. At 10 bytes an id that
/// is 10 KB.
pub const SHARDS_CHOSEN_MAX: usize = 1_000;

/// What makes a run a rerun.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// The earlier run, whose undone objects are planned instead of what differs.
    pub of: RunId,
    /// Of the earlier run, just these shards; all of them when absent.
    pub shards: Option<Vec<ShardId>>,
    /// What is undone in shards that were not chosen, for this rerun or, where the earlier run was a rerun too, before.
    pub not_chosen: Count,
    /// Of that, what was not chosen before: the earlier run did not plan it, so a rerun of it does not do it.
    #[serde(default)]
    pub not_chosen_before: Count,
    /// Whether the earlier run held its deletions because they were beyond its limits. A rerun does not make them either.
    #[serde(default)]
    pub deletions_held: bool,
    /// The run that listed both sides: the earlier run, or, when that was a rerun too, the one that it goes back to.
    pub listed_by: RunId,
    /// When that run started. What the source got since then and is not planned here is the next run's.
    pub listed_since: Timestamp,
    /// What it vouches for because those runs did.
    #[serde(default)]
    pub carried: CarriedProof,
}

impl Rerun {
    /// The run whose rerun, of all its shards, does what was not chosen too; nothing where all was.
    #[must_use]
    pub fn rest_of(&self) -> Option<&RunId> {
        let holder = match self.not_chosen_before.objects {
            0 => &self.of,
            _ => &self.listed_by,
        };
        (self.not_chosen.objects > 0).then_some(holder)
    }
}
