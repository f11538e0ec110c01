//! How a run ended, and what a person does after it.

use serde_json::{Value, json};
use shardlift_aws::SystemClock;
use shardlift_core::{
    port::Clock,
    report::{
        FailureExamples, Report,
        view::{NextStep, ReportView},
    },
    run::record::RunRecord,
    value::id::RunId,
};

use crate::{connection::Connection, error::CommandError, machine::Execution, snapshot::Snapshot};

/// A run, as it is or ended.
pub(crate) struct RunEnd {
    pub(crate) run: RunId,
    pub(crate) execution: Execution,
    /// Its report; nothing while it goes on, and after an end that nobody could report.
    pub(crate) report: Option<Report>,
    /// The ledger's record; nothing before the plan.
    pub(crate) record: Option<RunRecord>,
    /// What a person does next; nothing while it goes on.
    pub(crate) steps: Vec<NextStep>,
}

impl RunEnd {
    /// Reads how a run ended.
    pub(crate) async fn read(connection: &Connection, run: &RunId) -> Result<Self, CommandError> {
        let execution = connection.machine.describe(run).await?;
        Self::of(connection, run, execution).await
    }

    /// The same, of this execution.
    pub(crate) async fn of(
        connection: &Connection,
        run: &RunId,
        execution: Execution,
    ) -> Result<Self, CommandError> {
        let mut end = Self {
            run: run.clone(),
            execution,
            report: None,
            record: connection.run_record(run).await?,
            steps: Vec::new(),
        };
        if end.execution.is_running() {
            return Ok(end);
        }
        end.report = connection.report(run).await?;
        end.steps = match &end.report {
            Some(report) => ReportView::new(report, &FailureExamples::new()).next_steps,
            None => {
                let snapshot = Snapshot::read(&connection.ledger, run).await?;
                let now = SystemClock.now();
                let copying_until = snapshot.leased_until.filter(|&until| until > now);
                NextStep::without_report(run, end.record.as_ref(), copying_until)
            }
        };
        Ok(end)
    }

    /// The word for how it is: the verdict, or the state of an execution without a report.
    pub(crate) fn word(&self) -> String {
        match &self.report {
            Some(report) => report.verdict.to_string(),
            None => self.execution.status.as_str().to_owned(),
        }
    }

    /// The next steps, each with its sentence and the command that takes it.
    pub(crate) fn steps_json(&self, flags: &str) -> Vec<Value> {
        steps_json(
            &self.steps,
            &self.run,
            flags,
            self.execution.input.as_deref(),
        )
    }
}

/// The steps after a run for programs.
pub(crate) fn steps_json(
    steps: &[NextStep],
    run: &RunId,
    flags: &str,
    typed: Option<&str>,
) -> Vec<Value> {
    let step = |step: &NextStep| {
        let input = step.input();
        let input: Option<Value> = input.and_then(|input| serde_json::from_str(&input).ok());
        json!({
            "sentence": step.sentence(),
            "command": step.command(run, flags, typed),
            "input": input,
        })
    };
    steps.iter().map(step).collect()
}
