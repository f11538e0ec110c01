//! The failed objects of a shard, read back from the control bucket.

use shardlift_core::{
    control_key,
    failure::{Failure, FailureCode},
    failure_list::{self, FailedObject},
    manifest::Manifest,
    port::ControlStore,
    shard::ShardRecord,
};

/// The failed objects that the shard's record counts.
///
/// A list is written before the record that points to it, so it may know more than the record: what the record does
/// not count as settled is left out.
///
/// # Errors
/// `InvariantViolated` when the list is missing, unreadable, or disagrees with the record's counts.
pub(crate) async fn read<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
) -> Result<Vec<FailedObject>, Failure> {
    let Some(key) = &shard.outcome.failures_key else {
        return Ok(Vec::new());
    };
    let told = |failure: Failure| failure.within(format!("shard {}, {key}", shard.shard_id));
    let bytes = fetch(control, key).await.map_err(told)?;
    let mut objects = Vec::new();
    for object in failure_list::decode(&bytes).map_err(told)? {
        let object = object.map_err(told)?;
        if shard.outcome.progress.is_settled(object.index) {
            objects.push(object);
        }
    }
    let counted = shard.outcome.tally.failed.objects;
    let retryable = objects
        .iter()
        .filter(|object| object.is_retryable())
        .count() as u64;
    if objects.len() as u64 != counted || retryable != shard.outcome.retryable {
        return Err(told(Failure::invariant(format!(
            "the record counts {counted} failed objects, {} of them retryable; the list has {} and {retryable}",
            shard.outcome.retryable,
            objects.len()
        ))));
    }
    Ok(objects)
}

/// The planned objects of a shard that no copier settled, as failed ones (P4).
///
/// # Errors
/// `InvariantViolated` when the manifest is missing or disagrees with the record.
pub(crate) async fn unsettled<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
    code: FailureCode,
) -> Result<Vec<FailedObject>, Failure> {
    if shard.outcome.progress.settled_count() == shard.planned.objects {
        return Ok(Vec::new());
    }
    let key = control_key::manifest(&shard.run_id, &shard.shard_id);
    let manifest = Manifest::decode(
        &fetch(control, &key)
            .await
            .map_err(|failure| failure.within(format!("shard {}, {key}", shard.shard_id)))?,
        &shard.run_id,
        &shard.shard_id,
    )?;
    let detail = match &shard.problem {
        Some(problem) => format!("shard {} was not finished: {problem}", shard.shard_id),
        None => format!(
            "shard {} was not finished; its child in the Map Run shows why",
            shard.shard_id
        ),
    };
    let code = shard.problem.as_ref().map_or(code, |problem| problem.code);
    Ok((0u32..)
        .zip(manifest.objects)
        .filter(|&(index, _)| !shard.outcome.progress.is_settled(index))
        .map(|(index, object)| FailedObject {
            index,
            key: object.key,
            size: object.size_bytes,
            code,
            detail: detail.clone(),
        })
        .collect())
}

async fn fetch<C: ControlStore>(control: &C, key: &str) -> Result<Vec<u8>, Failure> {
    control
        .get(key)
        .await
        .map_err(shardlift_core::fault::CallFault::into_failure)?
        .ok_or_else(|| Failure::invariant("the ledger points to it, and it does not exist"))
}
