//! What a person must know besides the problems.

use crate::{
    report::{
        emptiness::Emptiness,
        run_report::{Report, ReportedWarning},
        verdict::Verdict,
        view::storage,
    },
    run::option::Verify,
    value::{
        figures::{counted, grouped},
        id::ShardId,
    },
};

/// The heading over the warnings.
pub const WARNINGS_HEADING: &str = "Warnings";

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningCode {
    /// No object of the source takes part: there is none.
    SourceEmpty,
    /// No object of the source takes part: the filters leave out all.
    FiltersAdmitNothing,
    /// A dry run of a mirror planned more deletions than the limits allow.
    DeletionsBeyondLimits,
    /// Objects to delete were not deleted because the source has them again.
    BackAtSource,
    /// Shards are not finished.
    ShardsNotFinished,
    /// Archived objects were left out.
    ArchivedSkipped,
    /// Copies do not have the storage class of their source.
    ClassChanged,
    /// The target was not verified.
    NotVerified,
    /// The source changed after the run began.
    ChangedSinceStart,
    /// The run is a rerun.
    Rerun,
    /// There are notes on copied objects.
    Notes,
    /// Unfinished uploads were aborted.
    UploadsAborted,
}

impl WarningCode {
    /// Its name in the report.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SourceEmpty => "source_empty",
            Self::FiltersAdmitNothing => "filters_admit_nothing",
            Self::DeletionsBeyondLimits => "deletions_beyond_limits",
            Self::BackAtSource => "back_at_source",
            Self::ShardsNotFinished => "shards_not_finished",
            Self::ArchivedSkipped => "archived_skipped",
            Self::ClassChanged => "class_changed",
            Self::NotVerified => "not_verified",
            Self::ChangedSinceStart => "changed_since_start",
            Self::Rerun => "rerun",
            Self::Notes => "notes",
            Self::UploadsAborted => "uploads_aborted",
        }
    }
}

/// A fact that a person must know, though it is not a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    code: WarningCode,
    /// Without the period at its end.
    text: String,
    shards: Vec<ShardId>,
    shards_total: u64,
}

impl Warning {
    /// The warning as a sentence. Where it is about shards, it names at most `shards_max` of them.
    #[must_use]
    pub fn sentence(&self, shards_max: usize) -> String {
        let ids = self.shards.iter().take(shards_max);
        let ids: Vec<_> = ids.map(ShardId::as_str).collect();
        if ids.is_empty() {
            return format!("{}.", self.text);
        }
        let more = self.shards_total.saturating_sub(ids.len() as u64);
        let end = match more {
            0 => ".".to_owned(),
            more => format!(", and {} more.", grouped(more)),
        };
        format!("{}: {}{end}", self.text, ids.join(", "))
    }

    /// The warnings of a report, in the order in which they are shown.
    pub(super) fn all_of(report: &Report) -> Vec<Self> {
        [
            nothing_found(report),
            deletions_beyond_limits(report).map(Self::of(WarningCode::DeletionsBeyondLimits)),
            unfinished_shards(report),
            storage::archived_skipped(report).map(Self::of(WarningCode::ArchivedSkipped)),
            storage::class_not_kept(report).map(Self::of(WarningCode::ClassChanged)),
            unverified(report).map(Self::of(WarningCode::NotVerified)),
            back_at_source(report).map(Self::of(WarningCode::BackAtSource)),
            changed_since_start(report).map(Self::of(WarningCode::ChangedSinceStart)),
            rerun(report).map(Self::of(WarningCode::Rerun)),
            notes(report).map(Self::of(WarningCode::Notes)),
            aborted_uploads(report).map(Self::of(WarningCode::UploadsAborted)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn of(code: WarningCode) -> impl FnOnce(String) -> Self {
        move |text| Self {
            code,
            text,
            shards: Vec::new(),
            shards_total: 0,
        }
    }
}

/// The warnings of a report for machines. They name no shards: the report lists these.
#[must_use]
pub fn reported_warnings(report: &Report) -> Vec<ReportedWarning> {
    let reported = |warning: Warning| ReportedWarning {
        code: warning.code.name().to_owned(),
        message: warning.sentence(0),
    };
    Warning::all_of(report).into_iter().map(reported).collect()
}

/// The one warning about a run that may be all wrong: it leads.
fn nothing_found(report: &Report) -> Option<Warning> {
    Some(match report.emptiness()? {
        Emptiness::Source => Warning::of(WarningCode::SourceEmpty)(
            "The source has no object under its prefix. If it should have some, check source.bucket and source.prefix".to_owned(),
        ),
        Emptiness::Filters(filtered) => Warning::of(WarningCode::FiltersAdmitNothing)(format!(
            "The filters leave out all of {} at the source. If some should take part, check filters",
            counted(filtered.objects, "object")
        )),
    })
}

/// Of a run that copies it is a problem.
fn deletions_beyond_limits(report: &Report) -> Option<String> {
    let limits = report.deleted.exceeds?;
    (report.verdict == Verdict::Planned).then(|| {
        format!(
            "The run would hold all {}: more than delete_max_percent = {} and delete_max_objects = {} allow",
            counted(report.deleted.planned, "deletion"),
            limits.delete_max_percent,
            grouped(limits.delete_max_objects)
        )
    })
}

fn unfinished_shards(report: &Report) -> Option<Warning> {
    let shards = &report.shards;
    let unfinished = shards.total.saturating_sub(shards.done);
    let is_unexpected = report.verdict == Verdict::Incomplete && !report.only_holds_deletions();
    (unfinished > 0 && is_unexpected).then(|| Warning {
        code: WarningCode::ShardsNotFinished,
        text: format!(
            "{} of {} not finished",
            grouped(unfinished),
            counted(shards.total, "shard")
        ),
        shards: shards.not_done.clone(),
        shards_total: unfinished,
    })
}

/// Nothing to verify is no warning: after a dry run, and in a run that broke before it had a plan.
fn unverified(report: &Report) -> Option<String> {
    let is_verified = report.verified.method != Verify::None;
    if is_verified || report.verdict == Verdict::Planned {
        return None;
    }
    match report.problem {
        None => Some("The target was not verified: the run has verify = none".to_owned()),
        Some(_) if report.shards.total > 0 => Some("The target was not verified".to_owned()),
        Some(_) => None,
    }
}

fn back_at_source(report: &Report) -> Option<String> {
    let objects = report.deleted.back_at_source;
    (objects > 0).then(|| {
        format!(
            "{} to delete appeared at the source after it was listed, and stayed at the target. The next run compares what is there",
            counted(objects, "object")
        )
    })
}

fn changed_since_start(report: &Report) -> Option<String> {
    let objects = report.verified.changed_since_start;
    let began = match report.rerun_of {
        None => "this run began",
        Some(_) => "the original run began",
    };
    (objects > 0).then(|| {
        format!(
            "{} appeared or changed at the source after {began}. The next run copies what is new",
            counted(objects, "object")
        )
    })
}

/// What the run is a rerun of, and what it did not plan.
fn rerun(report: &Report) -> Option<String> {
    let earlier = report.rerun_of.as_ref()?;
    let rest = report.not_planned.unwrap_or_default();
    let left_out = [
        (rest.gone, "gone, nothing is left to do"),
        (rest.filtered, "excluded by the filters now"),
        (rest.not_chosen, "in shards that were not chosen"),
    ];
    let left_out: Vec<_> = left_out
        .into_iter()
        .filter(|(count, _)| count.objects > 0)
        .map(|(count, reason)| format!("{} ({reason})", counted(count.objects, "object")))
        .collect();
    let mut text = format!("This is a rerun of run {earlier}");
    if !left_out.is_empty() {
        text.push_str(". Undone in that run and not planned in this one: ");
        text.push_str(&left_out.join(", "));
    }
    Some(text)
}

fn notes(report: &Report) -> Option<String> {
    let notes = report.notes.iter();
    let notes: Vec<_> = notes
        .map(|(note, &objects)| format!("{}: {}", note.replace('_', " "), grouped(objects)))
        .collect();
    (!notes.is_empty()).then(|| format!("Notes on copied objects: {}", notes.join(", ")))
}

fn aborted_uploads(report: &Report) -> Option<String> {
    (report.uploads_aborted > 0).then(|| {
        format!(
            "{} aborted. The reporter's log names each",
            counted(report.uploads_aborted, "unfinished multipart upload")
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        report::{
            NotPlanned, ReportedProblem, ShardSummary, emptiness::tests::empty,
            run_report::tests::report,
        },
        value::{id::RunId, tally::Count},
    };

    fn sentences(report: &Report) -> Vec<String> {
        let warnings = Warning::all_of(report).into_iter();
        warnings.map(|warning| warning.sentence(2)).collect()
    }

    #[test]
    fn a_run_without_anything_unusual_warns_of_nothing() {
        assert_eq!(sentences(&report()), [] as [&str; 0]);
    }

    #[test]
    fn a_run_that_found_nothing_says_why_and_what_to_check() {
        let codes = |report: &Report| -> Vec<String> {
            let warnings = reported_warnings(report).into_iter();
            warnings.map(|warning| warning.code).collect()
        };
        assert_eq!(codes(&empty(0)), ["source_empty"]);
        assert!(sentences(&empty(0))[0].contains("check source.bucket and source.prefix"));
        assert_eq!(codes(&empty(2)), ["filters_admit_nothing"]);
        assert_eq!(
            sentences(&empty(2)),
            [
                "The filters leave out all of 2 objects at the source. If some should take part, check filters."
            ]
        );
    }

    #[test]
    fn deletions_that_the_source_has_again_are_named() {
        let mut mirror = report();
        mirror.deleted.back_at_source = 2;
        assert_eq!(
            sentences(&mirror),
            [
                "2 objects to delete appeared at the source after it was listed, and stayed at the target. The next run compares what is there."
            ]
        );
    }

    #[test]
    fn a_rerun_names_what_it_did_not_plan_and_why() {
        let count = |objects| Count { objects, bytes: 9 };
        let rerun = Report {
            rerun_of: Some(RunId::new("earlier").unwrap()),
            not_planned: Some(NotPlanned {
                gone: count(2),
                not_chosen: count(1),
                ..NotPlanned::default()
            }),
            ..report()
        };
        assert_eq!(
            sentences(&rerun),
            [
                "This is a rerun of run earlier. Undone in that run and not planned in this one: 2 objects (gone, nothing is left to do), 1 object (in shards that were not chosen)."
            ]
        );
    }

    #[test]
    fn some_unfinished_shards_are_named_and_the_others_counted() {
        let ids = ["1-0", "1-1", "1-2"].map(|id| ShardId::new(id).unwrap());
        let mut open = report();
        open.shards = ShardSummary {
            total: 1_203,
            done: 3,
            not_done: ids.into(),
        };
        assert_eq!(
            sentences(&open),
            ["1,200 of 1,203 shards not finished: 1-0, 1-1, and 1,198 more."]
        );
        open.shards.not_done.clear();
        assert_eq!(sentences(&open), ["1,200 of 1,203 shards not finished."]);
        open.verdict = Verdict::Planned;
        assert_eq!(sentences(&open), [] as [&str; 0]);
    }

    #[test]
    fn a_target_that_was_not_verified_is_never_passed_over() {
        let mut unverified = report();
        unverified.verified.method = Verify::None;
        assert_eq!(
            sentences(&unverified),
            ["The target was not verified: the run has verify = none."]
        );
        unverified.problem = Some(ReportedProblem {
            state: "CopyShards".into(),
            code: "States.Timeout".into(),
            message: String::new(),
            action: String::new(),
        });
        assert_eq!(sentences(&unverified), [] as [&str; 0], "it had no plan");
        (unverified.shards.total, unverified.shards.done) = (3, 3);
        assert_eq!(sentences(&unverified), ["The target was not verified."]);
    }

    #[test]
    fn notes_changes_and_aborted_uploads_are_counted() {
        let mut noted = report();
        noted.notes = [("proven_by_etag", 1_200), ("unproven", 1)]
            .map(|(note, objects)| (note.to_owned(), objects))
            .into();
        noted.verified.changed_since_start = 1;
        noted.uploads_aborted = 2;
        assert_eq!(
            sentences(&noted),
            [
                "1 object appeared or changed at the source after this run began. The next run copies what is new.",
                "Notes on copied objects: proven by etag: 1,200, unproven: 1.",
                "2 unfinished multipart uploads aborted. The reporter's log names each.",
            ]
        );
    }
}
