//! Writes a plan: manifests and other lists to the control bucket first, then shards and ranges to the ledger in one transaction.

use futures::future::try_join_all;
use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::RunDocuments,
    failure::Failure,
    plan::{PackedChunks, range::RangeRecord},
    port::{ControlStore, Ledger, PlanStep, PutOutcome},
    shard::ShardRecord,
    value::id::{RunId, ShardId},
};
use tracing::info;

/// A manifest, or a list of what the plan leaves as it stands, that is ready to be written.
#[derive(Debug)]
pub(crate) struct EncodedList {
    pub(crate) id: ShardId,
    pub(crate) kind: ListKind,
    pub(crate) bytes: Vec<u8>,
}

impl ListKind {
    /// The list of what these chunks keep, or of the keys that differ in them.
    pub(crate) fn encode(self, packed: &PackedChunks) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Kept => packed.encode_kept(),
            Self::Differences => packed.encode_differences(),
            Self::Manifest => Err(Failure::invariant("a manifest is of one shard")),
        }
    }
}

impl EncodedList {
    /// The manifest of a shard.
    pub(crate) fn manifest(id: ShardId, bytes: Vec<u8>) -> Self {
        let kind = ListKind::Manifest;
        Self { id, kind, bytes }
    }
}

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// The objects of a shard.
    Manifest,
    /// Objects that stay as they are.
    Kept,
    /// Keys that differ in an audit.
    Differences,
}

/// A step after its transaction.
#[derive(Debug)]
pub(crate) struct CommittedStep {
    /// The new records of its ranges.
    pub(crate) ranges: Vec<RangeRecord>,
    /// Whether the ledger took it.
    pub(crate) outcome: PutOutcome,
}

/// Writes lists in parallel.
pub(crate) async fn put_lists<C: ControlStore>(
    control: &C,
    run_id: &RunId,
    lists: Vec<EncodedList>,
) -> Result<(), Failure> {
    let documents = RunDocuments::new(control, run_id);
    let puts = lists.into_iter().map(|list| async move {
        match list.kind {
            ListKind::Manifest => documents.write_manifest(&list.id, list.bytes).await,
            ListKind::Kept => documents.write_kept(&list.id, list.bytes).await,
            ListKind::Differences => documents.write_differences(&list.id, list.bytes).await,
        }
    });
    try_join_all(puts).await?;
    Ok(())
}

/// Writes the records of a step. Its lists must be written.
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
