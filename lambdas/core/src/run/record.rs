//! The ledger's record of a run.

use serde::{Deserialize, Serialize};

use crate::{
    plan::{ListCounts, PlannedClasses, RunEstimate},
    run::spec::RunSpec,
    value::{
        arn::{AccountId, ExecutionArn, Region},
        id::{RunId, ShardId},
        object::Encryption,
        skips::{SkipReason, SkippedCount},
        tally::{Count, RequestCounts},
        time::Timestamp,
    },
};

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RunState {
    /// The planner lists and compares.
    Planning,
    /// Every shard is in the ledger.
    Planned,
    /// The report is written.
    Reported,
}

/// Where a bucket is and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketFacts {
    /// Its Region.
    pub region: Region,
    /// The account that owns it; guards every call.
    pub owner: AccountId,
}

/// How the two sides are encrypted, as far as the trials before the run showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PairEncryption {
    /// The object of the source that was read.
    pub source_sample: Encryption,
    /// What the target gives to an object that the run writes.
    pub target: Encryption,
}

impl PairEncryption {
    /// Whether the ETags of equal objects of a single part are equal.
    #[must_use]
    pub fn keeps_digests(self) -> bool {
        [self.source_sample, self.target]
            .iter()
            .all(|side| *side == Encryption::S3Managed)
    }
}

/// The totals of a finished plan.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlanTotals {
    /// Objects and bytes to copy.
    pub planned: Count,
    /// Objects to delete at the target.
    pub deletes: u64,
    /// Objects at the target that a mirror could delete; unknown in a rerun.
    #[serde(default)]
    pub deletable: u64,
    /// Whether there are more objects to delete than the run's limits allow, so that none is deleted.
    #[serde(default)]
    pub deletes_held: bool,
    /// Objects that were already the same.
    pub same: Count,
    /// Archived objects that were left out, as the run asks.
    #[serde(default)]
    pub archived: Count,
    /// The classes of the copies.
    #[serde(default)]
    pub classes: PlannedClasses,
    /// Objects that the filters left out.
    pub filtered: Count,
    /// Objects that take part though their keys go on after the source prefix without a slash, see
    /// [`ListingTally::beside_prefix`](crate::plan::range::ListingTally::beside_prefix).
    #[serde(default)]
    pub beside_prefix: u64,
    /// In a rerun: undone objects of the earlier run that nothing is left to do about, see
    /// [`ListingTally::gone`](crate::plan::range::ListingTally::gone).
    #[serde(default)]
    pub gone: Count,
    /// Folder markers of the source prefix itself, which have no key at the target.
    #[serde(default)]
    pub root_markers: Count,
    /// What the list is made of that named the objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListCounts>,
    /// Shards.
    pub shards: u64,
    /// The shards of a run of few events, so that nobody has to look for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub few_shards: Vec<ShardId>,
    /// Requests that planning made.
    pub requests: RequestCounts,
    /// What the run is estimated to take.
    #[serde(default)]
    pub estimate: RunEstimate,
}

impl RunRecord {
    /// Whether the plan of a run of events left no object as it stood, so that there are no lists of such objects.
    #[must_use]
    pub fn keeps_nothing(&self) -> bool {
        self.spec.events.is_some() && self.totals.same.objects == 0
    }

    /// How many copiers the run has at once, where the stack allows so many.
    #[must_use]
    pub fn copiers(&self, allowed: u32) -> u32 {
        match self.totals.estimate.copiers {
            0 => allowed,
            planned => planned.min(allowed),
        }
    }

    /// How many copiers may begin at once, as far as the plan tells.
    #[must_use]
    pub fn first_copiers(&self) -> u64 {
        u64::from(self.copiers(u32::MAX)).min(self.totals.shards)
    }
}

impl PlanTotals {
    /// Objects that planning found to need nothing, by reason. They are not planned.
    #[must_use]
    pub fn skipped(&self) -> SkippedCount {
        let mut skipped = SkippedCount::default();
        skipped.add_count(SkipReason::Same, self.same);
        skipped.add_count(SkipReason::Archived, self.archived);
        skipped.add_count(SkipReason::RootMarker, self.root_markers);
        skipped
    }
}

/// The ledger's record of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// Its execution.
    pub execution_arn: ExecutionArn,
    /// When the execution started.
    pub started_at: Timestamp,
    /// What it is asked to do. Every invocation of the run works from this, not from its input.
    pub spec: RunSpec,
    /// The source bucket.
    pub source: BucketFacts,
    /// The target bucket.
    pub target: BucketFacts,
    /// How both sides are encrypted.
    #[serde(default)]
    pub encryption: PairEncryption,
    /// In a run with a transform: since when everything that runs wrote under the target prefix was made as this one makes it,
    /// see [`MadeRenditions`](crate::run::renditions::MadeRenditions).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renditions_since: Option<Timestamp>,
    /// How far it is.
    pub state: RunState,
    /// The plan's totals, once planned.
    pub totals: PlanTotals,
    /// When it can be forgotten, in seconds since the epoch (DynamoDB's TTL).
    pub expires_at: i64,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}
