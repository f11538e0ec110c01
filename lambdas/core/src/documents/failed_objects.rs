//! The failed objects of a shard, read back from what lies in the control bucket.

use crate::{
    documents::{
        control_key,
        failure_list::{self, FailedObject},
        manifest::Manifest,
    },
    failure::{Failure, FailureCode},
    shard::ShardRecord,
};

/// The two documents that together tell every failed object of a shard: their keys in the control bucket, or what lies
/// there, still packed (some hundred kilobytes at most).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailureDocuments<T> {
    /// The list of failed objects; absent when none failed.
    pub list: Option<T>,
    /// The manifest; absent when every object of it has an outcome.
    pub manifest: Option<T>,
}

impl FailureDocuments<String> {
    /// Where those of a shard lie.
    #[must_use]
    pub fn of(shard: &ShardRecord) -> Self {
        let is_open = shard.outcome.progress.settled_count() < shard.planned.objects;
        Self {
            list: shard.outcome.failures_key.clone(),
            manifest: is_open.then(|| control_key::manifest(&shard.run_id, &shard.shard_id)),
        }
    }
}

impl FailureDocuments<Vec<u8>> {
    /// Hands every failed object of the shard to `take`: those that its record counts, then those without an outcome,
    /// which have failed under `unfinished` (P4).
    ///
    /// A list is written before the record that points to it, so it may know more than the record: what the record does
    /// not count as settled is left out.
    ///
    /// # Errors
    /// `InvariantViolated` when a list is unreadable or disagrees with the record's counts.
    pub fn unpack(
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
            version_id: object.version_id,
            size: object.size_bytes,
            code: unfinished,
            detail: detail.clone(),
        }))
}
