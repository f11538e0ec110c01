//! The account of a run: `report.json`, and the JSON part of the notification.

use serde::{Deserialize, Serialize};

use crate::{
    bucket::BucketName,
    id::{RunId, ShardId},
    spec::{Mode, Verify},
    tally::{Count, FailedCount, RequestCounts},
    time::{Timestamp, rfc3339},
};

/// The version of the report.
pub const REPORT_VERSION: u32 = 1;

/// The word that users trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Every planned object is at the target, and whatever verification was asked for agreed.
    Complete,
    /// Something is missing, different or unproven.
    Incomplete,
    /// A dry run: the plan is made, nothing was copied.
    Planned,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Complete => "COMPLETE",
            Self::Incomplete => "INCOMPLETE",
            Self::Planned => "PLANNED",
        })
    }
}

/// The account of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`REPORT_VERSION`].
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The verdict.
    pub verdict: Verdict,
    /// The mode; absent when the run was refused before it was settled.
    pub mode: Option<Mode>,
    /// What was to be copied.
    pub planned: Count,
    /// What was copied.
    pub copied: Count,
    /// What needed no copy, objects that were already the same included.
    pub skipped: Count,
    /// What was deleted at the target.
    pub deleted: DeletedCount,
    /// What failed.
    pub failed: FailedCount,
    /// The shards.
    pub shards: ShardSummary,
    /// How many rounds of copying there were.
    pub rounds: u32,
    /// What verification found.
    pub verified: Verification,
    /// What it cost.
    pub cost_usd: Cost,
    /// When the execution started.
    #[serde(with = "rfc3339")]
    pub started_at: Timestamp,
    /// When the report was written.
    #[serde(with = "rfc3339")]
    pub ended_at: Timestamp,
    /// Where the report lies.
    pub report: ReportLocation,
    /// What broke, when the run could not go its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ReportedProblem>,
}

/// Deleted objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeletedCount {
    /// Objects.
    pub objects: u64,
}

/// The shards of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ShardSummary {
    /// All of them.
    pub total: u64,
    /// Those with an outcome for every object.
    pub done: u64,
    /// The others: at most [`NOT_DONE_SHOWN_MAX`] of them; `shards.json` has all.
    pub not_done: Vec<ShardId>,
}

/// How many ids of undone shards the report itself carries, so that it fits a notification.
pub const NOT_DONE_SHOWN_MAX: usize = 100;

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How it was done.
    pub method: Verify,
    /// Planned objects that are not at the target.
    pub missing: u64,
    /// Planned objects that are at the target and are not the planned ones.
    pub different: u64,
}

/// The cost of a run in USD.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// Requests times prices; compute time and transfer between Regions are not in it.
    pub estimated: f64,
    /// The requests that it was computed from.
    pub requests: RequestCounts,
}

/// Where the report lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLocation {
    /// The control bucket.
    pub bucket: BucketName,
    /// `runs/<run id>/`.
    pub prefix: String,
}

/// What broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedProblem {
    /// The state of the machine that failed.
    pub state: String,
    /// The failure code, or Step Functions' own error name.
    pub code: String,
    /// The message.
    pub message: String,
    /// What a person does about it.
    pub action: String,
}
