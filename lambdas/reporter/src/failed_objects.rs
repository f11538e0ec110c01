//! The failed objects of a shard, read back from the control bucket.

use shardlift_core::{
    control_key,
    failure::{Failure, FailureCode},
    failure_list::{self, FailedObject},
    manifest::Manifest,
    port::ControlStore,
    shard::ShardRecord,
};

/// What the control bucket knows about the failed objects of a shard, still packed: some hundred kilobytes at most.
pub(crate) struct PackedFailures {
    list: Option<Vec<u8>>,
    manifest: Option<Vec<u8>>,
}

impl PackedFailures {
    /// Fetches the failure list of a shard, and its manifest when objects of it have no outcome.
    ///
    /// # Errors
    /// `InvariantViolated` when one that must exist does not.
    pub(crate) async fn fetch<C: ControlStore>(
        control: &C,
        shard: &ShardRecord,
    ) -> Result<Self, Failure> {
        let list = match &shard.outcome.failures_key {
            Some(key) => Some(fetch(control, shard, key).await?),
            None => None,
        };
        let manifest = if shard.outcome.progress.settled_count() < shard.planned.objects {
            let key = control_key::manifest(&shard.run_id, &shard.shard_id);
            Some(fetch(control, shard, &key).await?)
        } else {
            None
        };
        Ok(Self { list, manifest })
    }

    /// Hands every failed object of the shard to `take`: those that its record counts, then those without an outcome,
    /// which have failed under `unfinished` (P4).
    ///
    /// A list is written before the record that points to it, so it may know more than the record: what the record does
    /// not count as settled is left out.
    ///
    /// # Errors
    /// `InvariantViolated` when a list is unreadable or disagrees with the record's counts.
    pub(crate) fn unpack(
        &self,
        shard: &ShardRecord,
        unfinished: FailureCode,
        mut take: impl FnMut(FailedObject) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let (mut failed, mut retryable) = (0, 0);
        if let Some(list) = &self.list {
            for object in failure_list::decode(list)? {
                let object = object?;
                if shard.outcome.progress.is_settled(object.index) {
                    failed += 1;
                    retryable += u64::from(object.is_retryable());
                    take(object)?;
                }
            }
        }
        if (failed, retryable) != (shard.outcome.tally.failed.objects, shard.outcome.retryable) {
            return Err(Failure::invariant(format!(
                "the record counts {} failed objects, {} of them retryable; the list has {failed} and {retryable}",
                shard.outcome.tally.failed.objects, shard.outcome.retryable,
            )));
        }
        match &self.manifest {
            Some(manifest) => unsettled(manifest, shard, unfinished)?.try_for_each(&mut take),
            None => Ok(()),
        }
    }
}

/// The planned objects of a shard that no copier settled, as failed ones.
fn unsettled(
    manifest: &[u8],
    shard: &ShardRecord,
    unfinished: FailureCode,
) -> Result<impl Iterator<Item = FailedObject>, Failure> {
    let manifest = Manifest::decode(manifest, &shard.run_id, &shard.shard_id)?;
    let detail = match &shard.problem {
        Some(problem) => format!("shard {} was not finished: {problem}", shard.shard_id),
        None => format!(
            "shard {} was not finished; its child in the Map Run shows why",
            shard.shard_id
        ),
    };
    Ok((0u32..)
        .zip(manifest.objects)
        .filter(|&(index, _)| !shard.outcome.progress.is_settled(index))
        .map(move |(index, object)| FailedObject {
            index,
            key: object.key,
            size: object.size_bytes,
            code: unfinished,
            detail: detail.clone(),
        }))
}

async fn fetch<C: ControlStore>(
    control: &C,
    shard: &ShardRecord,
    key: &str,
) -> Result<Vec<u8>, Failure> {
    control
        .get(key)
        .await
        .map_err(|fault| fault.into_failure().within(format!("reading {key}")))?
        .ok_or_else(|| {
            Failure::invariant(format!(
                "shard {} points to {key}, which does not exist",
                shard.shard_id
            ))
        })
}
