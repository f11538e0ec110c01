use std::future::Future;

use crate::{
    failure::fault::CallFault,
    plan::{KeptRecord, range::RangeRecord},
    run::{
        lock::{LockRecord, LockedPrefix},
        record::RunRecord,
        renditions::RenditionsRecord,
    },
    shard::ShardRecord,
    value::{
        bucket::BucketName,
        id::{RunId, ShardId},
    },
};

/// What a conditional write met. After a lost response the adapter reads to find out which it was.
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
    /// New lists of what the plan leaves as it stands (revision 1).
    pub kept: Vec<KeptRecord>,
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

    /// One page of the records of what the plan leaves as it stands, in the order of the ledger; `from` is the `next` of the page
    /// before. Callers that want all of them read [`kept`](Self::kept).
    fn read_kept(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> impl Future<Output = Result<Page<KeptRecord>, CallFault>> + Send;
    /// All of them, in the order of [`read_kept`](Self::read_kept).
    fn kept<'a>(&'a self, run_id: &'a RunId) -> RecordStream<'a, Self, KeptRecord>
    where
        Self: Sized,
    {
        RecordStream::new(self, run_id)
    }

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
    /// same however often they are read and changed. Callers that want all of them read [`shards`](Self::shards).
    fn read_shards(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> impl Future<Output = Result<Page<ShardRecord>, CallFault>> + Send;
    /// All shards of a run, in the order of [`read_shards`](Self::read_shards).
    fn shards<'a>(&'a self, run_id: &'a RunId) -> RecordStream<'a, Self, ShardRecord>
    where
        Self: Sized,
    {
        RecordStream::new(self, run_id)
    }

    /// Writes a new lock, or a new turn: what is written depends on the state.
    fn create_lock(
        &self,
        lock: &LockRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Replaces the lock that was found, which must be of the same execution still, too: a lock that was removed and created
    /// anew begins with revision 1 again.
    fn replace_lock(
        &self,
        found: &LockRecord,
        lock: &LockRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Reads the lock of a target prefix.
    fn read_lock(
        &self,
        locked: &LockedPrefix,
    ) -> impl Future<Output = Result<Option<LockRecord>, CallFault>> + Send;
    /// All locks of prefixes of a target bucket, and all turns, in no order.
    fn read_locks(
        &self,
        bucket: &BucketName,
    ) -> impl Future<Output = Result<Vec<LockRecord>, CallFault>> + Send;
    /// Removes the lock of a target prefix if `run_id` still holds it. Idempotent.
    fn delete_lock(
        &self,
        locked: &LockedPrefix,
        run_id: &RunId,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;

    /// Writes what is known of the renditions under a target prefix (revision 1).
    fn create_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// Replaces it.
    fn replace_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> impl Future<Output = Result<PutOutcome, CallFault>> + Send;
    /// What is known of the renditions under all prefixes of a target bucket, in no order.
    fn read_renditions(
        &self,
        bucket: &BucketName,
    ) -> impl Future<Output = Result<Vec<RenditionsRecord>, CallFault>> + Send;

    /// Requests made so far, by operation.
    fn requests(&self) -> crate::value::tally::RequestCounts;
}

/// A record of which a run has many, read by page.
pub trait PagedRecord: Sized + Send {
    /// One page of a run's records; `from` is the `next` of the page before.
    fn read_page<L: Ledger>(
        ledger: &L,
        run_id: &RunId,
        from: Option<&str>,
    ) -> impl Future<Output = Result<Page<Self>, CallFault>> + Send;
}

impl PagedRecord for ShardRecord {
    async fn read_page<L: Ledger>(
        ledger: &L,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<Self>, CallFault> {
        ledger.read_shards(run_id, from).await
    }
}

impl PagedRecord for KeptRecord {
    async fn read_page<L: Ledger>(
        ledger: &L,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<Self>, CallFault> {
        ledger.read_kept(run_id, from).await
    }
}

/// All records of a kind that a run has, read page by page: one page is in memory at a time.
#[derive(Debug)]
pub struct RecordStream<'a, L, T> {
    ledger: &'a L,
    run_id: &'a RunId,
    page: std::vec::IntoIter<T>,
    next_page: NextPage,
}

/// Where the next page begins.
#[derive(Debug)]
enum NextPage {
    First,
    From(String),
    None,
}

impl<'a, L: Ledger, T: PagedRecord> RecordStream<'a, L, T> {
    fn new(ledger: &'a L, run_id: &'a RunId) -> Self {
        Self {
            ledger,
            run_id,
            page: Vec::new().into_iter(),
            next_page: NextPage::First,
        }
    }

    /// The next record, or nothing after the last one.
    ///
    /// # Errors
    /// The fault of reading a page. The next call reads the same page again.
    pub async fn next(&mut self) -> Result<Option<T>, CallFault> {
        loop {
            if let Some(record) = self.page.next() {
                return Ok(Some(record));
            }
            let from = match &self.next_page {
                NextPage::First => None,
                NextPage::From(from) => Some(from.as_str()),
                NextPage::None => return Ok(None),
            };
            let page = T::read_page(self.ledger, self.run_id, from).await?;
            self.next_page = page.next.map_or(NextPage::None, NextPage::From);
            self.page = page.items.into_iter();
        }
    }
}
