//! A pair as it is set up: what is copied where, when next, and how the last run ended.

use jiff::Zoned;
use serde_json::{Value, json};
use shardlift_core::value::{figures::duration, printable::Printable, time::Timestamp};

use super::{run_place::RunPlace, run_table::LatestRun};
use crate::{
    Screen, error::CommandError, schedule::Schedule, schedules::FurtherPair, screen::Tone,
};

/// One of the pairs of a stack.
pub(super) struct PairSetup {
    /// `PairName` of a further pair; the stack's own has none.
    pub(super) name: Option<String>,
    /// Where its runs read and write, and their mode, where that is known.
    pub(super) place: Option<(RunPlace, String)>,
    /// Or why it could not be read.
    pub(super) schedule: Result<Schedule, CommandError>,
}

impl PairSetup {
    /// A further pair. What its input leaves out is as in the stack's own pair.
    pub(super) fn of_further(pair: FurtherPair, own: &(RunPlace, String)) -> Self {
        let name = Some(pair.name);
        let scheduled = match pair.scheduled {
            Ok(scheduled) => scheduled,
            Err(error) => {
                return Self {
                    name,
                    place: None,
                    schedule: Err(error),
                };
            }
        };
        match scheduled.run_input() {
            Ok(input) => Self {
                name,
                place: Some((
                    own.0.changed_by(&input),
                    input
                        .mode
                        .map_or(own.1.clone(), |mode| mode.name().to_owned()),
                )),
                schedule: Ok(scheduled.schedule),
            },
            Err(error) => Self {
                name,
                place: None,
                schedule: Err(error),
            },
        }
    }

    /// Whether a run is one of this pair.
    pub(super) fn has(&self, run: &LatestRun) -> bool {
        let place = self.place.as_ref().map(|(place, _)| place);
        place.is_some() && place == run.place.as_ref()
    }

    /// Source, target and mode.
    pub(super) fn json(&self) -> Value {
        match &self.place {
            Some((place, mode)) => {
                json!({"source": place.source, "target": place.target, "mode": mode})
            }
            None => Value::Null,
        }
    }

    /// The schedule; null where it could not be read.
    pub(super) fn schedule_json(&self, now: Timestamp) -> Value {
        let Ok(schedule) = &self.schedule else {
            return Value::Null;
        };
        json!({
            "enabled": schedule.is_enabled,
            "expression": schedule.expression,
            "timezone": schedule.zone,
            "next_run_at": schedule.next_after(instant(now)).map(|at| utc(&at)),
        })
    }

    /// A further pair with its last run, for the list of them.
    pub(super) fn json_with(&self, now: Timestamp, runs: &[LatestRun]) -> Value {
        json!({
            "name": self.name,
            "pair": self.json(),
            "schedule": self.schedule_json(now),
            "problem": self.schedule.as_ref().err().map(ToString::to_string),
            "last_run": self.last_run(runs).map(LatestRun::end_json),
        })
    }

    /// The youngest of its runs among these.
    pub(super) fn last_run<'a>(&self, runs: &'a [LatestRun]) -> Option<&'a LatestRun> {
        runs.iter().find(|run| self.has(run))
    }

    /// Its name and what it copies where, below each other where that does not fit.
    pub(super) fn write(&self, heading: &str, screen: &mut Screen) -> std::io::Result<()> {
        let pair = match &self.place {
            Some((place, mode)) => {
                let (source, target) = (Printable(&place.source), Printable(&place.target));
                format!("{source} to {target}, {mode}")
            }
            None => "its input is not known".to_owned(),
        };
        if screen.fits(heading.len() + pair.chars().count() + 2) {
            let heading = screen.toned(Tone::Strong, heading);
            return writeln!(screen.out(), "{heading}: {pair}");
        }
        let line = screen.toned(Tone::Strong, heading);
        writeln!(screen.out(), "{line}")?;
        screen.paragraph(Tone::Plain, 2, &pair)
    }

    /// When it runs next, in a sentence.
    pub(super) fn next_run(&self, now: Timestamp) -> String {
        let schedule = match &self.schedule {
            Ok(schedule) => schedule,
            Err(error) => {
                return format!("Next run: not known. {}", Printable(&error.to_string()));
            }
        };
        if !schedule.is_enabled {
            return "Next run: none, the schedule is disabled (ScheduleState).".to_owned();
        }
        match schedule.next_after(instant(now)) {
            Some(at) => {
                let millis = at.timestamp().as_millisecond();
                let wait = Timestamp::from_millis(millis).since(now);
                let (time, wait) = (at.strftime("%Y-%m-%d %H:%M"), duration(wait));
                format!("Next run: {time} {}, in {wait}", schedule.zone)
            }
            None => format!(
                "Next run: by {} {}",
                Printable(&schedule.expression),
                Printable(&schedule.zone)
            ),
        }
    }

    /// How its last run ended, in a sentence.
    pub(super) fn last_run_line(&self, runs: &[LatestRun]) -> String {
        match self.last_run(runs) {
            Some(run) => format!("Last run: {} {}, {}", run.word(), run.name(), run.started()),
            None => format!("Last run: none among the latest {}", runs.len()),
        }
    }
}

fn instant(now: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(now.as_millis()).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
}

fn utc(at: &Zoned) -> String {
    at.timestamp().to_string()
}
