//! One step into the ledger: manifests first, then shards and ranges together.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    control_key,
    failure::Failure,
    fault::CallFault,
    id::{RunId, ShardId},
    port::{ControlStore, Ledger, PlanStep, PutOutcome},
    range::RangeRecord,
    shard::ShardRecord,
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

/// A step that is ready to be written.
#[derive(Debug)]
pub(crate) struct PendingStep {
    pub(crate) manifests: Vec<EncodedManifest>,
    pub(crate) step: PlanStep,
}

/// What a step came to.
#[derive(Debug)]
pub(crate) struct StepEnd {
    /// The ranges as they now stand in the ledger.
    pub(crate) ranges: Vec<RangeRecord>,
    /// How many manifests were written.
    pub(crate) manifests: u64,
    /// Whether the ledger took it.
    pub(crate) outcome: PutOutcome,
}

/// Writes the manifests, then the records. A manifest without a record is never read.
pub(crate) async fn write<L: Ledger, C: ControlStore>(
    ledger: &L,
    control: &C,
    run_id: &RunId,
    pending: PendingStep,
) -> Result<StepEnd, Failure> {
    let PendingStep { manifests, step } = pending;
    let count = manifests.len() as u64;
    for manifest in manifests {
        let key = control_key::manifest(run_id, &manifest.shard_id);
        control
            .put(&key, MANIFEST_TYPE, manifest.bytes)
            .await
            .map_err(CallFault::into_failure)?;
    }
    let outcome = ledger
        .commit_plan(&step)
        .await
        .map_err(CallFault::into_failure)?;
    if outcome == PutOutcome::Written {
        step.shards.iter().for_each(log_shard);
    }
    Ok(StepEnd {
        ranges: step.new_ranges.into_iter().chain(step.ranges).collect(),
        manifests: count,
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
