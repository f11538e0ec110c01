//! No multipart upload outlives its run (P8): what the copiers left unfinished is aborted when the run is over.

use std::{collections::BTreeMap, pin::pin};

use futures::{TryStreamExt, future};
use shardlift_core::{
    control_key,
    failure::Failure,
    id::UploadId,
    key::ObjectKey,
    manifest::Manifest,
    pair::Pair,
    port::{ControlStore, Ledger, TargetBucket},
    run::RunRecord,
    shard::{ShardRecord, ShardWork},
};

use crate::settle;

/// The operation that a plan with objects in parts expects.
const CREATE: &str = "s3:CreateMultipartUpload";

/// Whether the run may have left uploads behind: some of its objects were to be copied in parts.
pub(crate) fn may_be_left(run: &RunRecord) -> bool {
    run.totals.estimate.requests.contains_key(CREATE)
}

/// Aborts every unfinished upload to an object that this run planned to copy: those in the ledger, and those of copiers
/// that died between creating one and noting it. Uploads of others, to other keys, stay. The run owns its keys: the lock
/// keeps other runs away. Repeating it aborts nothing twice.
///
/// # Errors
/// What keeps an upload from being found or aborted, naming it.
pub(crate) async fn abort_unfinished<L: Ledger, C: ControlStore, T: TargetBucket>(
    ledger: &L,
    control: &C,
    target: &T,
    run: &RunRecord,
) -> Result<(), Failure> {
    let pair = &run.spec.pair;
    let mut unfinished = unfinished_under(target, pair).await?;
    // A shard of no more bytes than one call may copy has no object in parts.
    let has_parts = |shard: &ShardRecord| {
        matches!(
            shard.work,
            ShardWork::CopyObjects | ShardWork::AssembleObject { .. }
        ) && shard.planned.bytes > run.spec.multipart_threshold_bytes
    };
    let shards =
        settle::shards(ledger, &run.run_id).try_filter(|shard| future::ready(has_parts(shard)));
    let mut shards = pin!(shards);
    while !unfinished.is_empty()
        && let Some(shard) = shards.try_next().await?
    {
        for target_key in target_keys(control, pair, &shard).await? {
            for upload_id in unfinished.remove(&target_key).unwrap_or_default() {
                abort(target, &target_key, &upload_id)
                    .await
                    .map_err(|failure| {
                        failure.within(format!(
                            "aborting the unfinished uploads of shard {}",
                            shard.shard_id
                        ))
                    })?;
            }
        }
    }
    Ok(())
}

/// Every unfinished upload under the target prefix, whoever began it, by its key.
async fn unfinished_under<T: TargetBucket>(
    target: &T,
    pair: &Pair,
) -> Result<BTreeMap<ObjectKey, Vec<UploadId>>, Failure> {
    let uploads = target.list_uploads(&pair.target.prefix).await;
    let uploads = uploads.map_err(|fault| {
        fault
            .into_failure()
            .within("looking for uploads under the target prefix")
    })?;
    let mut by_key: BTreeMap<ObjectKey, Vec<UploadId>> = BTreeMap::new();
    for (key, upload_id) in uploads {
        by_key.entry(key).or_default().push(upload_id);
    }
    Ok(by_key)
}

/// Where the objects of a shard go. An object whose key would be too long there is never uploaded.
async fn target_keys<C: ControlStore>(
    control: &C,
    pair: &Pair,
    shard: &ShardRecord,
) -> Result<Vec<ObjectKey>, Failure> {
    let key = control_key::manifest(&shard.run_id, &shard.shard_id);
    let bytes = control.get(&key).await;
    let bytes = bytes
        .map_err(|fault| fault.into_failure().within(format!("reading {key}")))?
        .ok_or_else(|| Failure::invariant(format!("{key} does not exist")))?;
    let manifest = Manifest::decode(&bytes, &shard.run_id, &shard.shard_id)?;
    let keys = manifest.objects.iter();
    Ok(keys
        .filter_map(|object| pair.target_key(&object.key)?.ok())
        .collect())
}

async fn abort<T: TargetBucket>(
    target: &T,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> Result<(), Failure> {
    let aborted = target.abort_upload(target_key, upload_id).await;
    aborted.map_err(|fault| {
        fault
            .into_failure()
            .within(format!("upload {upload_id} of {target_key:?}"))
    })
}
