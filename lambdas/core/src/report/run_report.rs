//! The account of a run: `report.json`, and the JSON part of the notification.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::{Deserialize, Serialize};

use super::shard_summary::ShardSummary;
use crate::{
    failure::{Failure, FailureCode},
    run::{
        event::{Problem, ReporterStatus},
        option::{Mode, Verify},
    },
    value::{
        bucket::BucketName,
        figures,
        id::RunId,
        tally::{Count, FailedCount, RequestCounts},
        time::{Timestamp, rfc3339},
    },
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
    /// In a rerun: the earlier run, whose undone objects were planned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerun_of: Option<RunId>,
    /// In a rerun: undone objects of the earlier run that are not in this plan, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_planned: Option<NotPlanned>,
    /// In a rerun that left undone shards out: the run whose rerun does these too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest_of: Option<RunId>,
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
    /// What there is to say of copied objects, and of how many: how they were proven, or tags that stayed behind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<String, u64>,
    /// Multipart uploads that the copiers or the trials before the run left unfinished, and that the reporter aborted.
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
    /// Where the report lies.
    pub report: ReportLocation,
    /// What broke, when the run could not go its way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<ReportedProblem>,
}

/// What an earlier run left undone and its rerun did not plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NotPlanned {
    /// Nothing is left to do: gone from the source; or, to be deleted, gone from the target or back at the source.
    pub gone: Count,
    /// Changed since, and left out by the filters now.
    pub filtered: Count,
    /// In shards that were not chosen, for this rerun or for one that it is a rerun of.
    pub not_chosen: Count,
}

/// Deleted objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeletedCount {
    /// Objects.
    pub objects: u64,
}

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How it was done.
    pub method: Verify,
    /// Planned objects that are not at the target.
    pub missing: u64,
    /// Planned objects that are at the target and are not the planned ones.
    pub different: u64,
    /// Objects that appeared or changed at the source after the run began, and are not at the target yet: not this
    /// run's to copy, the next one's.
    #[serde(default)]
    pub changed_since_start: u64,
}

impl Verification {
    /// Nothing was found, or nothing was looked for.
    #[must_use]
    pub fn clean(method: Verify) -> Self {
        Self {
            method,
            missing: 0,
            different: 0,
            changed_since_start: 0,
        }
    }

    /// Whether every object that the run answers for was found as it should be.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.missing == 0 && self.different == 0
    }
}

/// The cost of a run in USD: requests times prices; compute time, KMS and transfer between Regions are not in it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Cost {
    /// What the plan expected; zero when there is no plan.
    pub estimated: f64,
    /// What the counted requests come to. Of a dry run, those of planning.
    #[serde(default)]
    pub counted: f64,
    /// The counted requests.
    pub requests: RequestCounts,
    /// The requests that the plan expected.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub requests_estimated: RequestCounts,
}

/// How long copying takes, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopySeconds {
    /// What the plan expected with the stack's concurrency.
    pub estimated: u64,
    /// From the first shard's begin to the last one's end; absent when none was done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<u64>,
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

impl ReportedProblem {
    /// A state of the machine that failed for good.
    #[must_use]
    pub fn of_state(problem: &Problem) -> Self {
        let action = FailureCode::from_name(&problem.error).map_or(
            "Open the execution in the Step Functions console and the log of the function that it names; then start the run again: it copies only what is missing.",
            FailureCode::action,
        );
        Self {
            state: problem.state.clone(),
            code: problem.error.clone(),
            message: cut(&problem.message(), MESSAGE_CHARACTERS_MAX),
            action: action.to_owned(),
        }
    }

    /// A failure within the state that reports.
    #[must_use]
    pub fn of_failure(state: &str, failure: &Failure) -> Self {
        Self {
            state: state.to_owned(),
            code: failure.code.name().to_owned(),
            message: cut(&failure.detail, MESSAGE_CHARACTERS_MAX),
            action: failure.code.action().to_owned(),
        }
    }

    /// This problem, with another one told behind it.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.message = cut(
            &format!("{} [{}] {}", self.message, other.code, other.message),
            MESSAGE_CHARACTERS_MAX,
        );
        self
    }
}

/// How much of a message the report carries: a refusal names the policy statements that are missing, ready to paste.
/// With everything else it must fit the 256 KiB of a notification.
const MESSAGE_CHARACTERS_MAX: usize = 8_000;

/// The first `characters_max` characters of a text, with an ellipsis where something is left out.
#[must_use]
pub fn cut(text: &str, characters_max: usize) -> String {
    match text.char_indices().nth(characters_max) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Report {
    /// The remarks in one line: `proven by checksum: 12, unproven: 3`; empty when there are none.
    #[must_use]
    pub fn remarks_line(&self) -> String {
        let told = |(remark, &count): (&String, &u64)| {
            format!("{}: {}", remark.replace('_', " "), figures::grouped(count))
        };
        self.remarks.iter().map(told).collect::<Vec<_>>().join(", ")
    }

    /// What was aborted of unfinished uploads, in a sentence; nothing when there were none.
    #[must_use]
    pub fn uploads_sentence(&self) -> Option<String> {
        let uploads = figures::counted(self.uploads_aborted, "unfinished multipart upload");
        (self.uploads_aborted > 0)
            .then(|| format!("{uploads} aborted; the log of the reporter names each."))
    }

    /// Cost and copying time beside what the plan expected, in one line; of a dry run, the expectation alone.
    #[must_use]
    pub fn cost_line(&self) -> String {
        let cost = &self.cost_usd;
        let time = |seconds| figures::duration(Duration::from_secs(seconds));
        let Some(copying) = self.copy_seconds else {
            return format!("{} for requests", figures::usd(cost.counted));
        };
        let (expected, copy_time) = (figures::usd(cost.estimated), time(copying.estimated));
        if self.verdict == Verdict::Planned {
            return format!("about {expected} for requests and {copy_time} of copying, estimated");
        }
        let mut line = format!(
            "{} for requests (estimated {expected})",
            figures::usd(cost.counted)
        );
        if let Some(counted) = copying.counted {
            let _infallible = write!(
                line,
                ", {} of copying (estimated {copy_time})",
                time(counted)
            );
        }
        line
    }

    /// What a rerun is of, and what it did not plan; nothing for another run.
    #[must_use]
    pub fn rerun_sentences(&self) -> Option<String> {
        let earlier = self.rerun_of.as_ref()?;
        let rest = self.not_planned.unwrap_or_default();
        let mut text = format!("A rerun of run {earlier}.");
        for (count, story) in [
            (rest.gone, "gone, so nothing is left to do about them"),
            (rest.filtered, "left out by the filters now"),
            (rest.not_chosen, "in shards that were not chosen"),
        ] {
            if count.objects > 0 {
                let objects = figures::counted(count.objects, "object");
                let _infallible = write!(text, " Of what it left undone, {objects}: {story}.");
            }
        }
        Some(text)
    }

    /// Undone objects of the earlier run in shards that were not chosen.
    pub(super) fn not_chosen(&self) -> u64 {
        self.not_planned.map_or(0, |rest| rest.not_chosen.objects)
    }

    /// What the source got after both sides were listed for the plan, in a sentence.
    #[must_use]
    pub fn changed_sentence(&self) -> String {
        let since = match self.rerun_of {
            None => "the run began",
            Some(_) => "the run began that this one goes back to",
        };
        format!(
            "{} appeared or changed at the source after {since}; the next run copies them.",
            figures::counted(self.verified.changed_since_start, "object")
        )
    }

    /// The verdict that the rest of this report supports: COMPLETE needs every planned object settled as copied,
    /// skipped or deleted, every shard done, and a verification that agrees. A rerun of some shards is not COMPLETE while
    /// the others have something undone, and no listing shows that it was done since: what failed may be at the target
    /// with the right size and a later time, and what changed since the earlier run began is not counted as missing.
    #[must_use]
    pub fn judged(mut self, dry_run: bool) -> Self {
        let settled = self.failed.objects == 0 && self.shards.done == self.shards.total;
        let is_whole = self.not_chosen() == 0;
        self.verdict = if self.problem.is_some() {
            Verdict::Incomplete
        } else if dry_run {
            Verdict::Planned
        } else if settled && is_whole && self.verified.agrees() {
            Verdict::Complete
        } else {
            Verdict::Incomplete
        };
        self
    }

    /// Where the state machine goes with this report. `broken` tells that planning or copying broke.
    #[must_use]
    pub fn status(&self, broken: bool) -> ReporterStatus {
        match self.verdict {
            Verdict::Complete => ReporterStatus::Complete,
            Verdict::Planned => ReporterStatus::Planned,
            Verdict::Incomplete if broken => ReporterStatus::Failed,
            Verdict::Incomplete => ReporterStatus::Incomplete,
        }
    }

    /// The code that says most about why the run is incomplete; empty when it is not.
    #[must_use]
    pub fn leading_code(&self) -> String {
        if self.verdict != Verdict::Incomplete {
            return String::new();
        }
        if let Some(problem) = &self.problem {
            return problem.code.clone();
        }
        // Of equally frequent reasons the first in the order of the codes: the same report always leads with the same.
        let most_frequent = self
            .failed
            .by_reason
            .iter()
            .max_by_key(|&(code, &objects)| (objects, std::cmp::Reverse(*code)));
        match most_frequent {
            Some((code, _)) => code.name(),
            None if self.verified.agrees() => FailureCode::ServiceFault.name(),
            None => FailureCode::IntegrityMismatch.name(),
        }
        .to_owned()
    }

    /// The verdict and what it comes down to, in one line.
    #[must_use]
    pub fn headline(&self) -> String {
        let objects = |count: Count| {
            format!(
                "{}, {}",
                figures::counted(count.objects, "object"),
                figures::bytes(count.bytes)
            )
        };
        let story = match (self.verdict, &self.problem) {
            (_, Some(problem)) => format!("{} in {}", problem.code, problem.state),
            (Verdict::Planned, _) => format!("{} to copy", objects(self.planned)),
            (Verdict::Complete, _) if self.planned.objects == 0 => "nothing to copy".to_owned(),
            (Verdict::Complete, _) => format!("{} copied", objects(self.copied)),
            (Verdict::Incomplete, _) if self.failed.objects > 0 => format!(
                "{} of {} failed",
                figures::grouped(self.failed.objects),
                figures::counted(self.planned.objects, "object")
            ),
            (Verdict::Incomplete, _) if self.not_chosen() > 0 && self.verified.agrees() => format!(
                "{} of shards that were not chosen left undone",
                figures::counted(self.not_chosen(), "object")
            ),
            (Verdict::Incomplete, _) => format!(
                "{} missing and {} different at the target",
                figures::grouped(self.verified.missing),
                figures::grouped(self.verified.different)
            ),
        };
        format!("{}: {story}", self.verdict)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A report of a run that was asked for nothing in particular and has nothing to tell.
    pub(crate) fn report() -> Report {
        Report {
            schema_version: REPORT_VERSION,
            run_id: RunId::new("nightly-1").unwrap(),
            verdict: Verdict::Incomplete,
            mode: Some(Mode::Sync),
            rerun_of: None,
            not_planned: None,
            rest_of: None,
            planned: Count::default(),
            copied: Count::default(),
            skipped: Count::default(),
            deleted: DeletedCount::default(),
            failed: FailedCount::default(),
            shards: ShardSummary::default(),
            rounds: 1,
            verified: Verification::clean(Verify::Relist),
            remarks: BTreeMap::new(),
            uploads_aborted: 0,
            cost_usd: Cost::default(),
            copy_seconds: None,
            started_at: Timestamp::from_millis(0),
            ended_at: Timestamp::from_millis(90_000),
            report: ReportLocation {
                bucket: BucketName::new("control").unwrap(),
                prefix: "runs/nightly-1/".to_owned(),
            },
            problem: None,
        }
    }

    #[test]
    fn what_was_estimated_stands_beside_what_was_counted() {
        let times = |counted| {
            Some(CopySeconds {
                estimated: 90,
                counted,
            })
        };
        let line = |verdict, copy_seconds| {
            let cost_usd = Cost {
                estimated: 5.03,
                counted: 5.01,
                ..Cost::default()
            };
            let costly = Report {
                verdict,
                cost_usd,
                copy_seconds,
                ..report()
            };
            costly.cost_line()
        };
        assert_eq!(
            line(Verdict::Complete, times(Some(125))),
            "$5.01 for requests (estimated $5.03), 2 min 5 s of copying (estimated 1 min 30 s)"
        );
        assert_eq!(
            line(Verdict::Incomplete, times(None)),
            "$5.01 for requests (estimated $5.03)"
        );
        assert_eq!(
            line(Verdict::Planned, times(None)),
            "about $5.03 for requests and 1 min 30 s of copying, estimated"
        );
        assert_eq!(line(Verdict::Incomplete, None), "$5.01 for requests");
    }

    #[test]
    fn a_report_from_before_there_were_counted_costs_can_be_read() {
        let mut json = serde_json::to_value(report()).unwrap();
        json["cost_usd"].as_object_mut().unwrap().remove("counted");
        let read: Report = serde_json::from_value(json).unwrap();
        assert!(read.cost_usd.counted.abs() < f64::EPSILON);
    }

    fn rerun(not_planned: NotPlanned, verify: Verify) -> Report {
        Report {
            rerun_of: Some(RunId::new("earlier").unwrap()),
            not_planned: Some(not_planned),
            verified: Verification::clean(verify),
            ..report()
        }
        .judged(false)
    }

    const TWO: Count = Count {
        objects: 2,
        bytes: 9,
    };

    #[test]
    fn a_rerun_of_some_shards_is_not_complete_whatever_a_listing_finds() {
        let some = NotPlanned {
            not_chosen: TWO,
            ..NotPlanned::default()
        };
        for verify in [Verify::Relist, Verify::Checksum, Verify::None] {
            let of_some = rerun(some, verify);
            assert_eq!(of_some.verdict, Verdict::Incomplete, "{verify:?}");
            assert_eq!(
                of_some.headline(),
                "INCOMPLETE: 2 objects of shards that were not chosen left undone"
            );
            let of_all = rerun(NotPlanned::default(), verify);
            assert_eq!(of_all.verdict, Verdict::Complete, "{verify:?}");
        }
    }

    #[test]
    fn a_rerun_tells_what_it_did_not_plan_and_why() {
        let told = rerun(
            NotPlanned {
                gone: TWO,
                ..NotPlanned::default()
            },
            Verify::Relist,
        )
        .rerun_sentences()
        .unwrap();
        assert_eq!(
            told,
            "A rerun of run earlier. Of what it left undone, 2 objects: gone, so nothing is left to do about them."
        );
        assert_eq!(report().rerun_sentences(), None);
    }
}
