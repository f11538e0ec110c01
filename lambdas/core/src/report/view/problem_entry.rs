//! What broke and what failed.

use crate::{
    report::{
        failure_example::{FailureExample, FailureExamples},
        run_report::Report,
    },
    value::figures::counted,
};

/// What a problem concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// The run as a whole.
    RunBroke,
    /// Objects that failed for the same reason.
    ObjectsFailed,
}

impl ProblemKind {
    /// The heading over problems of this kind.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::RunBroke => "What broke",
            Self::ObjectsFailed => "What failed",
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
        let reasons = report.failed.most_frequent_first();
        let failed = reasons.into_iter().map(|(code, objects)| Self {
            kind: ProblemKind::ObjectsFailed,
            title: format!("{code}: {}", counted(objects, "object")),
            message: code.meaning().to_owned(),
            example: examples.get(&code).cloned(),
            action: code.action().to_owned(),
        });
        broke.into_iter().chain(failed).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        failure::{Failure, FailureCode},
        report::{ReportedProblem, run_report::tests::report},
    };

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
        let problems = ProblemEntry::all_of(&broken, &FailureExamples::new());
        let titles: Vec<_> = problems.iter().map(|p| p.title.as_str()).collect();
        assert_eq!(
            titles,
            [
                "ServiceFault in ReportRun",
                "Throttled: 3 objects",
                "AccessDenied: 2 objects",
                "SourceChanged: 2 objects"
            ]
        );
    }
}
