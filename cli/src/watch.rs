//! `shardlift watch`: the progress of a run, then its report.

use std::{
    convert::Infallible,
    time::{Duration, Instant},
};

use serde_json::json;
use shardlift_core::{
    port::Ledger,
    value::{id::RunId, printable::Printable},
};

use crate::{
    Ending, Screen, connection::Connection, error::CommandError, machine::Execution,
    next_step_text::write_next_steps, report_text, run_end::RunEnd, run_progress::RunProgress,
    screen::Tone, shell, snapshot::Snapshot, speed::Speed,
};

/// The pause between two reads of the ledger.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// Reading the ledger of a very large run takes a while: it takes at most a tenth of the time.
const PAUSE_PER_READ: u32 = 10;

/// Whether the execution has ended is asked for on its own, however long a read of the ledger takes.
const PAUSE_PER_QUESTION: Duration = Duration::from_secs(1);
/// So many questions in a row may stay without a response.
const QUESTIONS_LOST_MAX: u32 = 5;

/// Watches a run until it ends, then shows its report.
pub(crate) async fn watch(
    connection: &Connection,
    run: &RunId,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let come_back = format!("shardlift {}watch {}", connection.flags, shell::quoted(run));
    if screen.redraws() {
        screen.note(&format!(
            "Ctrl-C ends watching, not the run. To come back:\n  {come_back}"
        ))?;
    }
    let mut progress = RunProgress::on(screen);
    let ended = tokio::select! {
        ended = end_of(|| connection.machine.describe(run), &come_back) => ended,
        // It shows progress until the run has ended, or an error.
        Err(error) = show_progress(&connection.ledger, run, &mut progress, screen) => {
            Err(error.while_watching(&come_back))
        }
    };
    progress.clear();
    let end = RunEnd::of(connection, run, ended?).await?;
    match &end.report {
        Some(report) => report_text::print(connection, report, screen).await,
        None => without_report(connection, &end, screen),
    }
}

/// The execution once it has ended. A question that gets no response is asked again: the run goes on without us.
pub(crate) async fn end_of<F: Future<Output = Result<Execution, CommandError>>>(
    describe: impl Fn() -> F,
    come_back: &str,
) -> Result<Execution, CommandError> {
    // So many in a row were lost; nothing before the first response, without which there is nothing to come back to.
    let mut lost = None;
    loop {
        match (describe().await, lost) {
            (Ok(execution), _) if !execution.is_running() => return Ok(execution),
            (Ok(_), _) => lost = Some(0),
            (Err(error), Some(before)) if error.is_transient() && before < QUESTIONS_LOST_MAX => {
                lost = Some(before + 1);
            }
            (Err(error), Some(_)) => return Err(error.while_watching(come_back)),
            (Err(error), None) => return Err(error),
        }
        tokio::time::sleep(PAUSE_PER_QUESTION).await;
    }
}

/// Shows the progress, for ever.
async fn show_progress(
    ledger: &impl Ledger,
    run: &RunId,
    progress: &mut RunProgress,
    screen: &mut Screen,
) -> Result<Infallible, CommandError> {
    let mut speed = Speed::default();
    loop {
        let read_at = Instant::now();
        // Without a response there is nothing new to show; the other question finds out how long that lasts.
        match Snapshot::read(ledger, run).await {
            Ok(snapshot) => {
                speed.note(read_at, snapshot.settled);
                progress.show(&snapshot, &speed, screen)?;
            }
            Err(fault) if fault.is_transient() => {}
            Err(fault) => return Err(fault.into()),
        }
        let pause = PAUSE_MIN.max(read_at.elapsed() * PAUSE_PER_READ);
        tokio::time::sleep(pause).await;
    }
}

/// The end of a run without a report: it was stopped or timed out, or the reporter failed.
fn without_report(
    connection: &Connection,
    end: &RunEnd,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let (run, execution, flags) = (&end.run, &end.execution, &connection.flags);
    if screen.is_json() {
        screen.json(json!({
            "run_id": run, "status": execution.status.as_str(), "verdict": null, "report": null,
            "error": execution.error, "cause": execution.cause, "next_steps": end.steps_json(flags),
        }))?;
    } else {
        write_end(run, execution, screen)?;
        write_next_steps(&end.steps, run, flags, None, screen)?;
    }
    Ok(Ending::Broken)
}

fn write_end(run: &RunId, execution: &Execution, screen: &mut Screen) -> std::io::Result<()> {
    let status = screen.toned(Tone::Bad, execution.status.as_str());
    writeln!(screen.out(), "{status}  run {run} ended without a report")?;
    if let Some(error) = &execution.error {
        let cause = execution.cause.as_deref().unwrap_or_default();
        writeln!(screen.out(), "  {}: {}", Printable(error), Printable(cause))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::types::ExecutionStatus;

    use super::*;
    use crate::screen::paper::Paper;

    #[test]
    fn a_run_without_a_report_shows_how_it_ended_and_nothing_in_it_acts_on_the_terminal() {
        let execution = Execution {
            error: Some("Stopped".into()),
            cause: Some("by\u{1b}[2J hand".into()),
            ..Execution::with_status(ExecutionStatus::Aborted)
        };
        let (mut screen, paper) = Paper::in_a_screen();
        let run = RunId::new("nightly-1").unwrap();
        write_end(&run, &execution, &mut screen).unwrap();
        let text = paper.text();
        assert!(
            text.starts_with("ABORTED  run nightly-1 ended without a report"),
            "{text}"
        );
        assert!(text.contains("Stopped: by\\u{1b}[2J hand"), "{text}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_is_seen_within_two_seconds_however_slow_the_ledger_is() {
        let start = tokio::time::Instant::now();
        let describe = || async move {
            let has_ended = start.elapsed() >= Duration::from_secs(5);
            Ok(Execution::with_status(if has_ended {
                ExecutionStatus::Succeeded
            } else {
                ExecutionStatus::Running
            }))
        };
        // A read of the ledger that takes a minute.
        let slow = tokio::time::sleep(Duration::from_secs(60));
        let ended = tokio::select! {
            ended = end_of(describe, "") => ended.unwrap(),
            () = slow => panic!("the ledger is waited for"),
        };
        assert_eq!(ended.status, ExecutionStatus::Succeeded);
        assert!(start.elapsed() < Duration::from_secs(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_comes_back_is_no_end() {
        let asked = std::cell::Cell::new(0);
        let lost = || CommandError::Unreachable {
            operation: "states:DescribeExecution".into(),
            reason: "timed out".into(),
        };
        let describe = || {
            asked.set(asked.get() + 1);
            let question = asked.get();
            async move {
                match question {
                    2 | 3 => Err(lost()),
                    5 => Ok(Execution::with_status(ExecutionStatus::Failed)),
                    _ => Ok(Execution::with_status(ExecutionStatus::Running)),
                }
            }
        };
        let come_back = "shardlift watch nightly-1";
        let ended = end_of(describe, come_back).await.unwrap();
        assert_eq!(ended.status, ExecutionStatus::Failed);
        let never = end_of(|| async { Err(lost()) }, come_back).await;
        assert!(never.unwrap_err().is_transient(), "there was nothing yet");
        asked.set(0);
        let describe = || {
            asked.set(asked.get() + 1);
            let question = asked.get();
            async move {
                match question {
                    1 => Ok(Execution::with_status(ExecutionStatus::Running)),
                    _ => Err(lost()),
                }
            }
        };
        let told = end_of(describe, come_back).await.unwrap_err().to_string();
        assert_eq!(
            told,
            "the connection is lost (timed out). The run continues. To come back: shardlift watch nightly-1"
        );
    }
}
