//! `shardlift watch`: the progress of a run, then its report.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shardlift_core::value::{
    figures::{bytes, counted, duration, grouped},
    id::RunId,
    printable::Printable,
};

use crate::{
    Ending, Screen,
    connection::Connection,
    error::CommandError,
    machine::Execution,
    report_text,
    screen::Tone,
    snapshot::{Phase, Snapshot},
    speed::Speed,
};

/// The pause between two reads of the ledger.
const PAUSE_MIN: Duration = Duration::from_millis(500);
/// Reading the ledger of a very large run takes a while: it takes at most a tenth of the time.
const PAUSE_PER_READ: u32 = 10;
/// Where lines cannot be redrawn, a line is written at most this often, and at each change of phase.
const LINE_PAUSE: Duration = Duration::from_secs(5);

/// Watches a run until it ends, then shows its report.
pub(crate) async fn watch(
    connection: &Connection,
    run: &RunId,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let mut progress = RunProgress::on(screen);
    let mut speed = Speed::default();
    let execution = loop {
        let read_at = Instant::now();
        let execution = connection.machine.describe(run).await?;
        let snapshot = Snapshot::read(&connection.ledger, run).await?;
        if !execution.is_running() {
            break execution;
        }
        speed.note(read_at, snapshot.settled);
        progress.show(&snapshot, &speed, screen)?;
        let pause = PAUSE_MIN.max(read_at.elapsed() * PAUSE_PER_READ);
        tokio::time::sleep(pause).await;
    };
    progress.clear();
    match connection.report(run).await? {
        Some(report) => report_text::print(connection, &report, screen).await,
        None => without_report(run, &execution, screen),
    }
}

/// The end of a run without a report: it was stopped or timed out, or the reporter failed.
fn without_report(
    run: &RunId,
    execution: &Execution,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let status = screen.toned(Tone::Bad, execution.status.as_str());
    writeln!(screen.out(), "{status}  run {run} ended without a report")?;
    if let Some(error) = &execution.error {
        let cause = execution.cause.as_deref().unwrap_or_default();
        writeln!(screen.out(), "  {}: {}", Printable(error), Printable(cause))?;
    }
    writeln!(
        screen.out(),
        "  See the execution in the Step Functions console. A new run copies only what is missing."
    )?;
    Ok(Ending::Broken)
}

/// The progress display: redrawn on the same line, or line by line.
enum RunProgress {
    Redrawn(ProgressBar),
    Lines { last: Option<(Phase, Instant)> },
}

impl RunProgress {
    fn on(screen: &Screen) -> Self {
        if screen.redraws() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
            Self::Redrawn(bar)
        } else {
            Self::Lines { last: None }
        }
    }

    fn show(
        &mut self,
        snapshot: &Snapshot,
        speed: &Speed,
        screen: &mut Screen,
    ) -> Result<(), CommandError> {
        match self {
            Self::Redrawn(bar) => {
                bar.set_style(style(snapshot.phase));
                bar.set_length(snapshot.planned.objects.max(1));
                bar.set_position(snapshot.settled);
                bar.set_message(line(snapshot, speed));
            }
            Self::Lines { last } => {
                let due = last.is_none_or(|(phase, at)| {
                    phase != snapshot.phase || at.elapsed() >= LINE_PAUSE
                });
                if due {
                    *last = Some((snapshot.phase, Instant::now()));
                    screen.note(&line(snapshot, speed))?;
                }
            }
        }
        Ok(())
    }

    fn clear(&self) {
        if let Self::Redrawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn style(phase: Phase) -> ProgressStyle {
    let template = match phase {
        Phase::Copying => "{spinner} {bar:24} {msg}",
        Phase::Starting | Phase::Planning | Phase::Reporting => "{spinner} {msg}",
    };
    // The templates are constants of ours; without one the bar still shows.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The progress in one line.
fn line(snapshot: &Snapshot, speed: &Speed) -> String {
    match snapshot.phase {
        Phase::Starting => "starting: the planner checks the pair".to_owned(),
        Phase::Planning => format!(
            "planning: {} listed, {} ({}) to copy, {} of {} done",
            counted(snapshot.listed, "object"),
            grouped(snapshot.planned.objects),
            bytes(snapshot.planned.bytes),
            grouped(snapshot.ranges_done),
            counted(snapshot.ranges, "range"),
        ),
        Phase::Copying => copying_line(snapshot, speed),
        Phase::Reporting => format!(
            "reporting: {} of {} have an outcome, verifying and writing the report",
            grouped(snapshot.settled),
            counted(snapshot.planned.objects, "object"),
        ),
    }
}

fn copying_line(snapshot: &Snapshot, speed: &Speed) -> String {
    let mut line = format!(
        "copying: {} of {}, {} of {}",
        grouped(snapshot.settled),
        counted(snapshot.planned.objects, "object"),
        bytes(snapshot.copied.bytes),
        bytes(snapshot.planned.bytes),
    );
    if let Some(objects_per_second) = speed.objects_per_second() {
        line.push_str(&format!(", {objects_per_second:.0} objects/s"));
    }
    let open = snapshot.planned.objects.saturating_sub(snapshot.settled);
    if let Some(left) = speed.time_left(open) {
        line.push_str(&format!(", {} left", duration(left)));
    }
    line.push_str(&format!(
        ", {} of {} done",
        grouped(snapshot.shards_done),
        counted(snapshot.shards, "shard")
    ));
    if snapshot.round > 1 {
        line.push_str(&format!(", round {}", snapshot.round));
    }
    if snapshot.failed > 0 {
        line.push_str(&format!(", {} failed so far", grouped(snapshot.failed)));
    }
    line
}

#[cfg(test)]
mod tests {
    use aws_sdk_sfn::types::ExecutionStatus;
    use shardlift_core::value::{tally::Count, time::Timestamp};

    use super::*;
    use crate::screen::paper::Paper;

    fn snapshot(phase: Phase) -> Snapshot {
        Snapshot {
            phase,
            listed: 12_000,
            ranges_done: 1,
            ranges: 4,
            planned: Count {
                objects: 10_000,
                bytes: 1 << 30,
            },
            settled: 2_500,
            copied: Count {
                objects: 2_498,
                bytes: 1 << 28,
            },
            failed: 2,
            shards_done: 1,
            shards: 4,
            round: 1,
        }
    }

    #[test]
    fn a_line_tells_how_far_and_how_long() {
        let start = Instant::now();
        let mut speed = Speed::default();
        speed.note(start, 0);
        speed.note(start + Duration::from_secs(5), 2_500);
        assert_eq!(
            line(&snapshot(Phase::Copying), &speed),
            "copying: 2,500 of 10,000 objects, 256.0 MiB of 1.0 GiB, 500 objects/s, 15 s left, 1 of 4 shards done, 2 failed so far"
        );
        assert_eq!(
            line(&snapshot(Phase::Planning), &speed),
            "planning: 12,000 objects listed, 10,000 (1.0 GiB) to copy, 1 of 4 ranges done"
        );
    }

    #[test]
    fn a_run_without_a_report_shows_how_it_ended_and_nothing_in_it_acts_on_the_terminal() {
        let execution = Execution {
            name: "nightly-1".into(),
            status: ExecutionStatus::Aborted,
            started_at: Timestamp::default(),
            ended_at: None,
            error: Some("Stopped".into()),
            cause: Some("by\u{1b}[2J hand".into()),
        };
        let (mut screen, paper) = Paper::in_a_screen();
        let run = RunId::new("nightly-1").unwrap();
        let ending = without_report(&run, &execution, &mut screen).unwrap();
        assert_eq!(ending, Ending::Broken);
        let text = paper.text();
        assert!(
            text.starts_with("ABORTED  run nightly-1 ended without a report"),
            "{text}"
        );
        assert!(text.contains("Stopped: by\\u{1b}[2J hand"), "{text}");
    }

    #[test]
    fn a_line_without_a_speed_promises_nothing() {
        let shown = line(&snapshot(Phase::Copying), &Speed::default());
        assert!(!shown.contains("left") && !shown.contains("/s"), "{shown}");
    }
}
