//! Finds the unfinished uploads of a run and aborts them.

use std::{
    collections::BTreeMap,
    pin::pin,
    sync::atomic::{AtomicU64, Ordering},
};

use futures::{TryStreamExt, future};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::preflight,
    failure::{Context, Failure},
    port::TargetBucket,
    report::settlement::CREATE_UPLOAD,
    run::record::RunRecord,
    shard::{ShardRecord, ShardState},
    value::{
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        printable::Printable,
        tally::RequestCounts,
    },
};

use super::sweep_progress::SweepProgress;
use crate::{
    invocation::Invocation,
    ports::{Ports, Target},
};

/// How many manifests are read at once. The 10,000 objects of one fit some 10 MB, however long their keys are.
const MANIFESTS_AT_ONCE: usize = 8;

/// Unfinished uploads by their key.
type Unfinished = BTreeMap<ObjectKey, Vec<UploadId>>;

/// A sweep in the target account.
pub(super) struct Sweeper<'a, P: Ports> {
    invocation: &'a Invocation<'a, P>,
    run: &'a RunRecord,
    target: Target<P>,
    aborted: AtomicU64,
}

impl<'a, P: Ports> Sweeper<'a, P> {
    /// Enters the target account.
    ///
    /// # Errors
    /// When the target role cannot be assumed.
    pub(super) async fn enter(
        invocation: &'a Invocation<'a, P>,
        run: &'a RunRecord,
    ) -> Result<Self, Failure> {
        Ok(Self {
            invocation,
            run,
            target: invocation.enter_target(run).await?,
            aborted: AtomicU64::new(0),
        })
    }

    /// How many uploads were aborted so far.
    pub(super) fn aborted(&self) -> u64 {
        self.aborted.load(Ordering::Relaxed)
    }

    /// Requests made so far.
    pub(super) fn requests(&self) -> RequestCounts {
        self.target.requests()
    }

    /// Aborts unfinished uploads to objects that this run planned to copy, until there is none or the deadline is near:
    /// those in the ledger, those of copiers that died between creating one and recording it, and the upload of the
    /// permission probe. Uploads to other keys stay. A second call aborts nothing twice, and every call makes progress,
    /// however near the deadline is.
    ///
    /// No other run uploads to the run's keys: the lock of the target prefix keeps runs away that would write them.
    ///
    /// # Errors
    /// What keeps an upload from being found or aborted, naming it. `progress` is up to date then, too.
    pub(super) async fn advance(
        &self,
        progress: &mut SweepProgress,
        may_have_left_uploads: bool,
    ) -> Result<(), Failure> {
        let SweepProgress::UnderWay(swept) = progress else {
            return Ok(());
        };
        if !has_objects_in_parts(self.run) && !may_have_left_uploads {
            self.sweep_probe().await?;
            *progress = SweepProgress::Done;
            return Ok(());
        }
        let mut unfinished = self
            .unfinished_under(&self.run.spec.pair.target.prefix)
            .await?;
        self.abort_probe(&mut unfinished).await?;
        // No object is in two shards, so that each key is found once at most.
        let mut keys_left = unfinished.len();
        let (before, mut passed) = (*swept, 0);
        let shards = self
            .invocation
            .shards()
            .try_filter(|shard| future::ready(self.has_parts(shard)))
            .try_skip_while(|_shard| {
                passed += 1;
                future::ready(Ok(passed <= before))
            })
            .map_ok(|shard| self.sweep_shard(&unfinished, shard))
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
            if keys_left > 0 && self.invocation.is_ending() {
                return Ok(());
            }
        }
        *progress = SweepProgress::Done;
        Ok(())
    }

    /// Aborts the upload that an invocation of the planner left when it died during its permission probe.
    ///
    /// # Errors
    /// As `advance`.
    pub(super) async fn sweep_probe(&self) -> Result<(), Failure> {
        let prefix = probe_key(self.run).and_then(|key| KeyPrefix::new(key.as_str()).ok());
        let Some(prefix) = prefix else {
            return Ok(());
        };
        let mut unfinished = self.unfinished_under(&prefix).await?;
        self.abort_probe(&mut unfinished).await
    }

    /// Takes the probe's upload out of the unfinished ones, and aborts it.
    async fn abort_probe(&self, unfinished: &mut Unfinished) -> Result<(), Failure> {
        match probe_key(self.run).and_then(|key| unfinished.remove_entry(&key)) {
            Some((key, upload_ids)) => self.abort(&key, &upload_ids).await,
            None => Ok(()),
        }
    }

    /// Every unfinished upload under a prefix of the target, whoever began it.
    async fn unfinished_under(&self, prefix: &KeyPrefix) -> Result<Unfinished, Failure> {
        let uploads = self.target.list_uploads(prefix).await;
        let mut by_key = Unfinished::new();
        for (key, upload_id) in uploads.context("looking for uploads under the target prefix")? {
            by_key.entry(key).or_default().push(upload_id);
        }
        Ok(by_key)
    }

    /// Aborts the unfinished uploads of a shard. Gives the number of its keys that had uploads; nothing when the deadline
    /// came before the last of them.
    async fn sweep_shard(
        &self,
        unfinished: &Unfinished,
        shard: ShardRecord,
    ) -> Result<Option<usize>, Failure> {
        let shard_id = &shard.shard_id;
        let manifest = self.invocation.documents().manifest(shard_id).await?;
        // An object whose key would be too long at the target is never uploaded.
        let keys = manifest.objects.iter();
        let keys = keys.filter_map(|object| self.run.spec.pair.target_key(&object.key)?.ok());
        let mut keys_found = 0;
        for (key, upload_ids) in keys.filter_map(|key| unfinished.get_key_value(&key)) {
            if keys_found > 0 && self.invocation.is_ending() {
                return Ok(None);
            }
            keys_found += 1;
            self.abort(key, upload_ids).await.context(format_args!(
                "aborting the unfinished uploads of shard {shard_id}"
            ))?;
        }
        Ok(Some(keys_found))
    }

    /// Aborts these uploads to a key, and reports each (P8).
    async fn abort(&self, key: &ObjectKey, upload_ids: &[UploadId]) -> Result<(), Failure> {
        for upload_id in upload_ids {
            let aborted = self.target.abort_upload(key, upload_id).await;
            aborted.context(format_args!("upload {upload_id} of {key:?}"))?;
            self.aborted.fetch_add(1, Ordering::Relaxed);
            tracing::info!(
                { field::OBJECT_KEY } = %Printable(key.as_str()),
                upload.id = %upload_id,
                "an unfinished upload was aborted"
            );
        }
        Ok(())
    }

    /// A shard of no more bytes than one call may copy has no object in parts, unless a newer version of one is larger: then
    /// its record shows that, or that a copier was killed before it wrote it.
    fn has_parts(&self, shard: &ShardRecord) -> bool {
        let is_planned = shard.planned.bytes > self.run.spec.multipart_threshold_bytes;
        let may_be_newer = !shard.outcome.uploads.is_empty()
            || shard.outcome.requests.contains_key(CREATE_UPLOAD)
            || shard.attempts > 1
            || shard.state != ShardState::Done;
        shard.work.copies_manifest() && (is_planned || may_be_newer)
    }
}

/// Whether copiers may have left uploads behind: some of the run's objects were to be copied in parts.
pub(crate) fn has_objects_in_parts(run: &RunRecord) -> bool {
    run.totals.estimate.requests.contains_key(CREATE_UPLOAD)
}

/// The key of the upload of the permission probe; nothing when the prefix leaves no room for it.
fn probe_key(run: &RunRecord) -> Option<ObjectKey> {
    let prefix = &run.spec.pair.target.prefix;
    prefix.join(&preflight::probe_name(&run.run_id)).ok()
}
