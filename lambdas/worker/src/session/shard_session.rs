//! A shard that this copier has claimed, from the claim to the last write of its record.

use std::sync::Arc;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::manifest::Manifest,
    failure::{Failure, FailureCode},
    port::Clock,
    run::{
        event::{WorkerEvent, WorkerStatus},
        pair::{Pair, Side},
    },
    shard::{
        OpenUpload, ShardEvent, ShardOutcome, ShardRecord, ShardWork,
        settled_objects::{ObjectOutcome, SettledObjects},
    },
    value::{
        deadline::Deadline,
        key::{KeyPrefix, RelativeKey},
        time::Timestamp,
    },
};

use super::{
    checkpoint_schedule::CheckpointSchedule, claimed_record::ClaimedRecord, object_log,
    open_uploads::OpenUploads, outcome_lists::OutcomeLists, shard_requests::ShardRequests,
};
use crate::ports::{Connections, Ports, Target};

/// How many invocations in a row may end without S3 having taken a write. The machine calls again for as long as a copier
/// yields, so one that waits for what never comes would do so for weeks.
const IDLE_YIELDS_MAX: u32 = 5;

/// How the work of an invocation on its shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionEnd {
    /// Every object is settled.
    Settled,
    /// The deadline came first.
    OutOfTime,
}

/// Everything that a copier keeps about the shard that it holds. Its record is written under the claim alone: claimed,
/// checkpointed, and at the end finished, yielded or stopped.
pub struct ShardSession<'a, P: Ports> {
    clock: &'a P::Clock,
    deadline: Deadline,
    claimed: ClaimedRecord<'a, P>,
    lists: OutcomeLists<'a, P>,
    settled: SettledObjects,
    /// What the keys of the manifest begin with.
    prefix: KeyPrefix,
    uploads: Arc<OpenUploads>,
    requests: ShardRequests<'a, P>,
    checkpoints: CheckpointSchedule,
}

impl<'a, P: Ports> ShardSession<'a, P> {
    /// Claims the shard of the event, which is one of a run over `pair`, and reads what the copiers before settled; nothing when
    /// there is nothing to do. `requests` counts from the beginning of the invocation.
    ///
    /// # Errors
    /// Those of the claim; `InvariantViolated` when a list is missing or does not fit; control bucket faults.
    pub async fn claim(
        ports: &'a Connections<P>,
        event: &WorkerEvent,
        pair: &Pair,
        deadline: Deadline,
        mut requests: ShardRequests<'a, P>,
    ) -> Result<Option<Self>, Failure> {
        let Some(mut claimed) = ClaimedRecord::claim(ports, event, deadline).await? else {
            return Ok(None);
        };
        let lists = OutcomeLists::new(ports, claimed.record(), claimed.token());
        let settled = match lists.resume(&claimed.record().outcome).await {
            Ok(settled) => settled,
            Err(problem) => {
                let (token, outcome) = (claimed.token(), claimed.record().outcome.clone());
                return Err(record_problem(&mut claimed, token, outcome, problem).await);
            }
        };
        let record = claimed.record();
        let manifest_side = match record.work {
            ShardWork::DeleteObjects => Side::Target,
            _ => Side::Source,
        };
        let prefix = pair.prefix(manifest_side).clone();
        requests.resume(record.outcome.requests.clone());
        let uploads = Arc::new(OpenUploads::resume(record));
        let checkpoints = CheckpointSchedule::begin(ports.clock.now());
        Ok(Some(Self {
            clock: &ports.clock,
            deadline,
            claimed,
            lists,
            settled,
            prefix,
            uploads,
            requests,
            checkpoints,
        }))
    }

    /// Counts the requests of this handle from now on.
    pub fn count_requests_of(&mut self, target: &Arc<Target<P>>) {
        self.requests.watch(Arc::clone(target));
    }

    /// The record as this copier wrote it last.
    pub fn record(&self) -> &ShardRecord {
        self.claimed.record()
    }

    /// The multipart uploads of the shard.
    pub fn uploads(&self) -> &Arc<OpenUploads> {
        &self.uploads
    }

    /// When the invocation must end.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The positions below `count` that have no outcome yet, in order.
    pub fn open_objects(&self, count: u32) -> Vec<u32> {
        self.settled.outcome().progress.open(count).collect()
    }

    /// How many objects have an outcome.
    pub fn settled_count(&self) -> u64 {
        count_of(&self.settled)
    }

    /// Gives the object at `index` of the manifest its outcome.
    ///
    /// # Errors
    /// `InvariantViolated` when the object is not of this run.
    pub fn settle(
        &mut self,
        manifest: &Manifest,
        index: u32,
        outcome: ObjectOutcome,
    ) -> Result<(), Failure> {
        let object = &manifest.objects[index as usize];
        let relative = object
            .key
            .relative_to(&self.prefix)
            .and_then(|relative| RelativeKey::new(relative).ok());
        let relative =
            relative.ok_or_else(|| Failure::invariant("the key lies outside its prefix"))?;
        object_log::log(manifest, object, &outcome);
        self.settled.settle(index, (relative, object), outcome);
        Ok(())
    }

    /// When the record is to be written next.
    pub fn checkpoint_due_at(&self) -> Timestamp {
        self.checkpoints.due_at()
    }

    /// An upload was opened or is being completed: the record must name it soon.
    pub fn hasten_checkpoint(&mut self, now: Timestamp) {
        self.checkpoints.hasten(now);
    }

    /// Records what is settled so far.
    pub async fn checkpoint(&mut self) -> Result<(), Failure> {
        let (token, outcome) = self.outcome().await?;
        let now = self.clock.now();
        let checkpoint = ShardEvent::Checkpoint {
            now,
            token,
            outcome,
        };
        self.claimed.write(checkpoint).await?;
        self.checkpoints.written(self.clock.now());
        Ok(())
    }

    /// The last write of an invocation: the shard is finished, yielded, or stopped by a problem. `writes_taken` is how many
    /// writes S3 took from this invocation.
    ///
    /// # Errors
    /// The problem; `LedgerConflict` when another copier has taken the shard over; ledger and control bucket faults; and
    /// `ServiceFault` when invocation after invocation gets nowhere.
    pub async fn end(
        &mut self,
        end: Result<SessionEnd, Failure>,
        writes_taken: u64,
    ) -> Result<WorkerStatus, Failure> {
        match end {
            Ok(SessionEnd::Settled) => self.finish().await,
            Ok(SessionEnd::OutOfTime) => self.give_back(writes_taken).await,
            Err(problem) => Err(self.stop(problem).await),
        }
    }

    /// Settles the shard for good.
    async fn finish(&mut self) -> Result<WorkerStatus, Failure> {
        let (token, outcome) = self.outcome().await?;
        let now = self.clock.now();
        let finish = ShardEvent::Finish {
            now,
            token,
            outcome,
        };
        self.claimed.write(finish).await?;
        Ok(WorkerStatus::Done)
    }

    /// Yields the shard before the deadline.
    async fn give_back(&mut self, writes_taken: u64) -> Result<WorkerStatus, Failure> {
        let idle_before = self.record().idle_yields;
        let (token, outcome) = self.outcome().await?;
        let give_back = ShardEvent::Yield {
            now: self.clock.now(),
            token,
            outcome,
            writes_taken,
        };
        self.claimed.write(give_back).await?;
        if writes_taken == 0 && idle_before + 1 >= IDLE_YIELDS_MAX {
            return Err(stuck());
        }
        Ok(WorkerStatus::Yield)
    }

    /// Gives the shard back because of `problem`, which concerns more than one object, and returns the problem. That it
    /// could not be recorded is only logged: the caller must see the problem itself.
    pub async fn stop(&mut self, problem: Failure) -> Failure {
        match self.outcome().await {
            Ok((token, outcome)) => {
                record_problem(&mut self.claimed, token, outcome, problem).await
            }
            Err(failure) => {
                log_unrecorded(&failure);
                problem
            }
        }
    }

    /// The uploads that this copier opened before it lost the shard, and that the record does not name: the new holder does
    /// not know them.
    pub async fn orphaned_uploads(&self) -> Result<Vec<OpenUpload>, Failure> {
        let mut orphaned = self.uploads.opened_here();
        if !orphaned.is_empty() {
            let record = self.claimed.reread().await?;
            let named = record.map_or_else(Vec::new, |record| record.outcome.uploads);
            orphaned.retain(|upload| named.iter().all(|it| it.upload_id != upload.upload_id));
        }
        Ok(orphaned)
    }

    /// Logs what this invocation leaves.
    pub fn log_end(
        &self,
        event: &WorkerEvent,
        end: Result<&SessionEnd, &Failure>,
        writes_per_second: f64,
    ) {
        let tally = &self.settled.outcome().tally;
        tracing::info!(
            { field::RUN_ID } = %event.run_id,
            { field::RUN_ROUND } = event.round,
            { field::SHARD_ID } = %event.shard_id,
            { field::BYTES } = tally.copied.bytes,
            objects.copied = tally.copied.objects,
            objects.deleted = tally.deleted.objects,
            objects.failed = tally.failed.objects,
            writes_per_second,
            end = ?end.map_err(|failure| failure.code),
            "shard worked on"
        );
    }

    /// The outcome to record, and the token to record it under. Its lists are written before it.
    async fn outcome(&mut self) -> Result<(u64, ShardOutcome), Failure> {
        // Before anything is awaited: what happens meanwhile is not in the lists either.
        let (requests, uploads) = (self.requests.so_far(), self.uploads.recorded());
        let mut outcome = self.lists.write(&self.settled).await?;
        outcome.requests = requests;
        outcome.uploads = uploads;
        Ok((self.claimed.token(), outcome))
    }
}

/// Records why the shard is given back, and returns the problem.
async fn record_problem<P: Ports>(
    claimed: &mut ClaimedRecord<'_, P>,
    token: u64,
    outcome: ShardOutcome,
    problem: Failure,
) -> Failure {
    let stop = ShardEvent::Stop {
        token,
        outcome,
        problem: problem.clone(),
    };
    if let Err(failure) = claimed.write(stop).await {
        log_unrecorded(&failure);
    }
    problem
}

fn log_unrecorded(failure: &Failure) {
    tracing::warn!(
        { field::ERROR_CODE } = failure.code.name(),
        { field::ERROR_DETAIL } = failure.detail,
        "the problem could not be recorded"
    );
}

fn count_of(settled: &SettledObjects) -> u64 {
    settled.outcome().progress.settled_count()
}

fn stuck() -> Failure {
    Failure::new(
        FailureCode::ServiceFault,
        format!(
            "S3 took no write in {IDLE_YIELDS_MAX} invocations; if single copies take longer than an invocation, lower multipart_threshold_bytes"
        ),
    )
}
