//! No multipart upload outlives its run (P8): what the copiers left unfinished is aborted when the run gives up.

use std::pin::pin;

use futures::{TryStreamExt, future};
use shardlift_core::{
    control_key,
    failure::Failure,
    manifest::Manifest,
    pair::Pair,
    port::{ControlStore, Ledger, TargetBucket},
    run::RunRecord,
    shard::ShardRecord,
};

use crate::settle;

/// Aborts every upload that the ledger knows as unfinished. Repeating it aborts nothing twice.
///
/// # Errors
/// What keeps an upload from being aborted, naming it.
pub(crate) async fn abort_unfinished<L: Ledger, C: ControlStore, T: TargetBucket>(
    ledger: &L,
    control: &C,
    target: &T,
    run: &RunRecord,
) -> Result<(), Failure> {
    let shards = settle::shards(ledger, &run.run_id)
        .try_filter(|shard| future::ready(!shard.outcome.uploads.is_empty()));
    let mut shards = pin!(shards);
    while let Some(shard) = shards.try_next().await? {
        abort_of_shard(control, target, &run.spec.pair, &shard)
            .await
            .map_err(|failure| {
                failure.within(format!(
                    "aborting the unfinished uploads of shard {}",
                    shard.shard_id
                ))
            })?;
    }
    Ok(())
}

async fn abort_of_shard<C: ControlStore, T: TargetBucket>(
    control: &C,
    target: &T,
    pair: &Pair,
    shard: &ShardRecord,
) -> Result<(), Failure> {
    let key = control_key::manifest(&shard.run_id, &shard.shard_id);
    let bytes = control.get(&key).await;
    let bytes = bytes
        .map_err(|fault| fault.into_failure().within(format!("reading {key}")))?
        .ok_or_else(|| Failure::invariant(format!("{key} does not exist")))?;
    let manifest = Manifest::decode(&bytes, &shard.run_id, &shard.shard_id)?;
    for upload in &shard.outcome.uploads {
        let target_key = usize::try_from(upload.index)
            .ok()
            .and_then(|index| manifest.objects.get(index))
            .and_then(|object| pair.target_key(&object.key))
            .and_then(Result::ok)
            .ok_or_else(|| {
                Failure::invariant(format!(
                    "upload {} is of no planned object",
                    upload.upload_id
                ))
            })?;
        let aborted = target.abort_upload(&target_key, &upload.upload_id).await;
        aborted.map_err(|fault| {
            fault
                .into_failure()
                .within(format!("upload {} of {target_key:?}", upload.upload_id))
        })?;
    }
    Ok(())
}
