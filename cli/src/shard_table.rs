//! `shardlift shards`: the shards of a run.

use shardlift_core::{
    figures::{bytes, counted, grouped},
    port::Ledger,
    shard::{ShardRecord, ShardState},
};

use crate::{
    Ending, Screen, arguments::ShardsArguments, connection::Connection, error::CommandError,
    screen::Tone,
};

/// Lists the shards of a run, page by page as the ledger gives them: a run can have a hundred thousand.
pub(crate) async fn show(
    connection: &Connection,
    arguments: &ShardsArguments,
    screen: &mut Screen,
) -> Result<Ending, CommandError> {
    let heading = screen.toned(
        Tone::Faint,
        "shard         state    round  attempts      planned       bytes     settled      failed",
    );
    writeln!(screen.out(), "{heading}")?;
    let (mut shards, mut done, mut from) = (0_u64, 0_u64, None);
    loop {
        let page = connection
            .ledger
            .read_shards(&arguments.run, from.as_deref())
            .await?;
        for shard in &page.items {
            shards += 1;
            done += u64::from(shard.state == ShardState::Done);
            if !(arguments.not_done && shard.state == ShardState::Done) {
                writeln!(screen.out(), "{}", row(shard))?;
            }
        }
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    writeln!(
        screen.out(),
        "{} of {} done",
        grouped(done),
        counted(shards, "shard")
    )?;
    Ok(Ending::Good)
}

fn row(shard: &ShardRecord) -> String {
    let state = match shard.state {
        ShardState::Ready => "ready",
        ShardState::Copying => "copying",
        ShardState::Yielded => "yielded",
        ShardState::Done => "done",
    };
    let tally = &shard.outcome.tally;
    format!(
        "{:<13} {state:<8} {:>5} {:>9} {:>12} {:>11} {:>11} {:>11}",
        shard.shard_id.as_str(),
        shard.round,
        shard.attempts,
        grouped(shard.planned.objects),
        bytes(shard.planned.bytes),
        grouped(tally.settled_objects()),
        grouped(tally.failed.objects),
    )
}
