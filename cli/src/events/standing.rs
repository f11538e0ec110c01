//! `shardlift events status`: how it stands.

use shardlift_core::{
    events::{HELD_KEY, WaitingName},
    port::EventLists,
    report::Report,
    value::{
        figures::{counted, duration},
        id::RunId,
        time::Timestamp,
    },
};

use super::{event_parts::EventParts, notifications::Notifications, queues::Queues};
use crate::{Ending, Screen, connection::Connection, error::CommandError, screen::Tone};

/// How many runs are looked through for one of events.
const RUNS_LOOKED_THROUGH: u16 = 50;
const RUN_PREFIX: &str = "events-";

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
    let state = if is_on {
        screen.toned(Tone::Good, "on")
    } else {
        let off = screen.toned(Tone::Bad, "off");
        format!("{off}: nothing starts; shardlift {flags}events on")
    };
    let letters = dead.visible + dead.in_flight;
    let dead = if letters == 0 {
        "none".to_owned()
    } else {
        let count = screen.toned(Tone::Bad, &counted(letters, "message"));
        format!(
            "{count}: see the log of {}-intake, mend it, then shardlift {flags}events redrive",
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
    writeln!(out, "waiting for a run    {waiting}")?;
    writeln!(out, "last run of events   {last}")?;
    writeln!(out, "dead letters         {dead}")?;
    Ok(if is_on && letters == 0 {
        Ending::Good
    } else {
        Ending::Incomplete
    })
}

async fn waiting(connection: &Connection) -> Result<String, CommandError> {
    let stored = connection.control.waiting().await?;
    let names = stored
        .iter()
        .filter_map(|list| WaitingName::of_key(&list.key));
    let names: Vec<WaitingName> = names.collect();
    let Some(oldest) = names.iter().map(WaitingName::oldest_at).min() else {
        return Ok("none".to_owned());
    };
    let keys = names.iter().map(WaitingName::objects).sum();
    let now = Timestamp::from_millis(jiff::Timestamp::now().as_millisecond());
    let age = duration(now.since(oldest));
    let held = stored.iter().any(|list| list.key == HELD_KEY);
    let why = if held {
        "; a run of events broke, and is tried again every 15 minutes"
    } else {
        ""
    };
    Ok(format!(
        "{}, the oldest for {age}{why}",
        counted(keys, "key")
    ))
}

async fn last_run(connection: &Connection) -> Result<String, CommandError> {
    for execution in connection.machine.latest(RUNS_LOOKED_THROUGH).await? {
        if !execution.name.starts_with(RUN_PREFIX) {
            continue;
        }
        if execution.is_running() {
            return Ok(format!("{}: it runs", execution.name));
        }
        let report = match RunId::new(execution.name.as_str()) {
            Ok(run) => connection.report(&run).await?,
            Err(_) => None,
        };
        return Ok(match report.as_ref().map(|report| (report, lag(report))) {
            Some((report, Some(lag))) => format!(
                "{}: {}, {lag} after its oldest event",
                execution.name,
                report.headline()
            ),
            Some((report, None)) => format!("{}: {}", execution.name, report.headline()),
            None => format!(
                "{}: {}, without a report",
                execution.name,
                execution.status.as_str()
            ),
        });
    }
    Ok("none yet".to_owned())
}

fn lag(report: &Report) -> Option<String> {
    let events = report.events.as_ref()?;
    Some(duration(report.ended_at.since(events.oldest_at)))
}
