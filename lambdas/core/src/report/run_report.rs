//! The report of a run: `report.json`, and the JSON part of the notification.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    asked_input::AskedInput,
    cost::{CopySeconds, Cost},
    not_planned::NotPlanned,
    problem::ReportedProblem,
    reported_pair::ReportedPair,
    shard_summary::ShardSummary,
    verdict::Verdict,
    verification::{Proof, Verification},
};
use crate::{
    failure::FailureCode,
    plan::{AuditSums, ListCounts},
    run::{
        option::{Compare, Mode},
        transform::Transform,
    },
    value::{
        bucket::BucketName,
        id::RunId,
        skips::{NewerCopies, SkipReason, SkippedCount},
        tally::{Count, FailedCount, most_frequent_first},
        time::{Timestamp, rfc3339},
    },
};

/// The version of the report.
pub const REPORT_VERSION: u32 = 1;

/// The report of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`REPORT_VERSION`].
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The verdict.
    pub verdict: Verdict,
    /// The mode; absent when the input of the run was refused.
    pub mode: Option<Mode>,
    /// How it compared; absent when the input of the run was refused, and in a run with a transform, which compares times
    /// alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compare: Option<Compare>,
    /// What it made of each object instead of a copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<Transform>,
    /// Where it read and wrote; absent when the input of the run was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<ReportedPair>,
    /// What the run was asked to do, where it can be told; in a rerun, what the runs that it goes back to were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<AskedInput>,
    /// In a rerun: the earlier run, whose undone objects were planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RunId>,
    /// In a rerun: undone objects of the earlier run that are not in this plan, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_planned: Option<NotPlanned>,
    /// What the list is made of that named the objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListCounts>,
    /// The instant whose state of the source was meant, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// What started the run; nothing where its input cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<StartedBy>,
    /// In a run that events started: what they told of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<ReportedEvents>,
    /// In a rerun that left undone shards out: the run whose rerun covers these too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_of: Option<RunId>,
    /// Objects to copy.
    pub planned: Count,
    /// Objects copied.
    pub copied: Count,
    /// Objects that needed no copy, including those that were already the same.
    pub skipped: SkippedObjects,
    /// Among the copied objects: those that had changed since they were planned, and were copied in their newer version.
    #[serde(default)]
    pub copied_newer: NewerCopies,
    /// Planned copies whose storage class is not that of their source.
    #[serde(default)]
    pub class_changed: u64,
    /// Objects of the source that the filters left out; absent in reports from before they were counted.
    #[serde(default)]
    pub filtered: Option<Count>,
    /// Objects among the planned and the same ones whose keys go on after the source prefix without a slash.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub beside_prefix: u64,
    /// Objects deleted at the target, and those that were to be.
    pub deleted: DeletedCount,
    /// Objects that failed.
    pub failed: FailedCount,
    /// The shards.
    pub shards: ShardSummary,
    /// How many rounds of copying there were.
    pub rounds: u32,
    /// What verification found.
    pub verified: Verification,
    /// What the run vouches for; absent in a run that broke before it was settled, and after a dry run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// In an audit: both sides, and how many keys of them differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditSums>,
    /// Notes on copied objects and how many objects each is about: how they were proven, or tags that stayed behind.
    #[serde(default, alias = "remarks", skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, u64>,
    /// Unfinished multipart uploads of the copiers, or of the permission checks before the run, that the reporter aborted.
    #[serde(default)]
    pub uploads_aborted: u64,
    /// What it cost.
    pub cost_usd: Cost,
    /// How long copying took; absent when there is no plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_seconds: Option<CopySeconds>,
    /// When the execution started.
    #[serde(with = "rfc3339")]
    pub started_at: Timestamp,
    /// When the report was written.
    #[serde(with = "rfc3339")]
    pub ended_at: Timestamp,
    /// Where the report is stored.
    pub report: ReportLocation,
    /// What a person must know besides, in the order of [`ReportView`](super::view::ReportView).
    #[serde(default)]
    pub warnings: Vec<ReportedWarning>,
    /// What broke, when the run could not finish.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ReportedProblem>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What started a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StartedBy {
    /// Events at the source.
    Events,
    /// The stack's schedule.
    Schedule,
    /// Somebody: by the command, the console, or a program of theirs.
    Person,
}

/// The events of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedEvents {
    /// How many keys they told of.
    pub objects: u64,
    /// When the oldest of them was.
    #[serde(with = "rfc3339")]
    pub oldest_at: Timestamp,
}

/// Objects that needed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SkippedObjects {
    /// Objects and bytes, and the objects by reason.
    #[serde(flatten)]
    pub count: SkippedCount,
    /// Those of them that were planned; the others were found to need nothing when both sides were listed.
    #[serde(default)]
    pub after_planning: Count,
}

impl SkippedObjects {
    /// The archived ones, which the run leaves out.
    #[must_use]
    pub fn archived(&self) -> u64 {
        let by_reason = &self.count.by_reason;
        by_reason.get(&SkipReason::Archived).copied().unwrap_or(0)
    }
}

/// Deleted objects.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeletedCount {
    /// Objects deleted.
    pub objects: u64,
    /// Objects to delete: those deleted, held, back at the source and failed.
    #[serde(default)]
    pub planned: u64,
    /// Objects that were not deleted because nothing of their shards was begun: there are too many, or a shard that copies
    /// has no end.
    #[serde(default)]
    pub held: u64,
    /// Objects that were not deleted because the source has them again.
    #[serde(default)]
    pub back_at_source: u64,
    /// Objects that could not be deleted. They are not among the report's failed objects, which were to be copied.
    #[serde(default)]
    pub failed: u64,
    /// These by code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub failed_by_reason: BTreeMap<FailureCode, u64>,
    /// The limits, when there are more objects to delete than they allow: then none is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exceeds: Option<DeleteLimits>,
}

impl DeletedCount {
    /// The codes of failed deletions and their objects in the order of
    /// [`FailedCount::most_frequent_first`].
    #[must_use]
    pub fn failures_first(&self) -> Vec<(FailureCode, u64)> {
        most_frequent_first(&self.failed_by_reason)
    }
}

/// How many objects a mirror may delete: the share or the number, whichever is more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteLimits {
    /// The objects at the target that it could delete; 0 in a rerun, which does not list them.
    pub deletable: u64,
    /// The largest share of these.
    pub delete_max_percent: u8,
    /// The largest number.
    pub delete_max_objects: u64,
    /// Whether no object of the source takes part, and the run does not say that this is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_source: bool,
}

/// A warning of a report. Its code stays the same, its message may change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedWarning {
    /// For example `source_empty`.
    pub code: String,
    /// A sentence.
    pub message: String,
}

/// Where the report is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportLocation {
    /// The control bucket.
    pub bucket: BucketName,
    /// `runs/<run id>/`.
    pub prefix: String,
}

impl ReportLocation {
    /// The `s3://` address of one of the documents of the report.
    #[must_use]
    pub fn document(&self, name: &str) -> String {
        format!("s3://{}/{}{name}", self.bucket, self.prefix)
    }
}

impl Report {
    /// Whether the run is worth a notification and a page: one that events started may come every minute, and is no news if
    /// it is COMPLETE.
    #[must_use]
    pub fn is_news(&self) -> bool {
        self.events.is_none() || self.verdict != Verdict::Complete
    }

    /// The `s3://` address of what people read: the page, or the report where there is no page.
    #[must_use]
    pub fn address(&self) -> String {
        let name = if self.is_news() {
            "report.html"
        } else {
            "report.json"
        };
        self.report.document(name)
    }

    /// Whether deletions beyond the run's limits are all that keeps it from being complete.
    pub(super) fn only_holds_deletions(&self) -> bool {
        self.deleted.exceeds.is_some()
            && self.problem.is_none()
            && self.failed.objects == 0
            && self.deleted.failed == 0
            && self.not_chosen() == 0
            && self.target_agrees()
    }

    /// Undone objects of the earlier run in shards that were not chosen.
    pub(super) fn not_chosen(&self) -> u64 {
        self.not_planned.map_or(0, |rest| rest.not_chosen.objects)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::run::option::Verify;

    /// The report of an incomplete run in which nothing happened.
    pub(crate) fn report() -> Report {
        Report {
            schema_version: REPORT_VERSION,
            run_id: RunId::new("nightly-1").unwrap(),
            verdict: Verdict::Incomplete,
            mode: Some(Mode::Sync),
            compare: None,
            transform: None,
            pair: None,
            input: None,
            rerun_of: None,
            not_planned: None,
            list: None,
            as_of: None,
            started_by: None,
            events: None,
            rest_of: None,
            planned: Count::default(),
            copied: Count::default(),
            skipped: SkippedObjects::default(),
            copied_newer: NewerCopies::default(),
            class_changed: 0,
            filtered: Some(Count::default()),
            beside_prefix: 0,
            deleted: DeletedCount::default(),
            failed: FailedCount::default(),
            shards: ShardSummary::default(),
            rounds: 1,
            verified: Verification::clean(Verify::Relist),
            proof: None,
            audit: None,
            notes: BTreeMap::new(),
            uploads_aborted: 0,
            cost_usd: Cost::default(),
            copy_seconds: None,
            started_at: Timestamp::from_millis(0),
            ended_at: Timestamp::from_millis(90_000),
            report: ReportLocation {
                bucket: BucketName::new("control").unwrap(),
                prefix: "runs/nightly-1/".to_owned(),
            },
            warnings: Vec::new(),
            problem: None,
        }
    }

    #[test]
    fn a_report_from_before_there_were_counted_costs_can_be_read() {
        let mut json = serde_json::to_value(report()).unwrap();
        json["cost_usd"].as_object_mut().unwrap().remove("counted");
        let read: Report = serde_json::from_value(json).unwrap();
        assert!(read.cost_usd.counted.abs() < f64::EPSILON);
    }

    #[test]
    fn a_report_from_before_filtered_objects_were_counted_says_nothing_of_them() {
        let mut json = serde_json::to_value(report()).unwrap();
        for field in ["filtered", "warnings"] {
            json.as_object_mut().unwrap().remove(field);
        }
        let read: Report = serde_json::from_value(json).unwrap();
        assert_eq!((read.filtered, read.emptiness()), (None, None));
    }

    #[test]
    fn notes_under_their_earlier_name_can_be_read() {
        let mut json = serde_json::to_value(report()).unwrap();
        json["remarks"] = serde_json::json!({"unproven": 3});
        let read: Report = serde_json::from_value(json).unwrap();
        assert_eq!(read.notes["unproven"], 3);
    }
}
