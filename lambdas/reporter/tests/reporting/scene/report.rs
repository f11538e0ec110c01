//! Calls of the reporter, and what it returned, wrote and published.

use std::{collections::BTreeMap, time::Duration};

use shardlift_core::{
    documents::control_key,
    failure::Failure,
    port::Notification,
    report::Report,
    run::event::{Problem, ReporterEvent, ReporterResult, ReporterStatus},
    value::{cell::from_cell, deadline::Deadline, id::RunId},
};

use super::{BEGAN_AT, REPORTED_AT, Scene, execution, run_id};

impl Scene {
    /// The reporter after a round.
    pub(crate) async fn report(&self, round: u32) -> Result<ReporterResult, Failure> {
        self.call(run_id(), round, None).await
    }

    /// The reporter of the run after the first round, and its report.
    pub(crate) async fn reported(&self) -> Report {
        self.report(1).await.unwrap();
        self.written_report()
    }

    /// The reporter after a state that broke.
    pub(crate) async fn report_problem(&self, problem: Problem) -> Result<ReporterResult, Failure> {
        self.call(run_id(), 1, Some(problem)).await
    }

    /// The reporter of a run that the ledger does not know, after a state that broke.
    pub(crate) async fn report_unknown(&self, problem: Problem) -> Result<ReporterResult, Failure> {
        self.call(RunId::new("unknown").unwrap(), 1, Some(problem))
            .await
    }

    /// The reporter of a run with this input, after the first round.
    pub(crate) async fn report_of(&self, input: serde_json::Value) -> ReporterResult {
        let deadline = Deadline::new(REPORTED_AT, REPORTED_AT.plus(Duration::from_secs(900)));
        let event = ReporterEvent {
            input: input.into(),
            ..event(run_id(), 1, None)
        };
        self.reporter.report(&event, deadline).await.unwrap()
    }

    async fn call(
        &self,
        run_id: RunId,
        round: u32,
        problem: Option<Problem>,
    ) -> Result<ReporterResult, Failure> {
        let deadline = Deadline::new(REPORTED_AT, REPORTED_AT.plus(Duration::from_secs(900)));
        self.reporter
            .report(&event(run_id, round, problem), deadline)
            .await
    }

    /// The reporter, whose deadline is near before it begins.
    pub(crate) async fn report_with_little_time(&self) -> ReporterResult {
        let event = event(run_id(), 1, None);
        let deadline = Deadline::new(BEGAN_AT, BEGAN_AT);
        self.reporter.report(&event, deadline).await.unwrap()
    }

    /// The reporter, called again and again while it asks for it, with so little time that each call looks at its
    /// deadline after its first page. Returns the number of calls and the last result.
    pub(crate) async fn report_in_little_time(&self) -> (u32, ReporterResult) {
        for calls in 1..1_000 {
            let result = self.report_with_little_time().await;
            if result.status != ReporterStatus::Continue {
                return (calls, result);
            }
        }
        panic!("the reporter asks to be called for ever");
    }

    pub(crate) fn index(&self, result: &ReporterResult) -> Vec<String> {
        let body = self
            .reporter
            .control
            .body(&result.index.as_ref().unwrap().key)
            .unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// A document of the report of the run.
    pub(crate) fn document(&self, document: &str) -> Vec<u8> {
        self.reporter
            .control
            .body(&control_key::report_document(&run_id(), document))
            .unwrap()
    }

    pub(crate) fn written_report(&self) -> Report {
        serde_json::from_slice(&self.document("report.json")).unwrap()
    }

    /// The rows of `failures.csv` in order of their keys, without the header.
    pub(crate) fn failures_csv(&self) -> Vec<Vec<String>> {
        let body = self.document("failures.csv");
        let mut rows: Vec<Vec<String>> = csv::Reader::from_reader(body.as_slice())
            .records()
            .map(|row| row.unwrap().iter().map(str::to_owned).collect())
            .collect();
        rows.sort();
        rows
    }

    /// How each key of `differences.csv` differs; none where there is no such document.
    pub(crate) fn differences(&self) -> BTreeMap<String, String> {
        let key = control_key::report_document(&run_id(), "differences.csv");
        let Some(body) = self.reporter.control.body(&key) else {
            return BTreeMap::new();
        };
        let mut rows = csv::Reader::from_reader(body.as_slice());
        let rows = rows.records().map(Result::unwrap);
        rows.map(|row| (from_cell(&row[0]), row[1].to_owned()))
            .collect()
    }

    pub(crate) fn published(&self) -> Vec<Notification> {
        self.reporter.notifier.published()
    }
}

fn event(run_id: RunId, round: u32, problem: Option<Problem>) -> ReporterEvent {
    ReporterEvent {
        schema_version: 1,
        run_id,
        execution_arn: execution(),
        started_at: BEGAN_AT,
        input: serde_json::json!({}).into(),
        round,
        problem,
    }
}
