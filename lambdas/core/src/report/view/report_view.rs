//! The whole report, as people read it.

use super::{
    figure::Figure, headline::Headline, next_step::NextStep, problem_entry::ProblemEntry,
    warning::Warning,
};
use crate::report::{failure_example::FailureExamples, run_report::Report};

/// A report as people read it. The fields are in the order in which they are shown, and so are the entries of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportView {
    /// The verdict and its reason.
    pub headline: Headline,
    /// Counts, times and costs.
    pub figures: Vec<Figure>,
    /// What broke, then what failed, the most frequent reason first.
    pub problems: Vec<ProblemEntry>,
    /// What a person must know besides.
    pub warnings: Vec<Warning>,
    /// What to do next.
    pub next_steps: Vec<NextStep>,
    /// What the costs among the figures are made of, and what they leave out.
    pub price_scope: String,
}

impl ReportView {
    /// The view of a report. `examples` has a failed object for each reason where they are known.
    #[must_use]
    pub fn new(report: &Report, examples: &FailureExamples) -> Self {
        Self {
            headline: report.headline(),
            figures: Figure::all_of(report),
            problems: ProblemEntry::all_of(report, examples),
            warnings: Warning::all_of(report),
            next_steps: NextStep::all_of(report),
            price_scope: report.cost_usd.prices.scope(),
        }
    }
}
