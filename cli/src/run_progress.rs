//! The progress of a run on a screen.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shardlift_core::value::figures::{bytes, counted, duration, grouped};

use crate::{
    Screen,
    error::CommandError,
    snapshot::{Phase, Snapshot},
    speed::Speed,
};

/// Where lines cannot be redrawn, a line is written at most this often, and at each change of phase.
const LINE_PAUSE: Duration = Duration::from_secs(5);

/// The progress display: redrawn on the same line, or line by line.
pub(crate) enum RunProgress {
    Redrawn(ProgressBar),
    Lines { last: Option<(Phase, Instant)> },
}

impl RunProgress {
    /// On this screen.
    pub(crate) fn on(screen: &Screen) -> Self {
        if screen.redraws() {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.enable_steady_tick(Duration::from_millis(120));
            Self::Redrawn(bar)
        } else {
            Self::Lines { last: None }
        }
    }

    /// Shows how far the run is.
    pub(crate) fn show(
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
                let (first, second) = lines(snapshot, speed);
                bar.set_prefix(first);
                bar.set_message(second);
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

    /// Takes it off the terminal.
    pub(crate) fn clear(&self) {
        if let Self::Redrawn(bar) = self {
            bar.finish_and_clear();
        }
    }
}

fn style(phase: Phase) -> ProgressStyle {
    let template = match phase {
        // Each line ends at the edge of the terminal.
        Phase::Copying => "{spinner} {bar:12} {prefix}\n  {wide_msg}",
        Phase::Starting | Phase::Planning | Phase::Reporting => "{spinner} {wide_msg}",
    };
    // The templates are constants of ours; without one the bar still shows.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

/// The progress where it is redrawn: what matters most, then the rest.
fn lines(snapshot: &Snapshot, speed: &Speed) -> (String, String) {
    let text = line(snapshot, speed);
    match snapshot.phase {
        Phase::Copying => {
            let mut parts = text.split(", ");
            // Numbers have commas too, but no space behind them.
            let first = parts.next().unwrap_or_default().to_owned();
            let is_first = |part: &&str| part.ends_with(" left") || part.ends_with(" so far");
            let (more, rest): (Vec<&str>, Vec<&str>) = parts.partition(is_first);
            let first: Vec<&str> = [first.as_str()].into_iter().chain(more).collect();
            (first.join(", "), rest.join(", "))
        }
        Phase::Starting | Phase::Planning | Phase::Reporting => (String::new(), text),
    }
}

/// The progress in one line.
pub(crate) fn line(snapshot: &Snapshot, speed: &Speed) -> String {
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
    use shardlift_core::value::tally::Count;

    use super::*;

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
            leased_until: None,
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
        let (first, second) = lines(&snapshot(Phase::Copying), &speed);
        assert_eq!(
            first,
            "copying: 2,500 of 10,000 objects, 15 s left, 2 failed so far"
        );
        assert_eq!(
            second,
            "256.0 MiB of 1.0 GiB, 500 objects/s, 1 of 4 shards done"
        );
        // With spinner and bar it fits 80 columns.
        assert!(first.len() + 15 < 80);
        assert_eq!(
            line(&snapshot(Phase::Planning), &speed),
            "planning: 12,000 objects listed, 10,000 (1.0 GiB) to copy, 1 of 4 ranges done"
        );
    }

    #[test]
    fn a_line_without_a_speed_promises_nothing() {
        let shown = line(&snapshot(Phase::Copying), &Speed::default());
        assert!(!shown.contains("left") && !shown.contains("/s"), "{shown}");
    }
}
