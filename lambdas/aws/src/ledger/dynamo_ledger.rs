use aws_sdk_dynamodb::Client;
use serde::{Serialize, de::DeserializeOwned};
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
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

use super::{
    item::{Entry, WriteMark, record_of},
    operation::{GET_ITEM, QUERY},
    record_key::{
        PageMark, RecordKey, SHARD_PARTITIONS, kept_partition, lock_partition, range_partition,
        renditions_partition, shard_partition,
    },
    settled_write::write,
    table::Table,
};

/// The ledger table.
#[derive(Debug, Clone)]
pub struct DynamoLedger(Table);

impl DynamoLedger {
    /// The ledger in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        Self(Table::new(client, table.into()))
    }

    /// Writes a record that must not exist yet.
    async fn create(
        &self,
        key: RecordKey,
        record: &(impl Serialize + Sync),
    ) -> Result<PutOutcome, CallFault> {
        let mark = WriteMark::fresh();
        let entry = Entry::created(key, record, &mark)?;
        write(&self.0, &[entry], &mark).await
    }

    /// Writes a record of `revision` over the revision before it.
    async fn replace(
        &self,
        key: RecordKey,
        record: &(impl Serialize + Sync),
        revision: u64,
    ) -> Result<PutOutcome, CallFault> {
        let mark = WriteMark::fresh();
        let entry = Entry::replaced(key, record, revision, &mark)?;
        write(&self.0, &[entry], &mark).await
    }

    async fn read<T: DeserializeOwned>(&self, key: &RecordKey) -> Result<Option<T>, CallFault> {
        let item = self.0.get(key).await?;
        item.map(|item| record_of(GET_ITEM, item)).transpose()
    }

    /// Reads one page of the records of a partition; the second value is the sort key to continue after.
    async fn query<T: DeserializeOwned>(
        &self,
        partition: &str,
        after: Option<&str>,
    ) -> Result<(Vec<T>, Option<String>), CallFault> {
        let (items, last) = self.0.query(partition, after).await?;
        let records = items.into_iter().map(|item| record_of(QUERY, item));
        Ok((records.collect::<Result<_, _>>()?, last))
    }

    /// Reads all records of a partition.
    async fn query_all<T: DeserializeOwned>(&self, partition: &str) -> Result<Vec<T>, CallFault> {
        let mut records = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let (page, last) = self.query(partition, after.as_deref()).await?;
            records.extend(page);
            if last.is_none() {
                return Ok(records);
            }
            after = last;
        }
    }
}

impl Ledger for DynamoLedger {
    async fn create_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.create(RecordKey::run(&run.run_id), run).await
    }

    async fn replace_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.replace(RecordKey::run(&run.run_id), run, run.revision)
            .await
    }

    async fn read_run(&self, run_id: &RunId) -> Result<Option<RunRecord>, CallFault> {
        self.read(&RecordKey::run(run_id)).await
    }

    async fn commit_plan(&self, step: &PlanStep) -> Result<PutOutcome, CallFault> {
        let mark = WriteMark::fresh();
        let mut entries = Vec::new();
        for range in &step.ranges {
            let key = RecordKey::range(&range.run_id, &range.range_id);
            entries.push(Entry::replaced(key, range, range.revision, &mark)?);
        }
        for range in &step.new_ranges {
            let key = RecordKey::range(&range.run_id, &range.range_id);
            entries.push(Entry::created(key, range, &mark)?);
        }
        for kept in &step.kept {
            let key = RecordKey::kept(&kept.run_id, &kept.list_id);
            entries.push(Entry::created(key, kept, &mark)?);
        }
        for shard in &step.shards {
            let key = RecordKey::shard(&shard.run_id, &shard.shard_id);
            entries.push(Entry::created(key, shard, &mark)?);
        }
        write(&self.0, &entries, &mark).await
    }

    async fn read_ranges(&self, run_id: &RunId) -> Result<Vec<RangeRecord>, CallFault> {
        self.query_all(&range_partition(run_id)).await
    }

    async fn read_kept(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<KeptRecord>, CallFault> {
        let (items, next) = self.query(&kept_partition(run_id), from).await?;
        Ok(Page { items, next })
    }

    async fn create_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        let key = RecordKey::shard(&shard.run_id, &shard.shard_id);
        self.create(key, shard).await
    }

    async fn replace_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        let key = RecordKey::shard(&shard.run_id, &shard.shard_id);
        self.replace(key, shard, shard.revision).await
    }

    async fn read_shard(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> Result<Option<ShardRecord>, CallFault> {
        self.read(&RecordKey::shard(run_id, shard_id)).await
    }

    async fn read_shards(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<ShardRecord>, CallFault> {
        let mark = PageMark::parse(from)?;
        let partition = shard_partition(run_id, mark.partition);
        let (items, last) = self.query(&partition, mark.after.as_deref()).await?;
        let next = if last.is_some() {
            Some(PageMark {
                partition: mark.partition,
                after: last,
            })
        } else {
            (mark.partition + 1 < SHARD_PARTITIONS).then_some(PageMark {
                partition: mark.partition + 1,
                after: None,
            })
        };
        Ok(Page {
            items,
            next: next.map(|mark| mark.to_string()),
        })
    }

    async fn create_lock(&self, lock: &LockRecord) -> Result<PutOutcome, CallFault> {
        let key = RecordKey::lock(&lock.locked, lock.state.slot());
        self.create(key, lock).await
    }

    async fn replace_lock(
        &self,
        found: &LockRecord,
        lock: &LockRecord,
    ) -> Result<PutOutcome, CallFault> {
        let key = RecordKey::lock(&lock.locked, lock.state.slot());
        let mark = WriteMark::fresh();
        let entry = Entry::replaced(key, lock, lock.revision, &mark)?;
        write(
            &self.0,
            &[entry.held_before_by(&found.execution_arn)],
            &mark,
        )
        .await
    }

    async fn read_lock(&self, locked: &LockedPrefix) -> Result<Option<LockRecord>, CallFault> {
        self.read(&RecordKey::lock(locked, LockSlot::Holder)).await
    }

    async fn read_locks(&self, bucket: &BucketName) -> Result<Vec<LockRecord>, CallFault> {
        self.query_all(&lock_partition(bucket)).await
    }

    async fn delete_lock(&self, locked: &LockedPrefix, run_id: &RunId) -> Result<(), CallFault> {
        let key = RecordKey::lock(locked, LockSlot::Holder);
        match self.0.delete_if(&key, "run_id", run_id.as_str()).await {
            Err(fault) if fault.kind == FaultKind::ConditionFailed => Ok(()),
            other => other,
        }
    }

    async fn create_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> Result<PutOutcome, CallFault> {
        self.create(RecordKey::renditions(&renditions.place), renditions)
            .await
    }

    async fn replace_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> Result<PutOutcome, CallFault> {
        let key = RecordKey::renditions(&renditions.place);
        self.replace(key, renditions, renditions.revision).await
    }

    async fn read_renditions(
        &self,
        bucket: &BucketName,
    ) -> Result<Vec<RenditionsRecord>, CallFault> {
        self.query_all(&renditions_partition(bucket)).await
    }

    fn requests(&self) -> RequestCounts {
        self.0.requests()
    }
}
