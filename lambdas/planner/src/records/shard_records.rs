//! The ledger's records of new shards.

use shardlift_core::{
    copy::part_shards,
    plan::PlannedWork,
    run::record::RunRecord,
    shard::{ShardRecord, ShardWork},
    value::{id::ShardId, set_sum::SetSum},
};

/// A shard that waits for its copier.
fn ready(run: &RunRecord, id: &ShardId, work: ShardWork, planned: &PlannedWork) -> ShardRecord {
    ShardRecord::ready(
        run.run_id.clone(),
        id.clone(),
        work,
        planned.count,
        run.expires_at,
    )
}

/// A shard of deletions. What it deletes stands at the target until then.
pub(crate) fn delete_shard(
    run: &RunRecord,
    id: &ShardId,
    planned: &PlannedWork,
    standing: SetSum,
) -> ShardRecord {
    let mut record = ready(run, id, ShardWork::DeleteObjects, planned);
    record.outcome.beside = standing;
    record
}

/// One shard of objects; or, for one object too large for one copier, its whole and its part shards.
pub(crate) fn copy_shards(
    run: &RunRecord,
    id: &ShardId,
    planned: &PlannedWork,
) -> Vec<ShardRecord> {
    // A rendition is written in one request.
    let is_alone = planned.count.objects == 1 && run.spec.transform.is_none();
    let records = is_alone
        .then(|| {
            let size_bytes = planned.count.bytes;
            let part_bytes = run.spec.part_bytes;
            part_shards::cut(&run.run_id, id, size_bytes, part_bytes, run.expires_at).ok()
        })
        .flatten()
        .flatten();
    // An object that no layout holds is an ordinary shard: its copier reports it.
    records.unwrap_or_else(|| vec![ready(run, id, ShardWork::CopyObjects, planned)])
}
