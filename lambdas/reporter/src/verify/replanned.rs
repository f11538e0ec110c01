//! Reads what a rerun planned although it changed since the listing that the rerun goes back to.

use futures::{TryStreamExt, future, stream};
use shardlift_core::{
    failure::Failure,
    run::record::RunRecord,
    verify::{KeyFingerprint, ReplannedObjects, changed_since},
};

use crate::{
    invocation::{Invocation, MANIFESTS_AT_ONCE},
    ports::Ports,
};

/// Those objects of a run; none when it is no rerun. Ten million take 80 MB, and up to 240 MB at the moment when their
/// list has grown to twice its size. Each invocation of the verification reads every manifest of the rerun, and does not
/// look at the deadline (docs/LIMITS.md).
///
/// # Errors
/// When a manifest of the run cannot be read.
pub(super) async fn read<P: Ports>(
    invocation: &Invocation<'_, P>,
    run: &RunRecord,
) -> Result<ReplannedObjects, Failure> {
    let Some(rerun) = &run.spec.rerun else {
        return Ok(ReplannedObjects::default());
    };
    let documents = invocation.documents();
    let fingerprints: Vec<KeyFingerprint> = invocation
        .shards()
        .try_filter(|shard| future::ready(shard.work.copies_manifest()))
        .map_ok(|shard| async move { Ok(documents.manifest(&shard.shard_id).await?) })
        .try_buffer_unordered(MANIFESTS_AT_ONCE)
        .map_ok(|manifest| {
            let changed = changed_since(&manifest.objects, rerun.listed_since);
            stream::iter(changed.into_iter().map(Ok::<_, Failure>))
        })
        .try_flatten()
        .try_collect()
        .await?;
    Ok(ReplannedObjects::new(fingerprints))
}
