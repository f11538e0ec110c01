//! The receipts of a run, and of those that it goes back to.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt, stream};
use shardlift_core::{
    documents::{RunDocuments, control_key, receipt::Receipt},
    failure::{Context, Failure},
    port::Ledger,
    run::{pair::Side, record::RunRecord},
    shard::{ShardRecord, ShardWork},
    value::{id::RunId, key::KeyPrefix},
};

use crate::{invocation::Invocation, ports::Ports};

/// How many lists are read at once: 20,000 receipts of one fit some 10 MB, however long their keys are.
const LISTS_AT_ONCE: usize = 8;

/// What is known of a key.
pub(super) enum KnownKey {
    /// This became of it.
    Receipt(Receipt),
    /// Its object has no outcome.
    Open(String),
}

/// Where the lists of a run lie.
enum ListAt {
    /// What the plan left as it stood, under this key.
    Kept(String),
    /// What became of the objects of a shard.
    Shard(Box<ShardRecord>),
}

/// The receipts of one run after the other, as often as they are asked for.
pub(super) struct ReceiptLists<'a, P: Ports> {
    pub(super) invocation: &'a Invocation<'a, P>,
    pub(super) run: &'a RunRecord,
}

impl<P: Ports> ReceiptLists<'_, P> {
    /// Gives every receipt to `take`. Those of the runs that a rerun goes back to come first, the oldest before all.
    ///
    /// # Errors
    /// When a list is missing, cannot be read, or is not what the ledger counts.
    pub(super) async fn each(
        &self,
        take: &mut (impl FnMut(KnownKey) + Send),
    ) -> Result<(), Failure> {
        let rerun = self.run.spec.rerun.as_ref();
        let earlier = rerun.map_or(&[][..], |rerun| rerun.carried.runs.as_slice());
        for run_id in earlier.iter().chain([&self.run.run_id]) {
            self.each_of(run_id, take)
                .await
                .context(format_args!("reading the receipts of run {run_id}"))?;
        }
        Ok(())
    }

    async fn each_of(
        &self,
        run_id: &RunId,
        take: &mut (impl FnMut(KnownKey) + Send),
    ) -> Result<(), Failure> {
        let documents = RunDocuments::new(self.invocation.control, run_id);
        let kept = stream::iter(self.kept(run_id).await?).map(|key| Ok(ListAt::Kept(key)));
        let shards = self
            .invocation
            .shards_of(run_id)
            .map_ok(|shard| ListAt::Shard(Box::new(shard)));
        let lists = kept
            .chain(shards)
            .map_ok(|list| async { self.read(documents, list).await })
            .try_buffered(LISTS_AT_ONCE);
        let mut lists = pin!(lists);
        while let Some(known) = lists.try_next().await? {
            known.into_iter().for_each(&mut *take);
        }
        Ok(())
    }

    /// The keys of the lists of what the plan of a run left as it stood.
    async fn kept(&self, run_id: &RunId) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page = self.invocation.ledger.read_kept(run_id, next.as_deref());
            let page = page.await?;
            let lists = page.items.iter();
            keys.extend(lists.map(|kept| control_key::kept(run_id, &kept.list_id)));
            next = page.next;
            if next.is_none() {
                return Ok(keys);
            }
        }
    }

    async fn read(
        &self,
        documents: RunDocuments<'_, P::Control>,
        list: ListAt,
    ) -> Result<Vec<KnownKey>, Failure> {
        let shard = match list {
            ListAt::Kept(key) => {
                let receipts: Vec<Receipt> = documents.list(Some(&key)).await?;
                return Ok(receipts.into_iter().map(KnownKey::Receipt).collect());
            }
            ListAt::Shard(shard) => shard,
        };
        let key = shard.outcome.receipts_key.as_deref();
        let receipts: Vec<Receipt> = documents.list(key).await?;
        let progress = &shard.outcome.progress;
        let is_settled =
            |receipt: &Receipt| receipt.index.is_some_and(|at| progress.is_settled(at));
        let mut known: Vec<KnownKey> = receipts
            .into_iter()
            .filter(is_settled)
            .map(KnownKey::Receipt)
            .collect();
        let is_whole = known.len() as u64 == shard.planned.objects;
        if !is_whole && !matches!(shard.work, ShardWork::CopyParts { .. }) {
            let prefix = self.prefix_of(&shard);
            let manifest = documents.manifest(&shard.shard_id).await?;
            let open = progress.open(u32::try_from(manifest.objects.len()).unwrap_or(u32::MAX));
            known.extend(open.filter_map(|index| {
                let object = manifest.objects.get(index as usize)?;
                let relative = object.key.relative_to(prefix)?;
                Some(KnownKey::Open(relative.to_owned()))
            }));
        }
        Ok(known)
    }

    /// What the keys of a shard's manifest begin with.
    fn prefix_of(&self, shard: &ShardRecord) -> &KeyPrefix {
        let side = match shard.work {
            ShardWork::DeleteObjects => Side::Target,
            _ => Side::Source,
        };
        self.run.spec.pair.prefix(side)
    }
}
