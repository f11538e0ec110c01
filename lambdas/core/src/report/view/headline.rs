//! The first line of a report.

use crate::{
    report::{run_report::Report, verdict::Verdict},
    run::option::Mode,
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
        // What failed in a mirror may be deletions, which are not among the objects to copy.
        Verdict::Incomplete if report.failed.objects > 0 && report.mode == Some(Mode::Mirror) => {
            format!("{} failed", counted(report.failed.objects, "object"))
        }
        Verdict::Incomplete if report.failed.objects > 0 => format!(
            "{} of {} failed",
            grouped(report.failed.objects),
            counted(report.planned.objects, "object")
        ),
        Verdict::Incomplete if report.not_chosen() > 0 && report.verified.agrees() => format!(
            "{} left undone in shards that were not chosen",
            counted(report.not_chosen(), "object")
        ),
        Verdict::Incomplete if report.verified.agrees() => format!(
            "{} of {} not finished",
            grouped(report.shards.total.saturating_sub(report.shards.done)),
            counted(report.shards.total, "shard")
        ),
        Verdict::Incomplete => format!(
            "{} missing and {} different at the target",
            grouped(report.verified.missing),
            grouped(report.verified.different)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{failure::FailureCode, report::run_report::tests::report, value::tally::Count};

    #[test]
    fn failed_deletions_are_not_set_against_the_objects_to_copy() {
        let mut mirror = report();
        mirror.mode = Some(Mode::Mirror);
        for _ in 0..3 {
            mirror.failed.add_object(FailureCode::AccessDenied, 1);
        }
        assert_eq!(summary(&mirror), "3 objects failed");
        mirror.mode = Some(Mode::Sync);
        mirror.planned = Count {
            objects: 7,
            bytes: 7,
        };
        assert_eq!(summary(&mirror), "3 of 7 objects failed");
    }

    #[test]
    fn a_run_without_failures_says_why_it_is_incomplete() {
        let mut unfinished = report();
        (unfinished.shards.total, unfinished.shards.done) = (4, 3);
        assert_eq!(summary(&unfinished), "1 of 4 shards not finished");
        unfinished.verified.missing = 2;
        assert_eq!(
            summary(&unfinished),
            "2 missing and 0 different at the target"
        );
    }
}
