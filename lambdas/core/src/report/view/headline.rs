//! The first line of a report.

use crate::{
    report::{run_report::Report, verdict::Verdict},
    value::figures::{bytes, counted, grouped},
};

/// The verdict and what it comes down to. Displayed as one line: `COMPLETE: 12 objects, 3.0 MiB copied`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// The verdict.
    pub verdict: Verdict,
    /// What it comes down to: a phrase without the verdict.
    pub summary: String,
}

impl std::fmt::Display for Headline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.verdict, self.summary)
    }
}

impl Report {
    /// The verdict and what it comes down to.
    #[must_use]
    pub fn headline(&self) -> Headline {
        Headline {
            verdict: self.verdict,
            summary: summary(self),
        }
    }
}

fn summary(report: &Report) -> String {
    if let Some(problem) = &report.problem {
        return format!("{} in {}", problem.code, problem.state);
    }
    let objects_and_size = |count: crate::value::tally::Count| {
        format!(
            "{}, {}",
            counted(count.objects, "object"),
            bytes(count.bytes)
        )
    };
    match report.verdict {
        Verdict::Planned => format!("{} to copy", objects_and_size(report.planned)),
        Verdict::Complete if report.planned.objects == 0 => "nothing to copy".to_owned(),
        Verdict::Complete => format!("{} copied", objects_and_size(report.copied)),
        Verdict::Incomplete if report.failed.objects > 0 => format!(
            "{} of {} failed",
            grouped(report.failed.objects),
            counted(report.planned.objects, "object")
        ),
        Verdict::Incomplete if report.not_chosen() > 0 && report.verified.agrees() => format!(
            "{} left undone in shards that were not chosen",
            counted(report.not_chosen(), "object")
        ),
        Verdict::Incomplete => format!(
            "{} missing and {} different at the target",
            grouped(report.verified.missing),
            grouped(report.verified.different)
        ),
    }
}
