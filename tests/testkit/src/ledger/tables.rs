//! What the ledger in memory holds, and the conditions of its writes.

use std::collections::BTreeMap;

use shardlift_core::{
    plan::{KeptRecord, range::RangeRecord},
    port::{PLAN_STEP_RECORDS_MAX, PlanStep, PutOutcome},
    run::{
        lock::{LockRecord, LockSlot, LockedPrefix},
        record::RunRecord,
        renditions::RenditionsRecord,
    },
    shard::ShardRecord,
    value::{
        id::{RunId, ShardId},
        tally::RequestCounts,
    },
};

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) runs: BTreeMap<RunId, RunRecord>,
    pub(super) ranges: BTreeMap<(RunId, String), RangeRecord>,
    pub(super) shards: BTreeMap<(RunId, ShardId), ShardRecord>,
    pub(super) kept: BTreeMap<(RunId, ShardId), KeptRecord>,
    pub(super) locks: BTreeMap<(LockedPrefix, LockSlot), LockRecord>,
    pub(super) renditions: BTreeMap<LockedPrefix, RenditionsRecord>,
    pub(super) requests: RequestCounts,
}

pub(super) fn create<K: Ord, V>(table: &mut BTreeMap<K, V>, key: K, record: V) -> PutOutcome {
    match table.entry(key) {
        std::collections::btree_map::Entry::Occupied(_) => PutOutcome::Refused,
        std::collections::btree_map::Entry::Vacant(slot) => {
            slot.insert(record);
            PutOutcome::Written
        }
    }
}

pub(super) fn replace<K: Ord, V>(
    table: &mut BTreeMap<K, V>,
    key: &K,
    record: V,
    revision: fn(&V) -> u64,
) -> PutOutcome {
    match table.get_mut(key) {
        Some(stored) if revision(stored) + 1 == revision(&record) => {
            *stored = record;
            PutOutcome::Written
        }
        _ => PutOutcome::Refused,
    }
}

/// All of a step, or nothing: every condition is looked at before the first write.
pub(super) fn commit(tables: &mut Tables, step: &PlanStep) -> PutOutcome {
    let range_key = |range: &RangeRecord| (range.run_id.clone(), range.range_id.to_string());
    let shard_key = |shard: &ShardRecord| (shard.run_id.clone(), shard.shard_id.clone());
    let kept_key = |kept: &KeptRecord| (kept.run_id.clone(), kept.list_id.clone());
    let records = step.shards.len() + step.kept.len() + step.new_ranges.len() + step.ranges.len();
    assert!(
        (1..=PLAN_STEP_RECORDS_MAX).contains(&records),
        "DynamoDB takes 1 to 100 records in one transaction, not {records}"
    );
    let holds = step
        .shards
        .iter()
        .all(|shard| !tables.shards.contains_key(&shard_key(shard)))
        && step
            .kept
            .iter()
            .all(|kept| !tables.kept.contains_key(&kept_key(kept)))
        && step
            .new_ranges
            .iter()
            .all(|range| !tables.ranges.contains_key(&range_key(range)))
        && step.ranges.iter().all(|range| {
            tables
                .ranges
                .get(&range_key(range))
                .is_some_and(|stored| stored.revision + 1 == range.revision)
        });
    if !holds {
        return PutOutcome::Refused;
    }
    for shard in &step.shards {
        tables.shards.insert(shard_key(shard), shard.clone());
    }
    for kept in &step.kept {
        tables.kept.insert(kept_key(kept), kept.clone());
    }
    for range in step.new_ranges.iter().chain(&step.ranges) {
        tables.ranges.insert(range_key(range), range.clone());
    }
    PutOutcome::Written
}
