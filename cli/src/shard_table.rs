//! `shardlift shards`: the shards of a run.

use serde_json::json;
use shardlift_core::{
    port::Ledger,
    shard::{ShardRecord, ShardState},
    value::figures::{bytes, counted, grouped},
};

use crate::{
    Ending, Screen, connection::Connection, error::CommandError, json_output::JsonList,
    run_arguments::ShardsArguments, screen::Tone,
};

/// Lists the shards of a run page by page: a run can have a hundred thousand.
pub(crate) async fn show(
    connection: &Connection,
    arguments: &ShardsArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    // A run that is not there has no shards either.
    if connection.run_record(&arguments.run).await?.is_none() {
        let execution = connection.machine.describe(&arguments.run).await?;
        let why = if execution.is_running() {
            "is not planned yet"
        } else {
            "was refused before it was planned, or its records have expired"
        };
        return Err(CommandError::usage(format!(
            "run {} has no shards: it {why}",
            arguments.run
        )));
    }
    if screen.is_json() {
        return list_json(&connection.ledger, arguments, screen).await;
    }
    list(&connection.ledger, arguments, screen).await
}

async fn list_json(
    ledger: &impl Ledger,
    arguments: &ShardsArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let (mut count, mut done) = (0_u64, 0_u64);
    let mut list = JsonList::begin(screen, "shards")?;
    let mut shards = ledger.shards(&arguments.run);
    while let Some(shard) = shards.next().await? {
        count += 1;
        done += u64::from(shard.state == ShardState::Done);
        if arguments.not_done && shard.state == ShardState::Done {
            continue;
        }
        let tally = &shard.outcome.tally;
        let item = json!({
            "shard_id": shard.shard_id, "state": state(&shard), "round": shard.round,
            "attempts": shard.attempts, "planned": shard.planned,
            "finished_objects": tally.settled_objects(), "failed_objects": tally.failed.objects,
        });
        list.add(&item, screen)?;
    }
    let rest = json!({"run_id": arguments.run, "done": done, "total": count});
    list.end(&rest, screen)?;
    Ok(Ending::Good)
}

async fn list(
    ledger: &impl Ledger,
    arguments: &ShardsArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    const HEADING: &str =
        "shard       state   round attempts    planned       size   finished     failed";
    let is_wide = screen.fits(HEADING.len());
    if is_wide {
        let heading = screen.toned(Tone::Faint, HEADING);
        writeln!(screen.out(), "{heading}")?;
    }
    let (mut count, mut done) = (0_u64, 0_u64);
    let mut shards = ledger.shards(&arguments.run);
    while let Some(shard) = shards.next().await? {
        count += 1;
        done += u64::from(shard.state == ShardState::Done);
        if !(arguments.not_done && shard.state == ShardState::Done) {
            if is_wide {
                writeln!(screen.out(), "{}", row(&shard))?;
            } else {
                screen.paragraph(Tone::Plain, 0, &sentence(&shard))?;
            }
        }
    }
    writeln!(
        screen.out(),
        "{} of {} done",
        grouped(done),
        counted(count, "shard")
    )?;
    Ok(Ending::Good)
}

const fn state(shard: &ShardRecord) -> &'static str {
    match shard.state {
        ShardState::Ready => "ready",
        ShardState::Copying => "copying",
        ShardState::Yielded => "yielded",
        ShardState::Done => "done",
    }
}

/// A shard where the table does not fit.
fn sentence(shard: &ShardRecord) -> String {
    let tally = &shard.outcome.tally;
    format!(
        "{} {}: round {}, {}, {} of {} ({}) finished, {} failed",
        shard.shard_id.as_str(),
        state(shard),
        shard.round,
        counted(u64::from(shard.attempts), "attempt"),
        grouped(tally.settled_objects()),
        grouped(shard.planned.objects),
        bytes(shard.planned.bytes),
        grouped(tally.failed.objects),
    )
}

fn row(shard: &ShardRecord) -> String {
    let state = state(shard);
    let tally = &shard.outcome.tally;
    format!(
        "{:<11} {state:<7} {:>5} {:>8} {:>10} {:>10} {:>10} {:>10}",
        shard.shard_id.as_str(),
        shard.round,
        shard.attempts,
        grouped(shard.planned.objects),
        bytes(shard.planned.bytes),
        grouped(tally.settled_objects()),
        grouped(tally.failed.objects),
    )
}

#[cfg(test)]
mod tests {
    use shardlift_core::{
        port::PutOutcome,
        shard::ShardWork,
        value::{
            id::{RunId, ShardId},
            tally::Count,
        },
    };
    use shardlift_testkit::{CallScript, MemoryLedger};

    use super::*;
    use crate::screen::paper::Paper;

    /// Eight shards, more than a page of them: every second one is done, the others are being copied.
    async fn ledger(script: CallScript) -> MemoryLedger {
        let ledger = MemoryLedger::new(script);
        for number in 0..8 {
            let id = ShardId::new(format!("1-{number}")).unwrap();
            let planned = Count {
                objects: 1_200,
                bytes: 4_096,
            };
            let run = RunId::new("nightly-1").unwrap();
            let mut shard = ShardRecord::ready(run, id, ShardWork::CopyObjects, planned, 0);
            shard.attempts = number;
            shard.state = match number % 2 {
                0 => ShardState::Done,
                _ => ShardState::Copying,
            };
            let created = ledger.create_shard(&shard).await.unwrap();
            assert_eq!(created, PutOutcome::Written);
        }
        ledger
    }

    fn arguments(not_done: bool) -> ShardsArguments {
        ShardsArguments {
            run: RunId::new("nightly-1").unwrap(),
            not_done,
        }
    }

    #[tokio::test]
    async fn every_shard_of_every_page_is_listed() {
        let ledger = ledger(CallScript::default()).await;
        let (mut screen, paper) = Paper::in_a_screen();
        let ending = list(&ledger, &arguments(false), &mut screen).await.unwrap();
        assert_eq!(ending, Ending::Good);
        let text = paper.text();
        let lines: Vec<&str> = text.lines().collect();
        // The heading, the shards, the sum.
        assert_eq!(lines.len(), 10, "{text}");
        assert!(
            lines[2].starts_with("1-1         copying     1        1      1,200"),
            "{text}"
        );
        assert_eq!(lines[9], "4 of 8 shards done");
    }

    #[tokio::test]
    async fn no_line_is_wider_than_the_terminal() {
        for columns in [80, 60, 40] {
            let ledger = ledger(CallScript::default()).await;
            let (screen, paper) = Paper::in_a_screen();
            let mut screen = screen.with_columns(columns);
            list(&ledger, &arguments(false), &mut screen).await.unwrap();
            let text = paper.text();
            let widest = text.lines().map(str::len).max().unwrap();
            assert!(widest <= columns, "{columns}: {text}");
            assert!(text.contains("1-7"), "{text}");
        }
    }

    #[tokio::test]
    async fn only_those_that_are_not_done_are_listed_and_all_are_counted() {
        let ledger = ledger(CallScript::default()).await;
        let (mut screen, paper) = Paper::in_a_screen();
        list(&ledger, &arguments(true), &mut screen).await.unwrap();
        let text = paper.text();
        assert_eq!(text.matches("copying").count(), 4, "{text}");
        assert!(!text.contains("1-2"), "{text}");
        assert!(text.ends_with("4 of 8 shards done\n"), "{text}");
    }

    #[tokio::test]
    async fn a_ledger_that_fails_is_no_short_list() {
        let script = CallScript::default();
        script.deny("dynamodb:Query");
        let ledger = ledger(script).await;
        let (mut screen, _paper) = Paper::in_a_screen();
        assert!(list(&ledger, &arguments(false), &mut screen).await.is_err());
    }
}
