//! What a reported run knows, read from its documents alone.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use shardlift_core::{
    documents::{RunDocument, RunDocuments, receipt::Receipt, receipt_index},
    failure::{Context, Failure, FailureCode},
    plan::{range::KeyRange, split},
    port::ControlStore,
    report::ReportedPair,
    shard::ShardWork,
    value::{
        id::{RunId, ShardId},
        key::{KeyPrefix, RelativeKey},
        tally::{Count, Tally},
    },
};

use crate::known_keys::{KnownKey, KnownKeys};

/// How many lists are read at once: 20,000 receipts of one fit some 10 MB, however long their keys are.
const LISTS_AT_ONCE: usize = 8;
/// From how many lists the keys are taken at which the target is cut into ranges.
const LISTS_SAMPLED: usize = 32;
/// Into how many ranges the target is cut.
const RANGES_MAX: usize = 256;

/// A shard in `shards.json`, as far as it is needed here.
#[derive(Deserialize)]
struct ListedShard {
    shard_id: ShardId,
    work: ShardWork,
    planned: Count,
    #[serde(flatten)]
    tally: Tally,
}

/// A shard with objects that have no outcome.
#[derive(Debug)]
struct UnsettledShard {
    run: RunId,
    shard_id: ShardId,
    deletes: bool,
}

/// The receipts of a reported run and of those that it goes back to.
#[derive(Debug)]
pub struct DocumentReceipts<'a, C> {
    control: &'a C,
    run: &'a RunId,
    pair: &'a ReportedPair,
    lists: Vec<String>,
    open: Vec<UnsettledShard>,
}

impl<'a, C: ControlStore> DocumentReceipts<'a, C> {
    /// Finds those of a run over this pair, which goes back to `earlier` runs.
    ///
    /// # Errors
    /// When there is no index of them, and when it or a list of shards cannot be read.
    pub async fn open(
        control: &'a C,
        run: &'a RunId,
        earlier: &[RunId],
        pair: &'a ReportedPair,
    ) -> Result<Self, Failure> {
        let document = RunDocument::ReceiptIndex;
        let index = RunDocuments::new(control, run).bytes(document).await?;
        let Some(index) = index else {
            return Err(Failure::new(
                FailureCode::InvariantViolated,
                format!(
                    "s3://{}/{} is missing, so it cannot be told which keys differ",
                    control.bucket(),
                    RunDocuments::new(control, run).key(document)
                ),
            ));
        };
        let mut receipts = Self {
            control,
            run,
            pair,
            lists: receipt_index::keys(control.bucket(), &index)?,
            open: Vec::new(),
        };
        for run in earlier.iter().chain([run]) {
            receipts.find_open(run).await?;
        }
        Ok(receipts)
    }

    async fn find_open(&mut self, run: &RunId) -> Result<(), Failure> {
        let documents = RunDocuments::new(self.control, run);
        let shards: Option<Vec<ListedShard>> = documents.json(RunDocument::ShardsJson).await?;
        let shards = shards.unwrap_or_default().into_iter();
        let open = shards
            .filter(|shard| !matches!(shard.work, ShardWork::CopyParts { .. }))
            .filter(|shard| shard.tally.settled_objects() < shard.planned.objects)
            .map(|shard| UnsettledShard {
                run: run.clone(),
                shard_id: shard.shard_id,
                deletes: shard.work == ShardWork::DeleteObjects,
            });
        self.open.extend(open);
        Ok(())
    }

    /// Ranges of the key space with some of the run's objects each, for a listing of many at once.
    ///
    /// # Errors
    /// When a list cannot be read.
    pub async fn ranges(&self) -> Result<Vec<KeyRange>, Failure> {
        let mut keys: Vec<RelativeKey> = Vec::new();
        for list in split::thinned(&self.lists, LISTS_SAMPLED) {
            let receipts = self.list(&list).await?;
            let its_own: Vec<_> = receipts.into_iter().map(|receipt| receipt.key).collect();
            keys.extend(split::thinned(&its_own, RANGES_MAX));
        }
        keys.sort();
        keys.dedup();
        let mut ranges = Vec::new();
        let mut rest = KeyRange::default();
        for key in split::thinned(&keys, RANGES_MAX - 1) {
            if let Some((before, after)) = rest.split(key) {
                ranges.push(before);
                rest = after;
            }
        }
        ranges.push(rest);
        Ok(ranges)
    }

    async fn list(&self, key: &str) -> Result<Vec<Receipt>, Failure> {
        let documents = RunDocuments::new(self.control, self.run);
        Ok(documents.list(Some(key)).await?)
    }

    async fn open_keys(&self, shard: &UnsettledShard) -> Result<Vec<KnownKey>, Failure> {
        let documents = RunDocuments::new(self.control, &shard.run);
        let manifest = documents.manifest(&shard.shard_id).await?;
        let prefix = self.prefix_of(shard);
        let relative = |key: &str| Some(KnownKey::Open(key.to_owned()));
        Ok(manifest
            .objects
            .iter()
            .filter_map(|object| object.key.relative_to(prefix).and_then(relative))
            .collect())
    }

    /// What the keys of a shard's manifest begin with.
    fn prefix_of(&self, shard: &UnsettledShard) -> &KeyPrefix {
        match shard.deletes {
            true => &self.pair.target.prefix,
            false => &self.pair.source.prefix,
        }
    }
}

impl<C: ControlStore> KnownKeys for DocumentReceipts<'_, C> {
    async fn each(&self, take: &mut (dyn FnMut(KnownKey) + Send)) -> Result<(), Failure> {
        let lists = stream::iter(0..self.lists.len())
            .map(|at| async move { self.list(&self.lists[at]).await });
        let mut lists = pin!(lists.buffered(LISTS_AT_ONCE));
        while let Some(receipts) = lists.try_next().await.context("reading the receipts")? {
            receipts
                .into_iter()
                .map(KnownKey::Receipt)
                .for_each(&mut *take);
        }
        // After all receipts: an object that an earlier run left open may have been copied by a later one.
        let open = stream::iter(0..self.open.len())
            .map(|at| async move { self.open_keys(&self.open[at]).await });
        let mut open = pin!(open.buffered(LISTS_AT_ONCE));
        while let Some(keys) = open.try_next().await.context("reading the manifests")? {
            keys.into_iter().for_each(&mut *take);
        }
        Ok(())
    }
}
