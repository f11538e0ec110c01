//! What the state machine receives after an invocation.

use shardlift_core::{
    report::Report,
    run::event::{
        EVENT_VERSION, IndexLocation, ReporterEvent, ReporterResult, ReporterStatus, RunKind,
    },
};

/// Builds the result of an invocation.
pub(crate) struct Reply<'a> {
    pub(crate) event: &'a ReporterEvent,
    /// The most copiers at once in another round.
    pub(crate) max_concurrency: u32,
    /// Which function works on the shards of another round.
    pub(crate) kind: RunKind,
}

impl Reply<'_> {
    /// The run is reported.
    pub(crate) fn reported(&self, report: &Report) -> ReporterResult {
        ReporterResult {
            status: report.status(self.event.problem.is_some()),
            code: report.leading_code(),
            summary: summary(report),
            ..self.again("")
        }
    }

    /// The copiers have another round.
    pub(crate) fn round(&self, index: IndexLocation) -> ReporterResult {
        let round = self.event.round + 1;
        ReporterResult {
            status: ReporterStatus::Round,
            round,
            index: Some(index),
            summary: format!("round {round} offers what is not done"),
            ..self.again("")
        }
    }

    /// The reporter has another invocation, which goes on with `step`.
    pub(crate) fn again(&self, step: &str) -> ReporterResult {
        ReporterResult {
            schema_version: EVENT_VERSION,
            status: ReporterStatus::Continue,
            round: self.event.round,
            index: None,
            max_concurrency: self.max_concurrency,
            kind: self.kind,
            code: String::new(),
            summary: step.to_owned(),
        }
    }
}

/// The headline, and for what broke the message behind it: this is all that the console's execution page shows. It ends in
/// words by which the event rule of the stack knows that people were told.
fn summary(report: &Report) -> String {
    let location = report.address();
    match &report.problem {
        Some(problem) => format!(
            "{}. {}. {} The report ({location}) was sent.",
            report.headline(),
            problem.message.trim_end_matches('.'),
            problem.action
        ),
        None => format!("{}. The report ({location}) was sent.", report.headline()),
    }
}
