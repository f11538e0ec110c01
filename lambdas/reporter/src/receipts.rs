//! Where the receipts of a run lie, and which of them count.

use shardlift_core::{
    documents::{RunDocuments, control_key, receipt::Receipt},
    failure::{Context, Failure},
    port::{ControlStore, Ledger},
    run::record::RunRecord,
    shard::ShardRecord,
    value::id::RunId,
};

use crate::{invocation::Invocation, ports::Ports};

/// The runs that a rerun goes back to and vouches for, the first one first.
pub(crate) fn earlier_runs(run: &RunRecord) -> &[RunId] {
    let rerun = run.spec.rerun.as_ref();
    rerun.map_or(&[][..], |rerun| rerun.carried.runs.as_slice())
}

/// What a fault of reading these records is said to be.
pub(crate) const READING_KEPT: &str = "reading what the plan left as it stood";

/// The keys of the lists of what the plan of a run left as it stood.
///
/// # Errors
/// When the ledger cannot be read.
pub(crate) async fn kept_keys<P: Ports>(
    invocation: &Invocation<'_, P>,
    run_id: &RunId,
) -> Result<Vec<String>, Failure> {
    let mut keys = Vec::new();
    let mut lists = invocation.ledger.kept(run_id);
    while let Some(kept) = lists.next().await.context(READING_KEPT)? {
        // One of an audit may count differences alone.
        if kept.has_list() {
            keys.push(control_key::kept(run_id, &kept.list_id));
        }
    }
    Ok(keys)
}

/// The receipts that the record of a shard counts. A list is written before the record that points to it, so it may know
/// more than the record.
///
/// # Errors
/// When the list is missing or cannot be read.
pub(crate) async fn counted<C: ControlStore>(
    documents: RunDocuments<'_, C>,
    shard: &ShardRecord,
) -> Result<Vec<Receipt>, Failure> {
    let mut receipts = all(documents, shard).await?;
    let progress = &shard.outcome.progress;
    receipts.retain(|receipt| receipt.index.is_some_and(|at| progress.is_settled(at)));
    Ok(receipts)
}

/// The key of a list with the receipts that the record of a shard counts, and no others; nothing where it counts none. Such
/// a list is written where there is none yet.
///
/// # Errors
/// When a list is missing, cannot be read, or cannot be written.
pub(crate) async fn counted_key<C: ControlStore>(
    documents: RunDocuments<'_, C>,
    shard: &ShardRecord,
) -> Result<Option<String>, Failure> {
    let Some(key) = &shard.outcome.receipts_key else {
        return Ok(None);
    };
    let settled = shard.outcome.progress.settled_count();
    if settled == shard.planned.objects || all(documents, shard).await?.len() as u64 == settled {
        return Ok(Some(key.clone()));
    }
    let receipts = counted(documents, shard).await?;
    let written = documents.write_counted_receipts(&shard.shard_id, &receipts);
    Ok(Some(written.await?))
}

async fn all<C: ControlStore>(
    documents: RunDocuments<'_, C>,
    shard: &ShardRecord,
) -> Result<Vec<Receipt>, Failure> {
    let key = shard.outcome.receipts_key.as_deref();
    Ok(documents.list(key).await?)
}
