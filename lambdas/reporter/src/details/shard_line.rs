//! A shard in `shards.json`.

use serde::Serialize;
use shardlift_core::{
    failure::Failure,
    shard::{ShardRecord, ShardState, ShardWork},
    value::{
        id::ShardId,
        tally::{Count, Tally},
        time::Timestamp,
    },
};

/// A shard in `shards.json`.
#[derive(Serialize)]
pub(super) struct ShardLine<'a> {
    shard_id: &'a ShardId,
    work: ShardWork,
    state: ShardState,
    round: u32,
    attempts: u32,
    planned: Count,
    #[serde(flatten)]
    tally: &'a Tally,
    begun_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a Failure>,
}

impl<'a> ShardLine<'a> {
    /// That of a shard.
    pub(super) fn of(shard: &'a ShardRecord) -> Self {
        Self {
            shard_id: &shard.shard_id,
            work: shard.work,
            state: shard.state,
            round: shard.round,
            attempts: shard.attempts,
            planned: shard.planned,
            tally: &shard.outcome.tally,
            begun_at: shard.begun_at,
            ended_at: shard.ended_at,
            problem: shard.problem.as_ref(),
        }
    }
}
