//! Reads which versions a run planned of doubtful objects.

use std::pin::pin;

use futures::{TryStreamExt, future};
use shardlift_core::{failure::Failure, verify::PlannedVersions};

use crate::{
    invocation::{Invocation, MANIFESTS_AT_ONCE},
    ports::Ports,
};

/// Looks the versions of these keys up in the manifests of the run. It reads every manifest, and does not look at the
/// deadline (docs/LIMITS.md); a run without doubtful objects reads none.
///
/// # Errors
/// When a manifest of the run cannot be read.
pub(super) async fn look_up<P: Ports>(
    invocation: &Invocation<'_, P>,
    versions: &mut PlannedVersions,
) -> Result<(), Failure> {
    let documents = invocation.documents();
    let manifests = invocation
        .shards()
        .try_filter(|shard| future::ready(shard.work.copies_manifest()))
        .map_ok(|shard| async move { Ok(documents.manifest(&shard.shard_id).await?) })
        .try_buffer_unordered(MANIFESTS_AT_ONCE);
    let mut manifests = pin!(manifests);
    while let Some(manifest) = manifests.try_next().await? {
        for object in manifest.objects {
            if let Some(version) = versions.get_mut(&object.key) {
                *version = Some(object.etag);
            }
        }
    }
    Ok(())
}
