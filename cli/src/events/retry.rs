//! `shardlift events retry`: what waits is not held any more.

use serde_json::json;
use shardlift_core::{
    events::{HELD_KEY, WaitingName},
    port::EventLists,
    value::figures::counted,
};

use super::queues::Queues;
use crate::{Ending, Screen, connection::Connection, error::CommandError};

/// Removes the mark of the last run, and makes the intake look at what waits. It obeys the lock of the pair as ever, so this
/// is right at any time.
pub(super) async fn retry(
    connection: &Connection,
    queues: &Queues,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let urls = queues.find().await?;
    let stored = connection.control.waiting().await?;
    let names = stored
        .iter()
        .filter_map(|one| WaitingName::of_key(&one.key));
    let lists: Vec<WaitingName> = names.collect();
    let keys: u64 = lists.iter().map(WaitingName::objects).sum();
    // Before the message: the intake looks at both.
    connection.control.remove_waiting(HELD_KEY).await?;
    queues.wake(&urls).await?;
    if screen.is_json() {
        screen.json(json!({"keys": keys}))?;
        return Ok(Ending::Good);
    }
    if lists.is_empty() {
        writeln!(
            screen.out(),
            "no key waits; the next event starts a run within the window of the stack"
        )?;
        return Ok(Ending::Good);
    }
    let at_most = if lists.len() > 1 { "up to " } else { "" };
    writeln!(
        screen.out(),
        "{at_most}{} waited; a run starts within the window of the stack, or when the run that holds the pair ends",
        counted(keys, "key")
    )?;
    Ok(Ending::Good)
}
