use std::future::Future;

use crate::{
    failure::fault::CallFault,
    plan::range::RangeRecord,
    run::record::{LockRecord, RunRecord},
    shard::ShardRecord,
    value::id::{RunId, ShardId},
};

/// What a conditional write met. After a lost answer the adapter reads to find out which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum PutOutcome {
    /// The record is as written.
    Written,
    /// Another record, or another revision, was there; nothing was changed.
    Refused,
}

/// A page of records.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// The records.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    pub next: Option<String>,
}

/// The most records of one [`PlanStep`]
/// (docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
pub const PLAN_STEP_RECORDS_MAX: usize = 100;

/// Records of a plan that change together, so that at every instant the ranges tile the key space and every key
/// up to a range's checkpoint is in exactly one shard.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlanStep {
    /// New shards (revision 1).
    pub shards: Vec<ShardRecord>,
    /// New ranges (revision 1).
    pub new_ranges: Vec<RangeRecord>,
    /// Ranges that replace their revision n by n + 1.
    pub ranges: Vec<RangeRecord>,
}

/// The ledger. Reads are strongly consistent. Writes are conditional: a new record is refused when one exists, a
/// replacement (revision n + 1) when the stored revision is not n.
pub trait Ledger: Send + Sync {
    /// Writes the first record of a run (revision 1).
    fn create_run(
        &self,
        run: &RunRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Replaces the record of a run.
    fn replace_run(
        &self,
        run: &RunRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Reads the record of a run.
    fn read_run(
        &self,
        run_id: &RunId,
    ) -> impl Future<Output = Result<Option<RunRecord>, CallFault>> + Send;

    /// Writes a step of the plan: all of it or nothing. Refused when one of its conditions does not hold, which
    /// means that another invocation of the planner was faster: read the ranges again.
    fn commit_plan(
        &self,
        step: &PlanStep,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// All ranges of a run; there are at most some hundreds.
    fn read_ranges(
        &self,
        run_id: &RunId,
    ) -> impl Future<Output = Result<Vec<RangeRecord>, CallFault>> + Send;

    /// Writes a new shard (revision 1).
    fn create_shard(
        &self,
        shard: &ShardRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Replaces a shard.
    fn replace_shard(
        &self,
        shard: &ShardRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Reads a shard.
    fn read_shard(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> impl Future<Output = Result<Option<ShardRecord>, CallFault>> + Send;
    /// One page of a run's shards; `from` is the `next` of the page before. Their order is the ledger's own, and stays the
    /// same however often they are read and changed.
    fn read_shards(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> impl Future<Output = Result<Page<ShardRecord>, CallFault>> + Send;

    /// Writes a new lock (revision 1).
    fn create_lock(
        &self,
        lock: &LockRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Replaces a lock.
    fn replace_lock(
        &self,
        lock: &LockRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Reads the lock of a pair.
    fn read_lock(
        &self,
        pair: &str,
    ) -> impl Future<Output = Result<Option<LockRecord>, CallFault>> + Send;
    /// Removes the lock of a pair if `run_id` still holds it. Idempotent.
    fn delete_lock(
        &self,
        pair: &str,
        run_id: &RunId,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Requests made so far, by operation.
    fn requests(&self) -> crate::value::tally::RequestCounts;
}
