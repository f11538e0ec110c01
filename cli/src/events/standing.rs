//! `shardlift events status`: how it stands.

use std::time::Duration;

use serde_json::{Value, json};
use shardlift_core::{
    events::{EventRun, HELD_FOR, HELD_KEY, WaitingName},
    port::EventLists,
    report::{Report, Verdict},
    value::{
        figures::{counted, duration},
        id::RunId,
        time::Timestamp,
    },
};

use super::{event_parts::EventParts, notifications::Notifications, queues::Queues};
use crate::{
    Ending, Screen, connection::Connection, error::CommandError, machine::Execution, screen::Tone,
};

/// How many runs are looked through for one of events.
const RUNS_LOOKED_THROUGH: u16 = 50;

/// Shows whether the source sends its events, what is in the queue and in front of a run, how the last run of events ended,
/// and what could not be taken.
pub(super) async fn show(
    connection: &Connection,
    parts: &EventParts,
    (notifications, queues): (&Notifications, &Queues),
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let urls = queues.find().await?;
    let is_on = notifications.is_on().await?;
    let queue = queues.depth(&urls.events).await?;
    let dead = queues.depth(&urls.dead_letters).await?;
    let waiting = waiting(connection).await?;
    let last = last_run(connection).await?;
    let flags = &connection.flags;
    let letters = dead.visible + dead.in_flight;
    let breaks = last.as_ref().is_some_and(LastRun::is_bad);
    let ending = if is_on && letters == 0 && !waiting.is_held && !breaks {
        Ending::Good
    } else {
        Ending::Incomplete
    };
    if screen.is_json() {
        screen.json(json!({
            "source_bucket": parts.source_bucket, "on": is_on,
            "queue": {"visible": queue.visible, "in_flight": queue.in_flight},
            "waiting": waiting.json(), "last_run": LastRun::json(last.as_ref()), "dead_letters": letters,
        }))?;
        return Ok(ending);
    }
    let state = if is_on {
        screen.toned(Tone::Good, "on")
    } else {
        let off = screen.toned(Tone::Bad, "off");
        format!("{off}: nothing starts; shardlift {flags}events on")
    };
    let dead = if letters == 0 {
        "none".to_owned()
    } else {
        let count = screen.toned(Tone::Bad, &counted(letters, "message"));
        format!(
            "{count}: see the log of {}-intake, fix the cause, then shardlift {flags}events redrive",
            parts.stack
        )
    };
    let bucket = &parts.source_bucket;
    let out = screen.out();
    writeln!(out, "events of s3://{bucket}  {state}")?;
    writeln!(
        out,
        "queue                {}, {} being taken",
        counted(queue.visible, "message"),
        queue.in_flight
    )?;
    writeln!(out, "waiting for a run    {}", waiting.text(flags))?;
    writeln!(out, "last run of events   {}", LastRun::text(last.as_ref()))?;
    writeln!(out, "dead letters         {dead}")?;
    Ok(ending)
}

/// The keys that wait for a run.
struct Waiting {
    /// A key that is in several lists is counted in each: they are read only when a run takes them.
    keys: u64,
    lists: usize,
    oldest_at: Option<Timestamp>,
    is_held: bool,
}

impl Waiting {
    fn text(&self, flags: &str) -> String {
        let why = if self.is_held {
            format!(
                "; the last run started by events broke or was INCOMPLETE, so the next one waits 10 to 15 minutes. At once: shardlift {flags}events retry"
            )
        } else {
            String::new()
        };
        let Some(oldest) = self.oldest_at else {
            return format!("none{why}");
        };
        let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
        let age = duration(now.since(oldest));
        let at_most = if self.lists > 1 { "up to " } else { "" };
        let keys = counted(self.keys, "key");
        format!("{at_most}{keys}, the oldest for {age}{why}")
    }

    fn json(&self) -> Value {
        json!({
            "keys": self.keys, "oldest_at": self.oldest_at.map(|at| at.to_string()),
            "held": self.is_held,
        })
    }
}

/// The last run of events.
struct LastRun {
    execution: Execution,
    report: Option<Report>,
}

impl LastRun {
    /// Whether it ended other than COMPLETE.
    fn is_bad(&self) -> bool {
        let is_complete = |report: &Report| report.verdict == Verdict::Complete;
        !self.execution.is_running() && !self.report.as_ref().is_some_and(is_complete)
    }

    fn json(run: Option<&Self>) -> Value {
        let Some(Self { execution, report }) = run else {
            return Value::Null;
        };
        json!({
            "run_id": execution.name, "status": execution.status.as_str(),
            "verdict": report.as_ref().map(|report| report.verdict),
            "lag_seconds": report.as_ref().and_then(lag).map(|lag| lag.as_secs()),
        })
    }

    fn text(run: Option<&Self>) -> String {
        let Some(Self { execution, report }) = run else {
            return "none yet".to_owned();
        };
        let name = &execution.name;
        if execution.is_running() {
            return format!("{name}: it runs");
        }
        match report.as_ref().map(|report| (report, lag(report))) {
            Some((report, Some(lag))) => format!(
                "{name}: {}, {} after its oldest event",
                report.headline(),
                duration(lag)
            ),
            Some((report, None)) => format!("{name}: {}", report.headline()),
            None => format!("{name}: {}, without a report", execution.status.as_str()),
        }
    }
}

async fn waiting(connection: &Connection) -> Result<Waiting, CommandError> {
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let stored = connection.control.waiting().await?;
    let names = stored
        .iter()
        .filter_map(|list| WaitingName::of_key(&list.key));
    let names: Vec<WaitingName> = names.collect();
    Ok(Waiting {
        keys: names.iter().map(WaitingName::objects).sum(),
        oldest_at: names.iter().map(WaitingName::oldest_at).min(),
        lists: names.len(),
        is_held: stored
            .iter()
            .any(|list| list.key == HELD_KEY && now.since(list.written_at) < HELD_FOR),
    })
}

async fn last_run(connection: &Connection) -> Result<Option<LastRun>, CommandError> {
    let latest = connection.machine.latest(RUNS_LOOKED_THROUGH).await?;
    let of_events = latest.into_iter().find_map(|execution| {
        let run = RunId::new(execution.name.as_str()).ok()?;
        EventRun::is_one(&run).then_some((run, execution))
    });
    let Some((run, execution)) = of_events else {
        return Ok(None);
    };
    let report = if execution.is_running() {
        None
    } else {
        connection.report(&run).await?
    };
    Ok(Some(LastRun { execution, report }))
}

fn lag(report: &Report) -> Option<Duration> {
    let events = report.events.as_ref()?;
    Some(report.ended_at.since(events.oldest_at))
}
