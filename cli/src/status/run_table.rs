//! The latest runs: how far they are, or how they ended.

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use shardlift_core::{
    report::{Report, ReportedPair},
    value::{figures::duration, id::RunId, printable::Printable, time::Timestamp},
};

use super::run_place::RunPlace;
use crate::{
    Screen, connection::Connection, error::CommandError, machine::Execution, run_progress,
    screen::Tone, snapshot::Snapshot, speed::Speed,
};

/// Reports and ledgers that are read at once: a hundred runs take no longer than ten, and no service slows one person down.
const READS_AT_ONCE: usize = 16;

/// A run as it stands.
pub(super) struct LatestRun {
    execution: Execution,
    /// Of a run that has ended with one.
    report: Option<Report>,
    /// Of a run that goes on.
    progress: Option<Snapshot>,
    /// Where it reads and writes, where that is known.
    pub(super) place: Option<RunPlace>,
}

/// The latest runs, the newest first.
pub(super) async fn latest(
    connection: &Connection,
    count: u16,
) -> Result<Vec<LatestRun>, CommandError> {
    let executions = connection.machine.latest(count).await?;
    let runs = executions.into_iter().map(|execution| async move {
        let run = RunId::new(execution.name.as_str()).ok();
        let (mut report, mut progress) = (None, None);
        match &run {
            Some(run) if execution.is_running() => {
                progress = Some(Snapshot::read(&connection.ledger, run).await?);
            }
            Some(run) => report = connection.report(run).await?,
            None => {}
        }
        let reported = report.as_ref().and_then(|report| report.pair.as_ref());
        let place = match (reported, &run) {
            (Some(pair), _) => Some(RunPlace::of(pair)),
            (None, Some(run)) if report.is_none() => {
                let record = connection.run_record(run).await?;
                record.map(|record| RunPlace::of(&ReportedPair::of(&record)))
            }
            _ => None,
        };
        Ok(LatestRun {
            execution,
            report,
            progress,
            place,
        })
    });
    stream::iter(runs)
        .buffered(READS_AT_ONCE)
        .try_collect()
        .await
}

impl LatestRun {
    /// Its id.
    pub(super) fn name(&self) -> &str {
        &self.execution.name
    }

    /// Its verdict, or how its execution is.
    pub(super) fn word(&self) -> String {
        match &self.report {
            Some(report) => report.verdict.to_string(),
            None => self.execution.status.as_str().to_owned(),
        }
    }

    /// When it began, to the second: milliseconds tell nobody anything here.
    pub(super) fn started(&self) -> String {
        let started = self.execution.started_at.to_string();
        format!("{}Z", started.split('.').next().unwrap_or_default())
    }

    /// How it ended, in short.
    pub(super) fn end_json(&self) -> Value {
        let execution = &self.execution;
        json!({
            "run_id": execution.name, "status": execution.status.as_str(),
            "verdict": self.report.as_ref().map(|report| report.verdict),
            "started_at": execution.started_at.to_string(),
            "ended_at": execution.ended_at.map(|at| at.to_string()),
        })
    }

    /// As a row of the document. `pair` is the name of the further pair whose run it is.
    pub(super) fn json(&self, pair: Option<&str>) -> Value {
        let (execution, report) = (&self.execution, self.report.as_ref());
        let progress = self.progress.as_ref().map(|progress| {
            json!({
                "phase": progress.phase.as_str(),
                "listed": progress.listed, "planned": progress.planned,
                "settled": progress.settled, "copied": progress.copied, "failed": progress.failed,
                "shards_done": progress.shards_done, "shards": progress.shards, "round": progress.round,
            })
        });
        json!({
            "run_id": execution.name, "pair": pair, "status": execution.status.as_str(),
            "verdict": report.map(|report| report.verdict),
            "summary": report.map(|report| report.headline().summary),
            "progress": progress,
            "started_at": execution.started_at.to_string(),
            "ended_at": execution.ended_at.map(|at| at.to_string()),
        })
    }

    /// In one line, or with its headline below where that does not fit.
    pub(super) fn write(
        &self,
        now: Timestamp,
        pair: Option<&str>,
        screen: &mut Screen,
    ) -> std::io::Result<()> {
        let (execution, word) = (&self.execution, self.word());
        let tone = match word.as_str() {
            "COMPLETE" | "PLANNED" => Tone::Good,
            "RUNNING" => Tone::Strong,
            _ => Tone::Bad,
        };
        let end = match execution.is_running() {
            true => Some(now),
            false => execution.ended_at,
        };
        let took = end
            .map(|end| duration(end.since(execution.started_at)))
            .unwrap_or_default();
        let summary = match (&self.report, &self.progress) {
            (Some(report), _) => report.headline().summary,
            (None, Some(progress)) => run_progress::line(progress, &Speed::default()),
            (None, None) => String::new(),
        };
        let summary = match pair {
            Some(pair) => format!("{pair}: {}", Printable(&summary)),
            None => Printable(&summary).to_string(),
        };
        let started = self.started();
        let word = format!("{word:<10}");
        let rest = format!("{:<24} {started} {took:>11}", execution.name);
        let toned = screen.toned(tone, &word);
        let whole = format!("{toned}  {rest}  {summary}");
        if screen.fits(word.len() + rest.chars().count() + summary.chars().count() + 4) {
            return writeln!(screen.out(), "{}", whole.trim_end());
        }
        if screen.fits(word.len() + rest.trim_end().chars().count() + 2) {
            writeln!(screen.out(), "{toned}  {}", rest.trim_end())?;
        } else {
            writeln!(screen.out(), "{toned}  {}", execution.name)?;
            screen.paragraph(Tone::Plain, 2, format!("{started} {took}").trim_end())?;
        }
        if !summary.is_empty() {
            screen.paragraph(Tone::Plain, 2, &summary)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen::paper::Paper;
    use aws_sdk_sfn::types::ExecutionStatus;

    #[test]
    fn a_run_is_one_line_where_that_fits() {
        let execution = Execution {
            name: "run-20261122T014501123".into(),
            status: ExecutionStatus::Aborted,
            started_at: Timestamp::from_millis(1_795_311_901_123),
            ended_at: Some(Timestamp::from_millis(1_795_311_961_123)),
            error: None,
            cause: None,
            input: None,
        };
        for columns in [200, 80] {
            let (screen, paper) = Paper::in_a_screen();
            let mut screen = screen.with_columns(columns);
            let run = LatestRun {
                execution: execution.clone(),
                report: None,
                progress: None,
                place: None,
            };
            run.write(Timestamp::default(), None, &mut screen).unwrap();
            assert_eq!(
                paper.text(),
                "ABORTED     run-20261122T014501123   2026-11-22T01:45:01Z   1 min 0 s\n"
            );
        }
    }

    #[test]
    fn a_run_that_goes_on_tells_how_far_it_is() {
        let started_at = Timestamp::from_millis(1_795_311_901_123);
        let run = LatestRun {
            execution: Execution {
                started_at,
                ..Execution::with_status(ExecutionStatus::Running)
            },
            report: None,
            progress: Some(Snapshot::default()),
            place: None,
        };
        let (mut screen, paper) = Paper::in_a_screen();
        let now = Timestamp::from_millis(1_795_311_961_123);
        run.write(now, Some("logs"), &mut screen).unwrap();
        assert!(
            paper
                .text()
                .contains("1 min 0 s  logs: starting: the planner checks"),
            "{}",
            paper.text()
        );
        assert_eq!(run.json(None)["progress"]["phase"], "starting");
    }
}
