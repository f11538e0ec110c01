//! A ledger in memory, with the conditions of the real one.

use std::{
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard},
};

use shardlift_core::{
    failure::fault::CallFault,
    plan::{KeptRecord, range::RangeRecord},
    port::{Ledger, Page, PlanStep, PutOutcome},
    run::{
        lock::{LockRecord, LockSlot, LockedPrefix},
        record::RunRecord,
        renditions::RenditionsRecord,
    },
    shard::ShardRecord,
    value::{
        bucket::BucketName,
        id::{RunId, ShardId},
        tally::RequestCounts,
    },
};

mod tables;

use crate::CallScript;
use tables::{Tables, commit, create, replace};

fn slot_of(lock: &LockRecord) -> (LockedPrefix, LockSlot) {
    (lock.locked.clone(), lock.state.slot())
}

/// Shards per page: small, so that tests meet more than one page.
const PAGE_ITEMS: usize = 3;

/// A ledger in memory.
#[derive(Debug, Clone, Default)]
pub struct MemoryLedger {
    tables: Arc<Mutex<Tables>>,
    script: CallScript,
}

impl MemoryLedger {
    /// An empty ledger; calls go through `script`.
    #[must_use]
    pub fn new(script: CallScript) -> Self {
        Self {
            tables: Arc::default(),
            script,
        }
    }

    /// The same ledger as another caller sees it: its calls go through `script`.
    #[must_use]
    pub fn through(&self, script: CallScript) -> Self {
        Self {
            script,
            ..self.clone()
        }
    }

    pub(crate) fn put_lock(&self, lock: LockRecord) {
        self.lock().locks.insert(slot_of(&lock), lock);
    }

    /// Every shard of a run, past the script, in order of their ids.
    #[must_use]
    pub fn shards(&self, run_id: &RunId) -> Vec<ShardRecord> {
        self.lock()
            .shards
            .values()
            .filter(|shard| shard.run_id == *run_id)
            .cloned()
            .collect()
    }

    /// Every record of what a plan leaves as it stands, past the script.
    #[must_use]
    pub fn kept(&self, run_id: &RunId) -> Vec<KeptRecord> {
        let tables = self.lock();
        let kept = tables.kept.values();
        kept.filter(|kept| kept.run_id == *run_id)
            .cloned()
            .collect()
    }

    /// Every range of a run, past the script.
    #[must_use]
    pub fn ranges(&self, run_id: &RunId) -> Vec<RangeRecord> {
        self.lock()
            .ranges
            .values()
            .filter(|range| range.run_id == *run_id)
            .cloned()
            .collect()
    }

    /// The record of a run, past the script.
    #[must_use]
    pub fn run(&self, run_id: &RunId) -> Option<RunRecord> {
        self.lock().runs.get(run_id).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().expect("not poisoned")
    }

    /// One write. Stricter than the real adapter, which reads after a lost response: here the caller gets the fault.
    async fn write(
        &self,
        operation: &'static str,
        effect: impl Fn(&mut Tables) -> PutOutcome + Send,
    ) -> Result<PutOutcome, CallFault> {
        self.script
            .call(operation, || {
                let mut tables = self.lock();
                *tables.requests.entry(operation.to_owned()).or_default() += 1;
                Ok(effect(&mut tables))
            })
            .await
    }

    async fn read<T>(
        &self,
        operation: &'static str,
        look: impl Fn(&Tables) -> T + Send,
    ) -> Result<T, CallFault> {
        self.script
            .call(operation, || {
                let mut tables = self.lock();
                *tables.requests.entry(operation.to_owned()).or_default() += 1;
                Ok(look(&tables))
            })
            .await
    }
}

impl Ledger for MemoryLedger {
    async fn create_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.write("dynamodb:PutItem", |tables| {
            create(&mut tables.runs, run.run_id.clone(), run.clone())
        })
        .await
    }

    async fn replace_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.write("dynamodb:PutItem", |tables| {
            replace(&mut tables.runs, &run.run_id, run.clone(), |record| {
                record.revision
            })
        })
        .await
    }

    async fn read_run(&self, run_id: &RunId) -> Result<Option<RunRecord>, CallFault> {
        self.read("dynamodb:GetItem", |tables| {
            tables.runs.get(run_id).cloned()
        })
        .await
    }

    async fn commit_plan(&self, step: &PlanStep) -> Result<PutOutcome, CallFault> {
        self.write("dynamodb:TransactWriteItems", |tables| commit(tables, step))
            .await
    }

    async fn read_ranges(&self, run_id: &RunId) -> Result<Vec<RangeRecord>, CallFault> {
        self.read("dynamodb:Query", |tables| {
            tables
                .ranges
                .values()
                .filter(|range| range.run_id == *run_id)
                .cloned()
                .collect()
        })
        .await
    }

    async fn read_kept(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<KeptRecord>, CallFault> {
        self.read("dynamodb:Query", |tables| {
            let mut all = tables
                .kept
                .iter()
                .filter(|((run, list), _)| {
                    run == run_id && from.is_none_or(|from| list.as_str() > from)
                })
                .map(|(_, kept)| kept.clone());
            let items: Vec<KeptRecord> = all.by_ref().take(PAGE_ITEMS).collect();
            let last = items.last().map(|kept| kept.list_id.to_string());
            Page {
                items,
                next: all.next().and(last),
            }
        })
        .await
    }

    async fn create_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        let key = (shard.run_id.clone(), shard.shard_id.clone());
        self.write("dynamodb:PutItem", |tables| {
            create(&mut tables.shards, key.clone(), shard.clone())
        })
        .await
    }

    async fn replace_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        let key = (shard.run_id.clone(), shard.shard_id.clone());
        self.write("dynamodb:PutItem", |tables| {
            replace(&mut tables.shards, &key, shard.clone(), |record| {
                record.revision
            })
        })
        .await
    }

    async fn read_shard(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> Result<Option<ShardRecord>, CallFault> {
        let key = (run_id.clone(), shard_id.clone());
        self.read("dynamodb:GetItem", |tables| {
            tables.shards.get(&key).cloned()
        })
        .await
    }

    async fn read_shards(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<ShardRecord>, CallFault> {
        self.read("dynamodb:Query", |tables| {
            let begin = from.map(|from| ShardId::new(from).expect("this ledger named the page"));
            let mut rest = tables
                .shards
                .range((
                    begin.map_or(Bound::Unbounded, |shard| {
                        Bound::Excluded((run_id.clone(), shard))
                    }),
                    Bound::Unbounded,
                ))
                .map(|(_, shard)| shard)
                .filter(|shard| shard.run_id == *run_id);
            let items: Vec<ShardRecord> = rest.by_ref().take(PAGE_ITEMS).cloned().collect();
            let more = rest.next().is_some();
            let next = items
                .last()
                .filter(|_| more)
                .map(|shard| shard.shard_id.to_string());
            Page { items, next }
        })
        .await
    }

    async fn create_lock(&self, lock: &LockRecord) -> Result<PutOutcome, CallFault> {
        self.write("dynamodb:PutItem", |tables| {
            create(&mut tables.locks, slot_of(lock), lock.clone())
        })
        .await
    }

    async fn replace_lock(
        &self,
        found: &LockRecord,
        lock: &LockRecord,
    ) -> Result<PutOutcome, CallFault> {
        self.write("dynamodb:PutItem", |tables| {
            let stored = tables.locks.get(&slot_of(lock));
            if stored.is_none_or(|stored| stored.execution_arn != found.execution_arn) {
                return PutOutcome::Refused;
            }
            replace(&mut tables.locks, &slot_of(lock), lock.clone(), |record| {
                record.revision
            })
        })
        .await
    }

    async fn read_lock(&self, locked: &LockedPrefix) -> Result<Option<LockRecord>, CallFault> {
        self.read("dynamodb:GetItem", |tables| {
            let slot = (locked.clone(), LockSlot::Holder);
            tables.locks.get(&slot).cloned()
        })
        .await
    }

    async fn read_locks(&self, bucket: &BucketName) -> Result<Vec<LockRecord>, CallFault> {
        self.read("dynamodb:Query", |tables| {
            let locks = tables.locks.values();
            let of_bucket = locks.filter(|lock| lock.locked.bucket == *bucket);
            of_bucket.cloned().collect()
        })
        .await
    }

    async fn delete_lock(&self, pair: &LockedPrefix, run_id: &RunId) -> Result<(), CallFault> {
        let deleted = self
            .write("dynamodb:DeleteItem", |tables| {
                let slot = (pair.clone(), LockSlot::Holder);
                let stored = tables.locks.get(&slot);
                if stored.is_some_and(|lock| lock.run_id == *run_id) {
                    tables.locks.remove(&slot);
                }
                PutOutcome::Written
            })
            .await?;
        debug_assert_eq!(deleted, PutOutcome::Written);
        Ok(())
    }

    async fn create_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> Result<PutOutcome, CallFault> {
        let place = &renditions.place;
        self.write("dynamodb:PutItem", |tables| {
            create(&mut tables.renditions, place.clone(), renditions.clone())
        })
        .await
    }

    async fn replace_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> Result<PutOutcome, CallFault> {
        self.write("dynamodb:PutItem", |tables| {
            let (table, place) = (&mut tables.renditions, &renditions.place);
            replace(table, place, renditions.clone(), |record| record.revision)
        })
        .await
    }

    async fn read_renditions(
        &self,
        bucket: &BucketName,
    ) -> Result<Vec<RenditionsRecord>, CallFault> {
        self.read("dynamodb:Query", |tables| {
            let renditions = tables.renditions.values();
            let of_bucket = renditions.filter(|record| record.place.bucket == *bucket);
            of_bucket.cloned().collect()
        })
        .await
    }

    fn requests(&self) -> RequestCounts {
        self.lock().requests.clone()
    }
}
