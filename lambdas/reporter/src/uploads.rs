//! No multipart upload outlives its run (P8): what the copiers left unfinished is aborted when the run is over.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
};

use futures::{TryStreamExt, future};
use serde::{Deserialize, Serialize};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::preflight,
    failure::Failure,
    port::{Clock, ControlStore, Ledger, TargetBucket},
    run::{pair::Pair, record::RunRecord},
    shard::ShardRecord,
    value::{
        deadline::Deadline,
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        printable::Printable,
    },
};

use crate::{
    manifests::{self, MANIFESTS_AT_ONCE},
    settle,
};

/// The operation that a plan with objects in parts expects.
const CREATE: &str = "s3:CreateMultipartUpload";

/// Unfinished uploads by their key.
type Unfinished = BTreeMap<ObjectKey, Vec<UploadId>>;

/// How far the uploads of a run are swept. It is noted between invocations, so that a sweep is made once, and no manifest
/// is read for it twice but those that were on their way when an invocation ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum Sweep {
    /// The first so many of the shards that may have uploads, in the ledger's order, have none any more.
    UnderWay(u64),
    /// No shard has one any more.
    Done,
    /// Uploads may be left behind.
    Impossible(Failure),
}

impl Default for Sweep {
    fn default() -> Self {
        Self::UnderWay(0)
    }
}

impl Sweep {
    /// Whether nothing is left to try.
    pub(crate) fn is_over(&self) -> bool {
        !matches!(self, Self::UnderWay(_))
    }
}

/// Whether copiers may have left uploads behind: some of the run's objects were to be copied in parts.
fn has_objects_in_parts(run: &RunRecord) -> bool {
    run.totals.estimate.requests.contains_key(CREATE)
}

/// The key of the upload that the trials before the run made; nothing when the prefix leaves no room for it.
fn trial_key(run: &RunRecord) -> Option<ObjectKey> {
    let prefix = &run.spec.pair.target.prefix;
    prefix.join(&preflight::probe_name(&run.run_id)).ok()
}

/// The ports that a sweep needs, and until when it may take.
pub(crate) struct Sweeper<'a, L, C, T, K> {
    pub(crate) ledger: &'a L,
    pub(crate) control: &'a C,
    pub(crate) target: &'a T,
    pub(crate) clock: &'a K,
    pub(crate) deadline: Deadline,
    /// How many uploads were aborted so far.
    pub(crate) aborted: AtomicU64,
}

impl<L: Ledger, C: ControlStore, T: TargetBucket, K: Clock> Sweeper<'_, L, C, T, K> {
    /// Aborts unfinished uploads to objects that this run planned to copy, until there is none or the deadline is near:
    /// those in the ledger, and those of copiers that died between creating one and noting it; and the upload of the
    /// trials before the run. Uploads to other keys stay. Repeating it aborts nothing twice, and it gets on, however near
    /// the deadline is.
    ///
    /// To the run's keys nobody else uploads: the lock keeps runs of the same pair away. It does not keep away a run
    /// from another source to the same target prefix; two such runs overwrite each other's objects, and this aborts the
    /// other's uploads (docs/LIMITS.md).
    ///
    /// # Errors
    /// What keeps an upload from being found or aborted, naming it. `sweep` tells how far it came all the same.
    pub(crate) async fn advance(&self, run: &RunRecord, sweep: &mut Sweep) -> Result<(), Failure> {
        let Sweep::UnderWay(swept) = sweep else {
            return Ok(());
        };
        if !has_objects_in_parts(run) {
            self.sweep_trial(run).await?;
            *sweep = Sweep::Done;
            return Ok(());
        }
        let pair = &run.spec.pair;
        let mut unfinished = self.unfinished_under(&pair.target.prefix).await?;
        self.abort_trial(run, &mut unfinished).await?;
        // No object is in two shards, so that each key is found once at most.
        let mut keys_left = unfinished.len();
        let (before, mut passed) = (*swept, 0);
        let shards = settle::shards(self.ledger, &run.run_id)
            .try_filter(|shard| future::ready(has_parts(run, shard)))
            .try_skip_while(|_shard| {
                passed += 1;
                future::ready(Ok(passed <= before))
            })
            .map_ok(|shard| self.sweep_shard(pair, &unfinished, shard))
            .try_buffered(MANIFESTS_AT_ONCE);
        let mut shards = pin!(shards);
        while keys_left > 0
            && let Some(keys_found) = shards.try_next().await?
        {
            let Some(keys_found) = keys_found else {
                return Ok(());
            };
            keys_left -= keys_found;
            *swept += 1;
            if keys_left > 0 && self.deadline.is_near(self.clock.now()) {
                return Ok(());
            }
        }
        *sweep = Sweep::Done;
        Ok(())
    }

    /// Aborts what an invocation of the planner that died left of its trials.
    ///
    /// # Errors
    /// As `advance`.
    pub(crate) async fn sweep_trial(&self, run: &RunRecord) -> Result<(), Failure> {
        let Some(prefix) = trial_key(run).and_then(|key| KeyPrefix::new(key.as_str()).ok()) else {
            return Ok(());
        };
        let mut unfinished = self.unfinished_under(&prefix).await?;
        self.abort_trial(run, &mut unfinished).await
    }

    /// Takes the run's trial out of the unfinished uploads, and aborts it.
    async fn abort_trial(
        &self,
        run: &RunRecord,
        unfinished: &mut Unfinished,
    ) -> Result<(), Failure> {
        match trial_key(run).and_then(|key| unfinished.remove_entry(&key)) {
            Some((key, upload_ids)) => self.abort(&key, &upload_ids).await,
            None => Ok(()),
        }
    }

    /// Every unfinished upload under a prefix of the target, whoever began it.
    async fn unfinished_under(&self, prefix: &KeyPrefix) -> Result<Unfinished, Failure> {
        let uploads = self.target.list_uploads(prefix).await;
        let uploads = uploads.map_err(|fault| {
            fault
                .into_failure()
                .within("looking for uploads under the target prefix")
        })?;
        let mut by_key = Unfinished::new();
        for (key, upload_id) in uploads {
            by_key.entry(key).or_default().push(upload_id);
        }
        Ok(by_key)
    }

    /// Aborts what is unfinished of a shard. Tells how many of its keys had uploads; nothing when the deadline came
    /// before the last of them.
    async fn sweep_shard(
        &self,
        pair: &Pair,
        unfinished: &Unfinished,
        shard: ShardRecord,
    ) -> Result<Option<usize>, Failure> {
        let manifest = manifests::read(self.control, &shard).await?;
        // An object whose key would be too long at the target is never uploaded.
        let keys = manifest.objects.iter();
        let keys = keys.filter_map(|object| pair.target_key(&object.key)?.ok());
        let mut keys_found = 0;
        for (key, upload_ids) in keys.filter_map(|key| unfinished.get_key_value(&key)) {
            if keys_found > 0 && self.deadline.is_near(self.clock.now()) {
                return Ok(None);
            }
            keys_found += 1;
            self.abort(key, upload_ids).await.map_err(|failure| {
                failure.within(format!(
                    "aborting the unfinished uploads of shard {}",
                    shard.shard_id
                ))
            })?;
        }
        Ok(Some(keys_found))
    }

    /// Aborts these uploads to a key, and tells (P8).
    async fn abort(&self, key: &ObjectKey, upload_ids: &[UploadId]) -> Result<(), Failure> {
        for upload_id in upload_ids {
            let aborted = self.target.abort_upload(key, upload_id).await;
            aborted.map_err(|fault| {
                fault
                    .into_failure()
                    .within(format!("upload {upload_id} of {key:?}"))
            })?;
            self.aborted.fetch_add(1, Ordering::Relaxed);
            tracing::info!(
                { field::OBJECT_KEY } = %Printable(key.as_str()),
                upload.id = %upload_id,
                "an unfinished upload was aborted"
            );
        }
        Ok(())
    }
}

/// A shard of no more bytes than one call may copy has no object in parts.
fn has_parts(run: &RunRecord, shard: &ShardRecord) -> bool {
    manifests::has_own_objects(shard) && shard.planned.bytes > run.spec.multipart_threshold_bytes
}
