//! `shardlift stop`: stops a run, waits for its copiers, aborts its unfinished uploads, and says what to start.
//!
//! A second call does what the first one could not do, and nothing else. No object is ever deleted.

mod uploads;

use std::time::Duration;

use serde_json::{Value, json};
use shardlift_aws::SystemClock;
use shardlift_core::{
    port::{Clock, Ledger},
    value::{figures::counted, id::RunId, printable::Printable, time::Timestamp},
};

use self::uploads::Swept;
use crate::{
    Ending, Screen, arguments::StackArguments, connection::Connection, error::CommandError,
    next_step_text::write_next_steps, run_arguments::StopArguments, run_end::RunEnd, screen::Tone,
    shell, snapshot::Snapshot, watch,
};

/// How many runs are looked through for one that goes on.
const RUNS_LOOKED_THROUGH: u16 = 100;
/// The pause between two looks at the copiers.
const PAUSE: Duration = Duration::from_secs(2);

/// Stops a run.
pub(crate) async fn stop(
    stack: &StackArguments,
    connection: &Connection,
    arguments: &StopArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let run = match &arguments.run {
        Some(run) => run.clone(),
        None => only_running(connection).await?,
    };
    let was_running = connection.machine.describe(&run).await?.is_running();
    let again = format!("shardlift {}stop {}", connection.flags, shell::quoted(&run));
    if was_running {
        connection.machine.stop(&run).await?;
        screen.note(&format!(
            "run {run} is stopped. Ctrl-C ends only the wait. To continue it:\n  {again}"
        ))?;
    }
    let execution = watch::end_of(|| connection.machine.describe(&run), &again).await?;
    // Read once more after the copiers have ended: what there is to do then depends on it.
    let mut end = RunEnd::of(connection, &run, execution).await?;
    let mut swept = Swept::Nothing;
    if end.report.is_none() {
        if !arguments.no_wait {
            wait_for_copiers(&connection.ledger, &run, screen).await?;
            end = RunEnd::of(connection, &run, end.execution).await?;
        }
        let profile = arguments.target_profile.as_deref();
        swept = uploads::sweep(stack, profile, connection, &end).await?;
    }
    let stopped = Stopped {
        end: &end,
        was_running,
        swept: &swept,
        again: &again,
    };
    if screen.is_json() {
        screen.json(stopped.json(&connection.flags))?;
    } else {
        stopped.write(&connection.flags, screen)?;
    }
    Ok(match swept {
        Swept::Nothing | Swept::Aborted(_) => Ending::Good,
        Swept::Left { .. } => Ending::Incomplete,
    })
}

/// The run to stop where none is named: the one that goes on, if there is just one.
async fn only_running(connection: &Connection) -> Result<RunId, CommandError> {
    let latest = connection.machine.latest(RUNS_LOOKED_THROUGH).await?;
    let running: Vec<_> = latest.iter().filter(|run| run.is_running()).collect();
    match running[..] {
        [run] => RunId::new(run.name.as_str())
            .map_err(|invalid| CommandError::usage(invalid.to_string())),
        [] => Err(CommandError::usage(format!(
            "no run is in progress. To abort what an ended run left: shardlift {}stop RUN",
            connection.flags
        ))),
        _ => {
            let names: Vec<_> = running.iter().map(|run| run.name.as_str()).collect();
            Err(CommandError::usage(format!(
                "{} are in progress; name the one to stop: {}",
                counted(names.len() as u64, "run"),
                Printable(&names.join(", "))
            )))
        }
    }
}

/// Waits until no copier works for the run any more: each ends with its invocation, within 15 minutes.
async fn wait_for_copiers(
    ledger: &impl Ledger,
    run: &RunId,
    screen: &mut Screen,
) -> Result<(), CommandError> {
    let mut told = None;
    loop {
        let snapshot = Snapshot::read(ledger, run).await?;
        let now = SystemClock.now();
        let Some(until) = snapshot.leased_until.filter(|&until| until > now) else {
            return Ok(());
        };
        if told != Some(until) {
            screen.note(&format!(
                "copiers may still be working, until {} at the latest; waiting for them",
                until.for_people()
            ))?;
            told = Some(until);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// What became of a run that was to be stopped.
struct Stopped<'a> {
    end: &'a RunEnd,
    was_running: bool,
    swept: &'a Swept,
    /// The command that tries the rest again.
    again: &'a str,
}

impl Stopped<'_> {
    fn write(&self, flags: &str, screen: &mut Screen) -> Result<(), CommandError> {
        let (end, run) = (self.end, &self.end.run);
        let word = end.word();
        let tone = match end.report {
            Some(_) => Tone::Strong,
            None => Tone::Bad,
        };
        let word = screen.toned(tone, &word);
        let how = match (self.was_running, &end.report) {
            (true, None) => "was stopped",
            (true, Some(_)) => "ended before it could be stopped",
            (false, _) => "had already ended",
        };
        writeln!(screen.out(), "{word}  run {run} {how}")?;
        let (tone, sentence) = match self.swept {
            Swept::Nothing => (
                Tone::Plain,
                "It left no unfinished upload at the target.".into(),
            ),
            Swept::Aborted(count) => (
                Tone::Plain,
                format!(
                    "{} at the target aborted.",
                    counted(*count, "unfinished upload")
                ),
            ),
            Swept::Left { why, .. } => (Tone::Bad, why.clone()),
        };
        if end.report.is_none() {
            screen.paragraph(tone, 2, &sentence)?;
        }
        if let Swept::Left { .. } = self.swept {
            screen.paragraph(Tone::Plain, 2, &format!("Then: {}", self.again))?;
        }
        if let Some(report) = &end.report {
            let summary = Printable(&report.headline().summary).to_string();
            screen.paragraph(Tone::Plain, 2, &summary)?;
        }
        write_next_steps(&end.steps, run, flags, None, screen)?;
        Ok(())
    }

    fn json(&self, flags: &str) -> Value {
        let (aborted, left, why) = match self.swept {
            Swept::Nothing => (0, Some(0), None),
            Swept::Aborted(count) => (*count, Some(0), None),
            Swept::Left { aborted, left, why } => (*aborted, *left, Some(why)),
        };
        let verdict = self.end.report.as_ref().map(|report| report.verdict);
        json!({
            "run_id": self.end.run, "status": self.end.execution.status.as_str(), "verdict": verdict,
            "stopped": self.was_running && self.end.report.is_none(),
            "ended_at": self.end.execution.ended_at.map(|at: Timestamp| at.to_string()),
            "uploads": {"aborted": aborted, "left": left, "why": why},
            "next_steps": self.end.steps_json(flags),
        })
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::types::ExecutionStatus;
    use shardlift_core::report::{Remedy, view::NextStep};

    use super::*;
    use crate::{machine::Execution, screen::paper::Paper};

    fn end() -> RunEnd {
        let run = RunId::new("nightly-1").unwrap();
        RunEnd {
            execution: Execution::with_status(ExecutionStatus::Aborted),
            report: None,
            record: None,
            steps: vec![NextStep::Start(Remedy::Rerun { of: run.clone() })],
            run,
        }
    }

    fn shown(swept: &Swept, columns: usize) -> String {
        let (screen, paper) = Paper::in_a_screen();
        let mut screen = screen.with_columns(columns);
        let stopped = Stopped {
            end: &end(),
            was_running: true,
            swept,
            again: "shardlift --local stop nightly-1",
        };
        stopped.write("--local ", &mut screen).unwrap();
        paper.text()
    }

    #[test]
    fn a_stopped_run_says_what_became_of_its_uploads_and_what_to_start() {
        let text = shown(&Swept::Aborted(2), 80);
        assert!(
            text.starts_with("ABORTED  run nightly-1 was stopped\n"),
            "{text}"
        );
        assert!(
            text.contains("2 unfinished uploads at the target aborted."),
            "{text}"
        );
        assert!(text.contains("shardlift --local start --rerun-of nightly-1 --watch"));
        let left = Swept::Left {
            aborted: 0,
            left: None,
            why: "these credentials may not list the uploads of s3://target".into(),
        };
        for columns in [60, 80] {
            let text = shown(&left, columns);
            assert!(
                text.contains("Then: shardlift --local stop nightly-1"),
                "{text}"
            );
        }
    }

    #[test]
    fn programs_learn_what_was_left() {
        let stopped = Stopped {
            end: &end(),
            was_running: false,
            swept: &Swept::Left {
                aborted: 1,
                left: Some(2),
                why: "refused".into(),
            },
            again: "",
        };
        let document = stopped.json("--local ");
        assert_eq!(document["stopped"], false);
        assert_eq!(
            document["uploads"],
            json!({"aborted": 1, "left": 2, "why": "refused"})
        );
        assert_eq!(document["next_steps"][0]["input"]["rerun_of"], "nightly-1");
    }
}
