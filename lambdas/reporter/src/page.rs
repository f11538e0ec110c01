//! `report.html`: the one self-contained page that an operator opens from the notification.
//!
//! Nothing is loaded and no script runs: the content security policy forbids it, and every text from outside is escaped
//! by the template and made inert by [`Printable`].

mod chart;
mod charts;
mod sections;

use maud::{DOCTYPE, PreEscaped, html};
use shardlift_core::{
    access::preflight::Preflight,
    report::{FailureExamples, Report, view::ReportView},
    run::record::RunRecord,
    value::{arn::ExecutionArn, printable::Printable},
};

pub(crate) use self::charts::Charts;

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
                    header class=(verdict.to_lowercase()) {
                        p.verdict { (verdict) }
                        h1 { (inert(&view.headline.summary)) }
                        p.run { "Run " code { (report.run_id) } }
                        @if let Some(run) = self.run { (sections::pair(run)) }
                    }
                    main {
                        (sections::figures(&view))
                        (sections::problems(&view))
                        (sections::warnings(&view))
                        (sections::next_steps(&view))
                        @if report.copied.objects > 0 { (chart::throughput(self.charts)) }
                        @if report.shards.total > 0 && report.rounds > 0 { (chart::by_shard(self.charts)) }
                        (sections::cost(report, &view))
                        @if let Some(preflight) = self.preflight { (sections::preflight(preflight)) }
                        (sections::links(report, self.execution))
                    }
                    footer { "Written by Shardlift at " (report.ended_at) }
                }
            }
        }
        .into_string()
    }
}

/// A text from outside.
fn inert(text: &str) -> String {
    Printable(text).to_string()
}
