//! The way of a plan into the control bucket and the ledger: manifests first, then shards and ranges together.

use futures::future::try_join_all;
use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::control_key,
    failure::{Failure, fault::CallFault},
    plan::range::RangeRecord,
    port::{ControlStore, Ledger, PlanStep, PutOutcome},
    shard::ShardRecord,
    value::id::{RunId, ShardId},
};
use tracing::info;

/// The content type of a manifest.
const MANIFEST_TYPE: &str = "application/zstd";

/// A manifest that is ready to be written.
#[derive(Debug)]
pub(crate) struct EncodedManifest {
    pub(crate) shard_id: ShardId,
    pub(crate) bytes: Vec<u8>,
}

/// What a step came to.
#[derive(Debug)]
pub(crate) struct StepEnd {
    /// The ranges as they now stand in the ledger.
    pub(crate) ranges: Vec<RangeRecord>,
    /// Whether the ledger took it.
    pub(crate) outcome: PutOutcome,
}

/// Writes manifests, side by side. One without a record is never read; writing it again is the same write.
pub(crate) async fn put_manifests<C: ControlStore>(
    control: &C,
    run_id: &RunId,
    manifests: Vec<EncodedManifest>,
) -> Result<(), Failure> {
    let puts = manifests.into_iter().map(|manifest| async move {
        let key = control_key::manifest(run_id, &manifest.shard_id);
        control.put(&key, MANIFEST_TYPE, manifest.bytes).await
    });
    try_join_all(puts).await.map_err(CallFault::into_failure)?;
    Ok(())
}

/// Writes the records of a step, whose manifests are written.
pub(crate) async fn commit<L: Ledger>(ledger: &L, step: PlanStep) -> Result<StepEnd, Failure> {
    let outcome = ledger
        .commit_plan(&step)
        .await
        .map_err(CallFault::into_failure)?;
    if outcome == PutOutcome::Written {
        step.shards.iter().for_each(log_shard);
    }
    Ok(StepEnd {
        ranges: step.new_ranges.into_iter().chain(step.ranges).collect(),
        outcome,
    })
}

fn log_shard(shard: &ShardRecord) {
    info!(
        { field::RUN_ID } = %shard.run_id,
        { field::SHARD_ID } = %shard.shard_id,
        shard.objects = shard.planned.objects,
        shard.bytes = shard.planned.bytes,
        "planned a shard"
    );
}
