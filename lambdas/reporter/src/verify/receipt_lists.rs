//! The receipts of a run, and of those that it goes back to.

use std::pin::pin;

use futures::{StreamExt, TryStreamExt, stream};
use shardlift_core::{
    documents::{RunDocuments, receipt::Receipt},
    failure::{Context, Failure},
    run::{pair::Side, record::RunRecord},
    shard::{ShardRecord, ShardWork},
    value::{id::RunId, key::KeyPrefix},
};
use shardlift_proof::{KnownKey, KnownKeys};

use crate::{invocation::Invocation, ports::Ports, receipts};

/// How many lists are read at once: 20,000 receipts of one fit some 10 MB, however long their keys are.
const LISTS_AT_ONCE: usize = 8;

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
    async fn each_of(
        &self,
        run_id: &RunId,
        take: &mut (dyn FnMut(KnownKey) + Send),
    ) -> Result<(), Failure> {
        let documents = RunDocuments::new(self.invocation.control, run_id);
        let kept = stream::iter(receipts::kept_keys(self.invocation, run_id).await?)
            .map(|key| Ok(ListAt::Kept(key)));
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
        let progress = &shard.outcome.progress;
        let counted = receipts::counted(documents, &shard).await?;
        let mut known: Vec<KnownKey> = counted.into_iter().map(KnownKey::Receipt).collect();
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

impl<P: Ports> KnownKeys for ReceiptLists<'_, P> {
    async fn each(&self, take: &mut (dyn FnMut(KnownKey) + Send)) -> Result<(), Failure> {
        let earlier = receipts::earlier_runs(self.run).iter();
        for run_id in earlier.chain([&self.run.run_id]) {
            self.each_of(run_id, take)
                .await
                .context(format_args!("reading the receipts of run {run_id}"))?;
        }
        Ok(())
    }
}
