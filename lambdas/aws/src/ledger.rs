//! The ledger, in one DynamoDB table: conditional writes, strongly consistent reads, native attributes.
//!
//! A write whose answer was lost is settled by reading (never assumed): every write leaves its own mark in the
//! record, so that the reader recognises it. Retries make that necessary even for a plain refusal: the refused attempt
//! may follow one that was written. The SDK sends a write once, [`retry::LEDGER_WRITE`] says how often it is retried;
//! the SDK retries the reads.

mod item;
mod record_key;
mod units;

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    Client,
    config::retry::RetryConfig,
    types::{AttributeValue, Put, ReturnConsumedCapacity, TransactWriteItem},
};
use serde::Serialize;
use shardlift_core::{
    failure::fault::{CallFault, Effect, FaultKind},
    plan::range::RangeRecord,
    port::{Ledger, Page, PlanStep, PutOutcome},
    run::record::{LockRecord, RunRecord},
    shard::ShardRecord,
    value::{
        id::{RunId, ShardId},
        tally::RequestCounts,
    },
};
use tokio::time::sleep;

use self::{
    item::{Entry, WRITE_MARK, WriteMark, record_of, revision_of},
    record_key::{PageMark, RecordKey, SHARD_PARTITIONS},
    units::units_of,
};
use crate::{
    fault_mapping::{bad_answer, call_fault, transaction_fault},
    request_counter::RequestCounter,
    retry::{self, Retries},
};

const PUT_ITEM: &str = "dynamodb:PutItem";
const GET_ITEM: &str = "dynamodb:GetItem";
const QUERY: &str = "dynamodb:Query";
const DELETE_ITEM: &str = "dynamodb:DeleteItem";
const TRANSACT: &str = "dynamodb:TransactWriteItems";

/// The ledger table.
#[derive(Debug, Clone)]
pub struct DynamoLedger {
    /// Reads, and deletes locks: the SDK retries.
    client: Client,
    /// Writes under a mark: each is sent once.
    writes: Client,
    table: String,
    counter: RequestCounter,
}

/// What the table says about a write without an answer.
enum Settled {
    /// The record bears the write's mark.
    Written,
    /// The record is as it was before.
    Unchanged,
    /// Somebody else's record is there.
    Changed,
}

impl DynamoLedger {
    /// The ledger in `table`.
    #[must_use]
    pub fn new(client: Client, table: impl Into<String>) -> Self {
        let once = client.config().to_builder();
        let once = once.retry_config(RetryConfig::disabled()).build();
        Self {
            client,
            writes: Client::from_conf(once),
            table: table.into(),
            counter: RequestCounter::default(),
        }
    }

    /// Writes a record that must not exist yet.
    async fn create(
        &self,
        key: RecordKey,
        record: &(impl Serialize + Sync),
    ) -> Result<PutOutcome, CallFault> {
        let mark = WriteMark::fresh();
        let entry = Entry::created(key, record, &mark)?;
        self.write(vec![entry], &mark).await
    }

    /// Writes a record of `revision` over the one before it.
    async fn replace(
        &self,
        key: RecordKey,
        record: &(impl Serialize + Sync),
        revision: u64,
    ) -> Result<PutOutcome, CallFault> {
        let mark = WriteMark::fresh();
        let entry = Entry::replaced(key, record, revision, &mark)?;
        self.write(vec![entry], &mark).await
    }

    /// Writes the entries under their conditions, all or nothing.
    async fn write(&self, entries: Vec<Entry>, mark: &WriteMark) -> Result<PutOutcome, CallFault> {
        let Some(first) = entries.first() else {
            return Ok(PutOutcome::Written);
        };
        let (witness, revision_before) = (first.key.clone(), first.revision_before);
        let mut retries = Retries::new(retry::LEDGER_WRITE);
        loop {
            let fault = match self.write_once(&entries, mark).await {
                Ok(()) => return Ok(PutOutcome::Written),
                Err(fault) => fault,
            };
            let is_refusal = fault.kind == FaultKind::ConditionFailed;
            let is_open = fault.effect == Effect::Unknown || fault.is_transient();
            if !is_refusal && !is_open {
                return Err(fault);
            }
            match self.settled(&witness, revision_before, mark).await {
                Ok(Settled::Written) => return Ok(PutOutcome::Written),
                Ok(Settled::Changed) => return Ok(PutOutcome::Refused),
                Ok(Settled::Unchanged) if is_refusal => return Ok(PutOutcome::Refused),
                Ok(Settled::Unchanged) => {}
                // What hinders now is the reading; what became of the write stays as open as it was.
                Err(unread) => {
                    let effect = fault.effect;
                    return Err(CallFault { effect, ..unread });
                }
            }
            match retries.backoff_after(&fault) {
                Some(backoff) => sleep(backoff).await,
                None => return Err(fault),
            }
        }
    }

    async fn write_once(&self, entries: &[Entry], mark: &WriteMark) -> Result<(), CallFault> {
        match entries {
            [entry] => self.put(entry).await,
            _ => self.transact(entries, mark).await,
        }
    }

    async fn put(&self, entry: &Entry) -> Result<(), CallFault> {
        let condition = entry.condition();
        let sent = self
            .writes
            .put_item()
            .table_name(&self.table)
            .set_item(Some(entry.item.clone()))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(Some(condition.names))
            .set_expression_attribute_values(condition.values)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let capacity = sent
            .as_ref()
            .ok()
            .and_then(|answer| answer.consumed_capacity());
        self.counter.add(PUT_ITEM, units_of(capacity));
        sent.map(drop).map_err(|error| call_fault(PUT_ITEM, &error))
    }

    async fn transact(&self, entries: &[Entry], mark: &WriteMark) -> Result<(), CallFault> {
        let mut writes = Vec::with_capacity(entries.len());
        for entry in entries {
            let condition = entry.condition();
            let put = Put::builder()
                .table_name(&self.table)
                .set_item(Some(entry.item.clone()))
                .condition_expression(condition.expression)
                .set_expression_attribute_names(Some(condition.names))
                .set_expression_attribute_values(condition.values)
                .build()
                .map_err(|error| {
                    CallFault::new(TRANSACT, FaultKind::Rejected, error.to_string())
                })?;
            writes.push(TransactWriteItem::builder().put(put).build());
        }
        let sent = self
            .writes
            .transact_write_items()
            .set_transact_items(Some(writes))
            .client_request_token(mark.as_str())
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let consumed = sent
            .as_ref()
            .map_or(&[][..], |answer| answer.consumed_capacity());
        let units = consumed.iter().map(|table| units_of(Some(table))).sum();
        // A transaction writes every record twice (prepare, commit); a refused one was billed too.
        let at_least = 2 * u64::try_from(entries.len()).unwrap_or(u64::MAX / 2);
        self.counter.add(TRANSACT, std::cmp::max(units, at_least));
        sent.map(drop)
            .map_err(|error| transaction_fault(TRANSACT, &error))
    }

    async fn settled(
        &self,
        key: &RecordKey,
        revision_before: Option<u64>,
        mark: &WriteMark,
    ) -> Result<Settled, CallFault> {
        let Some(item) = self.get(key).await? else {
            return Ok(match revision_before {
                None => Settled::Unchanged,
                Some(_) => Settled::Changed,
            });
        };
        let found = item.get(WRITE_MARK).and_then(|value| value.as_s().ok());
        Ok(if found.is_some_and(|found| found == mark.as_str()) {
            Settled::Written
        } else if revision_before.is_some() && revision_of(&item) == revision_before {
            Settled::Unchanged
        } else {
            Settled::Changed
        })
    }

    async fn get(
        &self,
        key: &RecordKey,
    ) -> Result<Option<HashMap<String, AttributeValue>>, CallFault> {
        let sent = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.attributes()))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let capacity = sent
            .as_ref()
            .ok()
            .and_then(|answer| answer.consumed_capacity());
        self.counter.add(GET_ITEM, units_of(capacity));
        sent.map(|answer| answer.item)
            .map_err(|error| call_fault(GET_ITEM, &error))
    }

    async fn read<T: serde::de::DeserializeOwned>(
        &self,
        key: &RecordKey,
    ) -> Result<Option<T>, CallFault> {
        let item = self.get(key).await?;
        item.map(|item| record_of(GET_ITEM, item)).transpose()
    }

    /// One page of the records of a partition, after the record with the sort key `after`.
    async fn query<T: serde::de::DeserializeOwned>(
        &self,
        partition: &str,
        after: Option<&str>,
    ) -> Result<(Vec<T>, Option<String>), CallFault> {
        let start = after.map(|sort| RecordKey::new(partition, sort).attributes());
        let sent = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", record_key::PARTITION)
            .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()))
            .set_exclusive_start_key(start)
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let capacity = sent
            .as_ref()
            .ok()
            .and_then(|answer| answer.consumed_capacity());
        self.counter.add(QUERY, units_of(capacity));
        let answer = sent.map_err(|error| call_fault(QUERY, &error))?;
        let last = match &answer.last_evaluated_key {
            None => None,
            Some(key) => Some(
                key.get(record_key::SORT)
                    .and_then(|sort| sort.as_s().ok())
                    .cloned()
                    .ok_or_else(|| bad_answer(QUERY, "the last key has no sort key"))?,
            ),
        };
        let records = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .map(|item| record_of(QUERY, item))
            .collect::<Result<Vec<T>, _>>()?;
        Ok((records, last))
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
        for shard in &step.shards {
            let key = RecordKey::shard(&shard.run_id, &shard.shard_id);
            entries.push(Entry::created(key, shard, &mark)?);
        }
        self.write(entries, &mark).await
    }

    async fn read_ranges(&self, run_id: &RunId) -> Result<Vec<RangeRecord>, CallFault> {
        let partition = record_key::range_partition(run_id);
        let mut ranges = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let (page, last) = self.query(&partition, after.as_deref()).await?;
            ranges.extend(page);
            if last.is_none() {
                return Ok(ranges);
            }
            after = last;
        }
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
        let partition = record_key::shard_partition(run_id, mark.partition);
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
        self.create(RecordKey::lock(&lock.pair), lock).await
    }

    async fn replace_lock(&self, lock: &LockRecord) -> Result<PutOutcome, CallFault> {
        self.replace(RecordKey::lock(&lock.pair), lock, lock.revision)
            .await
    }

    async fn read_lock(&self, pair: &str) -> Result<Option<LockRecord>, CallFault> {
        self.read(&RecordKey::lock(pair)).await
    }

    async fn delete_lock(&self, pair: &str, run_id: &RunId) -> Result<(), CallFault> {
        let sent = self
            .client
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(RecordKey::lock(pair).attributes()))
            .condition_expression("#run_id = :run_id")
            .expression_attribute_names("#run_id", "run_id")
            .expression_attribute_values(":run_id", AttributeValue::S(run_id.to_string()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let capacity = sent
            .as_ref()
            .ok()
            .and_then(|answer| answer.consumed_capacity());
        self.counter.add(DELETE_ITEM, units_of(capacity));
        match sent.map_err(|error| call_fault(DELETE_ITEM, &error)) {
            Err(fault) if fault.kind != FaultKind::ConditionFailed => Err(fault),
            _ => Ok(()),
        }
    }

    fn requests(&self) -> RequestCounts {
        self.counter.counts()
    }
}
