//! Writes a plan: manifests to the control bucket first, then shards and ranges to the ledger in one transaction.

use futures::future::try_join_all;
use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::RunDocuments,
    failure::Failure,
    plan::range::RangeRecord,
    port::{ControlStore, Ledger, PlanStep, PutOutcome},
    shard::ShardRecord,
    value::id::{RunId, ShardId},
};
use tracing::info;

/// A manifest that is ready to be written.
#[derive(Debug)]
pub(crate) struct EncodedManifest {
    pub(crate) shard_id: ShardId,
    pub(crate) bytes: Vec<u8>,
}

/// A step after its transaction.
#[derive(Debug)]
pub(crate) struct CommittedStep {
    /// The new records of its ranges.
    pub(crate) ranges: Vec<RangeRecord>,
    /// Whether the ledger took it.
    pub(crate) outcome: PutOutcome,
}

/// Writes manifests in parallel.
pub(crate) async fn put_manifests<C: ControlStore>(
    control: &C,
    run_id: &RunId,
    manifests: Vec<EncodedManifest>,
) -> Result<(), Failure> {
    let documents = RunDocuments::new(control, run_id);
    let puts = manifests.into_iter().map(|manifest| async move {
        documents
            .write_manifest(&manifest.shard_id, manifest.bytes)
            .await
    });
    try_join_all(puts).await?;
    Ok(())
}

/// Writes the records of a step. Its manifests must be written.
pub(crate) async fn commit<L: Ledger>(
    ledger: &L,
    step: PlanStep,
) -> Result<CommittedStep, Failure> {
    let outcome = ledger.commit_plan(&step).await?;
    if outcome == PutOutcome::Written {
        step.shards.iter().for_each(log_shard);
    }
    Ok(CommittedStep {
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
