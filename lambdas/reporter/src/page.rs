//! `report.html`: the one self-contained page that an operator opens from the notification.
//!
//! Nothing is loaded and no script runs: the content security policy forbids it, and every text from outside is escaped
//! by the template and made inert by [`Printable`].

mod chart;
mod charts;
mod failed_objects;
mod sections;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use shardlift_core::{
    access::preflight::Preflight,
    report::{FailureExamples, Report, Verdict, view::ReportView},
    run::record::RunRecord,
    value::{arn::ExecutionArn, printable::Printable},
};

pub(crate) use self::{charts::Charts, failed_objects::FailedObjects};

const STYLE: &str = include_str!("page/style.css");

/// What the page shows.
pub(crate) struct ReportPage<'a> {
    /// The report.
    pub(crate) report: &'a Report,
    /// The record of the run; absent when its input was refused.
    pub(crate) run: Option<&'a RunRecord>,
    /// The run's execution.
    pub(crate) execution: &'a ExecutionArn,
    /// An example of each reason.
    pub(crate) examples: &'a FailureExamples,
    /// The failed objects.
    pub(crate) failed: &'a FailedObjects,
    /// What the charts show.
    pub(crate) charts: &'a Charts,
    /// The permission checks before the run.
    pub(crate) preflight: Option<&'a Preflight>,
}

impl ReportPage<'_> {
    /// The page as HTML.
    pub(crate) fn render(&self) -> String {
        let report = self.report;
        let view = ReportView::new(report, self.examples);
        let verdict = view.headline.verdict.to_string();
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy"
                        content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
                    meta name="referrer" content="no-referrer";
                    title { (verdict) " · " (report.run_id) " · Shardlift" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header class=(header_class(report)) {
                        p.verdict { (verdict) }
                        h1 { (inert(&view.headline.summary)) }
                        p.run { "Run " code { (report.run_id) } }
                        @if let Some(run) = self.run { (sections::pair(run)) }
                    }
                    main {
                        // What a person must do comes first, where there is anything.
                        (sections::to_start(&view, report, self.execution))
                        (sections::problems(&view))
                        (sections::figures(&view))
                        (sections::warnings(&view))
                        (sections::next_steps(&view))
                        (self.failed.section(report))
                        @if let Some(run) = self.run { (failed_objects::storage_classes(run)) }
                        (self.charts())
                        (sections::cost(report, &view))
                        @if let Some(preflight) = self.preflight { (sections::preflight(preflight)) }
                        (sections::links(report, self.execution))
                    }
                    footer { "Written by Shardlift on " time datetime=(report.ended_at) { (report.ended_at.for_people()) } }
                }
            }
        }
        .into_string()
    }

    /// A single shard without a checkpoint would be a flat line that says nothing.
    fn charts(&self) -> Markup {
        let report = self.report;
        let are_several = report.shards.total > 1;
        html! {
            @if report.copied.objects > 0 && (are_several || self.charts.is_sampled()) {
                (chart::throughput(self.charts))
            }
            @if report.rounds > 0 && are_several { (chart::by_shard(self.charts)) }
        }
    }
}

/// An incomplete run of which this share of the objects or less failed, in percent, is amber instead of red.
const FEW_FAILED_PERCENT: u64 = 1;

/// The verdict's color. A run that broke is red, however little is missing.
fn header_class(report: &Report) -> &'static str {
    let failed = report.failed.objects;
    let is_whole = report.problem.is_none() && report.shards.done == report.shards.total;
    match report.verdict {
        Verdict::Complete => "complete",
        Verdict::Planned => "planned",
        Verdict::Incomplete
            if is_whole
                && failed.saturating_mul(100) <= report.planned.objects * FEW_FAILED_PERCENT =>
        {
            "incomplete few"
        }
        Verdict::Incomplete => "incomplete",
    }
}

/// A text from outside.
fn inert(text: &str) -> String {
    Printable(text).to_string()
}
