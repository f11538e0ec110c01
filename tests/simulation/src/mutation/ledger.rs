//! The ledger with a fault.

use shardlift_core::{
    failure::fault::CallFault,
    plan::{KeptRecord, range::RangeRecord},
    port::{Ledger, Page, PlanStep, PutOutcome},
    run::{
        lock::{LockRecord, LockedPrefix},
        record::RunRecord,
        renditions::RenditionsRecord,
    },
    shard::{ShardOutcome, ShardRecord, ShardState},
    value::{
        bucket::BucketName,
        id::{RunId, ShardId},
        tally::RequestCounts,
    },
};
use shardlift_testkit::MemoryLedger;

use super::planted::PortFault;

/// The ledger, with a fault.
#[derive(Debug, Clone)]
pub struct PlantedLedger {
    /// Without it.
    pub inner: MemoryLedger,
    /// The fault.
    pub fault: Option<PortFault>,
}

impl PlantedLedger {
    fn has(&self, fault: PortFault) -> bool {
        self.fault == Some(fault)
    }

    /// The same step after what another invocation wrote.
    async fn forced(&self, step: &PlanStep) -> Result<PlanStep, CallFault> {
        let mut step = step.clone();
        let run_id = step
            .ranges
            .iter()
            .chain(&step.new_ranges)
            .map(|range| range.run_id.clone())
            .next();
        let Some(run_id) = run_id else {
            return Ok(step);
        };
        let stored = self.inner.read_ranges(&run_id).await?;
        let find = |range: &RangeRecord| stored.iter().find(|it| it.range_id == range.range_id);
        step.new_ranges.retain(|range| find(range).is_none());
        for range in &mut step.ranges {
            if let Some(found) = find(range) {
                range.revision = found.revision + 1;
            }
        }
        Ok(step)
    }
}

impl Ledger for PlantedLedger {
    async fn create_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        self.inner.create_run(run).await
    }

    async fn replace_run(&self, run: &RunRecord) -> Result<PutOutcome, CallFault> {
        let written = self.inner.replace_run(run).await?;
        if written == PutOutcome::Written || !self.has(PortFault::UncheckedRunRecord) {
            return Ok(written);
        }
        let Some(found) = self.inner.read_run(&run.run_id).await? else {
            return Ok(written);
        };
        let mut forced = run.clone();
        forced.revision = found.revision + 1;
        self.inner.replace_run(&forced).await
    }

    async fn read_run(&self, run_id: &RunId) -> Result<Option<RunRecord>, CallFault> {
        self.inner.read_run(run_id).await
    }

    async fn commit_plan(&self, step: &PlanStep) -> Result<PutOutcome, CallFault> {
        let mut step = step.clone();
        let is_left = |step: &PlanStep| {
            step.shards.len() + step.kept.len() + step.ranges.len() + step.new_ranges.len() > 1
        };
        if self.has(PortFault::LostShard) && is_left(&step) {
            step.shards.pop();
        }
        if self.has(PortFault::LostKeptList) && is_left(&step) {
            step.kept.pop();
        }
        let written = self.inner.commit_plan(&step).await?;
        if written == PutOutcome::Refused && self.has(PortFault::UncheckedPlanStep) {
            let forced = self.forced(&step).await?;
            return self.inner.commit_plan(&forced).await;
        }
        Ok(written)
    }

    async fn read_ranges(&self, run_id: &RunId) -> Result<Vec<RangeRecord>, CallFault> {
        self.inner.read_ranges(run_id).await
    }

    async fn read_kept(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<KeptRecord>, CallFault> {
        self.inner.read_kept(run_id, from).await
    }

    async fn create_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        self.inner.create_shard(shard).await
    }

    async fn replace_shard(&self, shard: &ShardRecord) -> Result<PutOutcome, CallFault> {
        let mut shard = shard.clone();
        if self.has(PortFault::ForgottenProgress) && shard.state == ShardState::Yielded {
            let requests = shard.outcome.requests.clone();
            shard.outcome = ShardOutcome {
                requests,
                ..ShardOutcome::default()
            };
        }
        if self.has(PortFault::ForgottenUploads) {
            shard.outcome.uploads.clear();
        }
        let written = self.inner.replace_shard(&shard).await?;
        if written == PutOutcome::Written || !self.has(PortFault::UncheckedLease) {
            return Ok(written);
        }
        let found = self
            .inner
            .read_shard(&shard.run_id, &shard.shard_id)
            .await?;
        let Some(found) = found else {
            return Ok(written);
        };
        shard.revision = found.revision + 1;
        self.inner.replace_shard(&shard).await
    }

    async fn read_shard(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> Result<Option<ShardRecord>, CallFault> {
        self.inner.read_shard(run_id, shard_id).await
    }

    async fn read_shards(
        &self,
        run_id: &RunId,
        from: Option<&str>,
    ) -> Result<Page<ShardRecord>, CallFault> {
        let page = self.inner.read_shards(run_id, from).await?;
        let is_lost =
            self.has(PortFault::MissingShardPage) && page.next.is_none() && from.is_some();
        Ok(if is_lost {
            Page {
                items: Vec::new(),
                next: None,
            }
        } else {
            page
        })
    }

    async fn create_lock(&self, lock: &LockRecord) -> Result<PutOutcome, CallFault> {
        let written = self.inner.create_lock(lock).await?;
        let is_free = self.has(PortFault::LockAlwaysFree);
        Ok(if is_free {
            PutOutcome::Written
        } else {
            written
        })
    }

    async fn replace_lock(
        &self,
        found: &LockRecord,
        lock: &LockRecord,
    ) -> Result<PutOutcome, CallFault> {
        let written = self.inner.replace_lock(found, lock).await?;
        let is_free = self.has(PortFault::LockAlwaysFree);
        Ok(if is_free {
            PutOutcome::Written
        } else {
            written
        })
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
        if self.has(PortFault::ForgottenOptions) {
            return Ok(PutOutcome::Written);
        }
        self.inner.replace_renditions(renditions).await
    }

    async fn read_renditions(
        &self,
        bucket: &BucketName,
    ) -> Result<Vec<RenditionsRecord>, CallFault> {
        self.inner.read_renditions(bucket).await
    }

    fn requests(&self) -> RequestCounts {
        self.inner.requests()
    }
}
