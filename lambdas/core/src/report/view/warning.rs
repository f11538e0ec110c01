//! What a person must know besides the problems.

#[cfg(test)]
mod tests;

use crate::{
    report::{
        emptiness::Emptiness,
        run_report::{Report, ReportedWarning},
        verdict::Verdict,
        view::storage,
    },
    run::option::Verify,
    shard::note::Note,
    value::{
        figures::{counted, grouped},
        id::ShardId,
        skips::SkipReason,
    },
};

/// How many wrong or repeated lines of a list are named; the report has the first 20.
const LIST_PROBLEMS_SHOWN: usize = 3;

/// The heading over the warnings.
pub const WARNINGS_HEADING: &str = "Warnings";

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WarningCode {
    /// No object of the source takes part: there is none.
    SourceEmpty,
    /// No object of the source takes part: the filters leave out all.
    FiltersAdmitNothing,
    /// Keys go on after the source prefix without a slash.
    BesidePrefix,
    /// A dry run of a mirror planned more deletions than the limits allow.
    DeletionsBeyondLimits,
    /// Objects to delete were not deleted because the source has them again.
    BackAtSource,
    /// Objects were gone from the source when their copies began.
    GoneAtSource,
    /// Objects had changed since they were planned, and were copied in their newer version.
    CopiedNewer,
    /// Shards are not finished.
    ShardsNotFinished,
    /// Archived objects were left out.
    ArchivedSkipped,
    /// Copies do not have the storage class of their source.
    ClassChanged,
    /// The target was not verified.
    NotVerified,
    /// Not every difference was looked for.
    PartlyCompared,
    /// Lines of the list are wrong or repeated, or name objects that are gone or changed.
    ListProblems,
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
            Self::BesidePrefix => "beside_prefix",
            Self::DeletionsBeyondLimits => "deletions_beyond_limits",
            Self::BackAtSource => "back_at_source",
            Self::GoneAtSource => "gone_at_source",
            Self::CopiedNewer => "copied_newer",
            Self::ShardsNotFinished => "shards_not_finished",
            Self::ArchivedSkipped => "archived_skipped",
            Self::ClassChanged => "class_changed",
            Self::NotVerified => "not_verified",
            Self::PartlyCompared => "partly_compared",
            Self::ListProblems => "list_problems",
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
            beside_prefix(report).map(Self::of(WarningCode::BesidePrefix)),
            deletions_beyond_limits(report).map(Self::of(WarningCode::DeletionsBeyondLimits)),
            unfinished_shards(report),
            storage::archived_skipped(report).map(Self::of(WarningCode::ArchivedSkipped)),
            storage::class_not_kept(report).map(Self::of(WarningCode::ClassChanged)),
            unverified(report).map(Self::of(WarningCode::NotVerified)),
            back_at_source(report).map(Self::of(WarningCode::BackAtSource)),
            gone_at_source(report).map(Self::of(WarningCode::GoneAtSource)),
            copied_newer(report).map(Self::of(WarningCode::CopiedNewer)),
            partly_compared(report).map(Self::of(WarningCode::PartlyCompared)),
            list_problems(report).map(Self::of(WarningCode::ListProblems)),
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

/// A prefix is raw text for S3: `data` also stands for `data2/`.
fn beside_prefix(report: &Report) -> Option<String> {
    let objects = report.beside_prefix;
    (objects > 0).then(|| {
        format!(
            "source.prefix does not end in a slash, so {} next to that folder take part too: their keys continue after the prefix without a slash. If they should not, end both prefixes in a slash",
            counted(objects, "object")
        )
    })
}

/// Of a run that copies it is a problem.
fn deletions_beyond_limits(report: &Report) -> Option<String> {
    let limits = report.deleted.exceeds?;
    (report.verdict == Verdict::Planned).then(|| {
        if limits.empty_source {
            return format!(
                "The run would hold all {}: no object of the source takes part, and allow_empty_source is not set",
                counted(report.deleted.planned, "deletion")
            );
        }
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
        let found = counted(objects, "object");
        if report.list.is_some() && report.events.is_none() {
            return format!(
                "{found} to delete are at the source though the inventory does not name them, and stayed at the target. They are newer than the inventory, or it is not of the whole prefix"
            );
        }
        format!(
            "{found} to delete appeared at the source after it was listed, and stayed at the target. The next run compares what is there"
        )
    })
}

fn gone_at_source(report: &Report) -> Option<String> {
    let gone = report
        .skipped
        .count
        .by_reason
        .get(&SkipReason::GoneAtSource)?;
    Some(format!(
        "{} to copy disappeared from the source since the listing. What the target has of them stays; a mirror's next run deletes it",
        counted(*gone, "object")
    ))
}

fn copied_newer(report: &Report) -> Option<String> {
    let objects = report.copied_newer.objects;
    (objects > 0).then(|| {
        format!(
            "{} changed at the source since the listing; the newer version was copied. The lists under notes/ name each",
            counted(objects, "object")
        )
    })
}

/// Without time, the numbers of the differences are the least.
fn partly_compared(report: &Report) -> Option<String> {
    report.verified.is_partial.then(|| {
        "The target differs in more places than there was time to look at: differences.csv is not complete".to_owned()
    })
}

/// What of the list was not planned as it stands there.
fn list_problems(report: &Report) -> Option<String> {
    let list = report.list.as_ref()?;
    let found: Vec<_> = [
        (list.wrong, "line", "wrong"),
        (list.repeated, "line", "naming an object again"),
        (list.gone, "object", "not at the source"),
        (list.changed, "object", "changed at the source since"),
    ]
    .into_iter()
    .filter(|(count, ..)| *count > 0)
    .map(|(count, what, why)| format!("{} {why}", counted(count, what)))
    .collect();
    let named = &list.problems[..list.problems.len().min(LIST_PROBLEMS_SHOWN)];
    let first = match named {
        [] => String::new(),
        [only] => format!(". The first: {only}"),
        several => format!(". The first: {}", several.join("; ")),
    };
    let unplanned = match list.wrong {
        0 => "",
        _ => "What wrong lines name was not planned. ",
    };
    (!found.is_empty()).then(|| format!("{unplanned}The list: {}{first}", found.join(", ")))
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
    let newer = Note::CopiedNewer.name();
    let notes = report.notes.iter().filter(|(note, _)| *note != newer);
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
