//! A ledger whose shard records lie in a file, as those of the Lambda lie in DynamoDB: what is measured of this process
//! is then the planner, not its ledger.

use std::{
    fs::File,
    io::{BufRead, BufReader, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    plan::{KeptRecord, range::RangeRecord},
    port::{Ledger, Page, PlanStep, PutOutcome},
    run::{
        lock::{LockRecord, LockedPrefix},
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
use shardlift_testkit::MemoryLedger;

/// What a transaction takes at DynamoDB, roughly.
const TRANSACTION_LATENCY: Duration = Duration::from_millis(20);

/// About what a page of a query holds: 1 MB of records of some hundred bytes.
const PAGE_ITEMS: usize = 2_000;

/// Runs, ranges and locks in memory (some hundred records), shards in a file.
#[derive(Debug, Clone)]
pub(crate) struct DiskLedger {
    pub(crate) inner: MemoryLedger,
    path: PathBuf,
    file: Arc<Mutex<File>>,
    queries: Arc<AtomicU64>,
}

impl DiskLedger {
    /// A ledger whose file is made anew at `path`.
    pub(crate) fn create(path: PathBuf) -> std::io::Result<Self> {
        Ok(Self {
            inner: MemoryLedger::default(),
            file: Arc::new(Mutex::new(File::create(&path)?)),
            path,
            queries: Arc::default(),
        })
    }

    fn append(&self, shards: &[ShardRecord]) -> std::io::Result<()> {
        let mut lines = Vec::new();
        for shard in shards {
            serde_json::to_writer(&mut lines, shard)?;
            lines.push(b'\n');
        }
        self.file.lock().expect("not poisoned").write_all(&lines)
    }

    fn page(&self, from: u64) -> std::io::Result<Page<ShardRecord>> {
        let mut file = BufReader::new(File::open(&self.path)?);
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(from))?;
        let (mut at, mut items, mut line) = (from, Vec::new(), String::new());
        while items.len() < PAGE_ITEMS && at < end {
            line.clear();
            at += file.read_line(&mut line)? as u64;
            items.push(serde_json::from_str(&line)?);
        }
        let next = (at < end).then(|| at.to_string());
        Ok(Page { items, next })
    }
}

fn fault(operation: &'static str) -> impl Fn(std::io::Error) -> CallFault {
    move |error| CallFault::new(operation, FaultKind::ServiceError, error.to_string())
}

impl Ledger for DiskLedger {
    async fn commit_plan(&self, step: &PlanStep) -> Result<PutOutcome, CallFault> {
        tokio::time::sleep(TRANSACTION_LATENCY).await;
        let without_shards = PlanStep {
            shards: Vec::new(),
            ..step.clone()
        };
        let outcome = self.inner.commit_plan(&without_shards).await?;
        if outcome == PutOutcome::Written {
            self.append(&step.shards)
                .map_err(fault("dynamodb:TransactWriteItems"))?;
        }
        Ok(outcome)
    }

    async fn read_kept(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<KeptRecord>, CallFault> {
        self.inner.read_kept(run_id, from).await
    }

    async fn read_shards(
        &self,
        _run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<ShardRecord>, CallFault> {
        const OPERATION: &str = "dynamodb:Query";
        self.queries.fetch_add(1, Ordering::Relaxed);
        let from = from.unwrap_or("0").parse().map_err(|error| {
            CallFault::new(OPERATION, FaultKind::Rejected, format!("{from:?}: {error}"))
        })?;
        self.page(from).map_err(fault(OPERATION))
    }

    fn requests(&self) -> RequestCounts {
        let mut counts = self.inner.requests();
        *counts.entry("dynamodb:Query".to_owned()).or_default() +=
            self.queries.load(Ordering::Relaxed);
        counts
    }

    async fn create_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.inner.create_run(run).await
    }

    async fn replace_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.inner.replace_run(run).await
    }

    async fn read_run(&self, run_id: &RunId) -> Result<Option<RunRecord>, CallFault> {
        self.inner.read_run(run_id).await
    }

    async fn read_ranges(&self, run_id: &RunId) -> Result<Vec<RangeRecord>, CallFault> {
        self.inner.read_ranges(run_id).await
    }

    // Planning writes shards in steps only, and reads them only by page.
    async fn create_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        self.inner.create_shard(shard).await
    }

    async fn replace_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        self.inner.replace_shard(shard).await
    }

    async fn read_shard(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> Result<Option<ShardRecord>, CallFault> {
        self.inner.read_shard(run_id, shard_id).await
    }

    async fn create_lock(&self, lock: &LockRecord) -> Result<PutOutcome, CallFault> {
        self.inner.create_lock(lock).await
    }

    async fn replace_lock(
        &self,
        found: &LockRecord,
        lock: &LockRecord,
    ) -> Result<PutOutcome, CallFault> {
        self.inner.replace_lock(found, lock).await
    }

    async fn read_lock(&self, locked: &LockedPrefix) -> Result<Option<LockRecord>, CallFault> {
        self.inner.read_lock(locked).await
    }

    async fn read_locks(&self, bucket: &BucketName) -> Result<Vec<LockRecord>, CallFault> {
        self.inner.read_locks(bucket).await
    }

    async fn delete_lock(&self, locked: &LockedPrefix, run_id: &RunId) -> Result<(), CallFault> {
        self.inner.delete_lock(locked, run_id).await
    }

    async fn create_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> Result<PutOutcome, CallFault> {
        self.inner.create_renditions(renditions).await
    }

    async fn replace_renditions(
        &self,
        renditions: &RenditionsRecord,
    ) -> Result<PutOutcome, CallFault> {
        self.inner.replace_renditions(renditions).await
    }

    async fn read_renditions(
        &self,
        bucket: &BucketName,
    ) -> Result<Vec<RenditionsRecord>, CallFault> {
        self.inner.read_renditions(bucket).await
    }
}
