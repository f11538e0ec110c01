//! Fetches what the control bucket knows about the failed objects of a shard.

use shardlift_core::{
    documents::failed_objects::FailureDocuments, failure::Failure, port::ControlStore,
    shard::ShardRecord,
};

/// The failure list of a shard, and its manifest when objects of it have no outcome.
///
/// # Errors
/// `InvariantViolated` when one that must exist does not.
pub(crate) async fn fetch<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
) -> Result<FailureDocuments<Vec<u8>>, Failure> {
    let places = FailureDocuments::of(shard);
    Ok(FailureDocuments {
        list: read(control, shard, places.list).await?,
        manifest: read(control, shard, places.manifest).await?,
    })
}

async fn read<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
    key: Option<String>,
) -> Result<Option<Vec<u8>>, Failure> {
    let Some(key) = key else {
        return Ok(None);
    };
    let body = control.get(&key).await;
    let body = body.map_err(|fault| fault.into_failure().within(format!("reading {key}")))?;
    body.map(Some).ok_or_else(|| {
        Failure::invariant(format!(
            "shard {} points to {key}, which does not exist",
            shard.shard_id
        ))
    })
}
