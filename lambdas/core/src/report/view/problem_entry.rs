//! What broke and what failed.

use crate::{
    failure::FailureCode,
    report::{
        failure_example::{FailedWork, FailureExample, FailureExamples},
        run_report::Report,
        verdict::Verdict,
    },
    value::figures::{counted, grouped},
};

/// What a problem concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The run as a whole.
    RunBroke,
    /// Objects that failed for the same reason.
    ObjectsFailed,
    /// Deletions that failed for the same reason.
    DeletionsFailed,
    /// Deletions that were not made because there are too many.
    DeletionsHeld,
}

impl ProblemKind {
    /// The heading over problems of this kind.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::RunBroke => "What broke",
            Self::ObjectsFailed => "What failed",
            Self::DeletionsFailed => "What could not be deleted",
            Self::DeletionsHeld => "What was held",
        }
    }
}

/// A problem, and what a person does about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProblemEntry {
    /// What it concerns.
    pub kind: ProblemKind,
    /// The failure code, and where it happened or to how many objects.
    pub title: String,
    /// What happened; may have several lines, and may come from outside.
    pub message: String,
    /// A failed object with this problem.
    pub example: Option<FailureExample>,
    /// What a person does about it.
    pub action: String,
}

impl ProblemEntry {
    /// The problems of a report: what broke, then what failed, the most frequent reason first.
    pub(super) fn all_of(report: &Report, examples: &FailureExamples) -> Vec<Self> {
        let broke = report.problem.as_ref().map(|problem| Self {
            kind: ProblemKind::RunBroke,
            title: format!("{} in {}", problem.code, problem.state),
            message: problem.message.clone(),
            example: None,
            action: problem.action.clone(),
        });
        let entry = |kind, work, noun| {
            move |(code, objects): (FailureCode, u64)| Self {
                kind,
                title: format!("{code}: {}", counted(objects, noun)),
                message: code.meaning().to_owned(),
                example: examples.get(&(work, code)).cloned(),
                action: code.action().to_owned(),
            }
        };
        let failed = report.failed.most_frequent_first().into_iter().map(entry(
            ProblemKind::ObjectsFailed,
            FailedWork::Copy,
            "object",
        ));
        let undeleted = report.deleted.failures_first().into_iter().map(entry(
            ProblemKind::DeletionsFailed,
            FailedWork::Delete,
            "deletion",
        ));
        let held = Self::held(report);
        let problems = broke.into_iter().chain(failed);
        problems.chain(undeleted).chain(held).collect()
    }

    fn held(report: &Report) -> Option<Self> {
        // A run that only plans warns of it, and holds nothing.
        let limits = report.deleted.exceeds?;
        if report.verdict == Verdict::Planned {
            return None;
        }
        let code = FailureCode::DeleteLimitExceeded;
        let planned = report.deleted.planned;
        let message = if limits.deletable == 0 {
            format!(
                "{} held by the run that this is a rerun of, because there were more than its limits allow. None was made.",
                counted(planned, "deletion")
            )
        } else if limits.empty_source {
            format!(
                "No object of the source takes part, so the mirror would delete all {} at the target that its globs admit. None was deleted: check source.prefix and filters. Only a run with allow_empty_source = true deletes when its source is empty, within its other limits.",
                counted(planned, "object"),
            )
        } else {
            format!(
                "The mirror would delete {} of {} at the target that its globs admit: more than delete_max_percent = {} and delete_max_objects = {} allow. None was deleted.",
                grouped(planned),
                counted(limits.deletable, "object"),
                limits.delete_max_percent,
                grouped(limits.delete_max_objects)
            )
        };
        Some(Self {
            kind: ProblemKind::DeletionsHeld,
            title: format!("{code}: {}", counted(planned, "deletion")),
            message,
            example: None,
            action: code.action().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failure::{Failure, FailureCode},
        report::{DeleteLimits, ReportedProblem, run_report::tests::report},
    };

    #[test]
    fn held_deletions_are_counted_against_both_limits() {
        let mut held = report();
        (held.deleted.planned, held.deleted.held) = (1_200, 1_200);
        held.deleted.exceeds = Some(DeleteLimits {
            deletable: 1_300,
            delete_max_percent: 5,
            delete_max_objects: 10,
            empty_source: false,
        });
        let problems = ProblemEntry::all_of(&held, &FailureExamples::new());
        assert_eq!(problems[0].title, "DeleteLimitExceeded: 1,200 deletions");
        assert_eq!(
            problems[0].message,
            "The mirror would delete 1,200 of 1,300 objects at the target that its globs admit: more than delete_max_percent = 5 and delete_max_objects = 10 allow. None was deleted."
        );
        assert_eq!(held.leading_code(), "DeleteLimitExceeded");
        assert_eq!(
            held.headline().summary,
            "1,200 deletions held, nothing copied"
        );
        held.verdict = Verdict::Planned;
        assert_eq!(ProblemEntry::all_of(&held, &FailureExamples::new()), []);
    }

    #[test]
    fn what_broke_leads_and_the_most_frequent_reason_follows() {
        let mut broken = report();
        broken.problem = Some(ReportedProblem::of_failure(
            "ReportRun",
            &Failure::new(FailureCode::ServiceFault, "no response"),
        ));
        for (code, objects) in [
            (FailureCode::AccessDenied, 2),
            (FailureCode::Throttled, 3),
            (FailureCode::SourceChanged, 2),
        ] {
            for _ in 0..objects {
                broken.failed.add_object(code, 1);
            }
        }
        broken.deleted.failed = 1;
        broken.deleted.failed_by_reason = [(FailureCode::AccessDenied, 1)].into();
        let problems = ProblemEntry::all_of(&broken, &FailureExamples::new());
        let titles: Vec<_> = problems.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "ServiceFault in ReportRun",
                "Throttled: 3 objects",
                "AccessDenied: 2 objects",
                "SourceChanged: 2 objects",
                "AccessDenied: 1 deletion"
            ]
        );
    }
}
