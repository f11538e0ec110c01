//! The manifests of a run, read shard by shard.

use shardlift_core::{
    documents::{control_key, manifest::Manifest},
    failure::Failure,
    port::ControlStore,
    shard::{ShardRecord, ShardWork},
};

/// How many manifests are read at once. The 10,000 objects of one fit some 10 MB, however long their keys are.
pub(crate) const MANIFESTS_AT_ONCE: usize = 8;

/// Whether the manifest of a shard holds objects that no other shard's holds: a shard of parts shares its object's.
pub(crate) fn has_own_objects(shard: &ShardRecord) -> bool {
    matches!(
        shard.work,
        ShardWork::CopyObjects | ShardWork::AssembleObject { .. }
    )
}

/// The manifest of a shard.
///
/// # Errors
/// When it cannot be read, or is not there.
pub(crate) async fn read<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
) -> Result<Manifest, Failure> {
    let key = control_key::manifest(&shard.run_id, &shard.shard_id);
    let body = control.get(&key).await;
    let body = body.map_err(|fault| fault.into_failure().within(format!("reading {key}")))?;
    let body = body.ok_or_else(|| Failure::invariant(format!("{key} does not exist")))?;
    Manifest::decode(&body, &shard.run_id, &shard.shard_id)
}
