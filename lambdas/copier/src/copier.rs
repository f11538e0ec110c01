//! One invocation of the copier.

use std::time::Duration;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::policy::session::copier_session,
    documents::{control_key, manifest::Manifest},
    failure::{Failure, FailureCode, fault::CallFault},
    port::{Accounts, Clock, ControlStore, Ledger, SessionName, TargetBucket},
    run::{
        event::{CopierEvent, CopierResult, CopierStatus, EVENT_VERSION},
        record::RunRecord,
    },
    shard::{OpenUpload, ShardWork, settled_objects::SettledObjects},
    value::{
        deadline::Deadline,
        id::{RunId, ShardId},
        tally::{RequestCounts, add_requests},
    },
};

use crate::{
    denials::Denials,
    gate::Gate,
    held_shard::{Footnotes, HeldShard},
    object_copy::ObjectCopy,
    request_meter::RequestMeter,
    shard_copy::{End, ShardCopy},
    shard_deletion::ShardDeletion,
    uploads::Uploads,
};

/// How many invocations in a row may end without S3 having taken a write. The machine asks again for as long as a copier
/// yields, so one that waits for what never comes would do so for weeks.
const IDLE_YIELDS_MAX: u32 = 5;

/// Copies shards. Running it twice over one shard, one after the other or at once, leaves the target and the ledger as
/// running it once does: settled objects are not touched again, and of two holders the earlier one is refused.
#[derive(Debug)]
pub struct Copier<A, L, C, K> {
    accounts: A,
    pub(crate) ledger: L,
    control: C,
    clock: K,
    gate: Gate,
}

/// What one invocation works with.
pub(crate) struct Job<'a, T> {
    pub(crate) run: &'a RunRecord,
    pub(crate) event: &'a CopierEvent,
    pub(crate) deadline: Deadline,
    pub(crate) target: &'a T,
    meter: RequestMeter,
    writes_before: u64,
}

impl<A: Accounts, L: Ledger, C: ControlStore, K: Clock> Copier<A, L, C, K> {
    /// A copier over these ports. It keeps its pace from shard to shard, so a process makes one and keeps it.
    pub fn new(accounts: A, ledger: L, control: C, clock: K) -> Self {
        Self {
            accounts,
            ledger,
            control,
            clock,
            gate: Gate::new(),
        }
    }

    /// The same copier, which never sends more writes a second than this.
    #[must_use]
    pub fn with_writes_per_second_max(mut self, writes_per_second_max: f64) -> Self {
        self.gate = Gate::with_writes_per_second_max(writes_per_second_max);
        self
    }

    /// Takes the shard of the event and works on what is open in it, until it is done or the deadline is near.
    ///
    /// # Errors
    /// What concerns more than one object: the role cannot be assumed, a bucket is gone, the ledger does not answer,
    /// another copier took the shard over (`LedgerConflict`). An object that fails is an outcome, not an error.
    pub async fn copy_shard(
        &self,
        event: &CopierEvent,
        deadline: Deadline,
    ) -> Result<CopierResult, Failure> {
        let status = self.work(event, deadline).await.map_err(|failure| {
            failure.within(format_args!(
                "shard {} of run {}",
                event.shard_id, event.run_id
            ))
        })?;
        Ok(CopierResult {
            schema_version: EVENT_VERSION,
            status,
        })
    }

    pub(crate) async fn work(
        &self,
        event: &CopierEvent,
        deadline: Deadline,
    ) -> Result<CopierStatus, Failure> {
        let requests_before = self.ledger.requests();
        let run = self.read_run(event).await?;
        let claim =
            HeldShard::claim(&self.ledger, &self.control, event, &self.clock, deadline).await?;
        let Some(held) = claim else {
            return Ok(CopierStatus::Done);
        };
        let account = held.account().await?;
        let target = match self.open_target(&run, event).await {
            Ok(target) => target,
            Err(problem) => {
                let notes = held.footnotes_as_recorded();
                note_stop(held.stop(&account, notes, problem.clone()).await);
                return Err(problem);
            }
        };
        self.gate.begin_among(run.totals.shards);
        let recorded = held.record().outcome.requests.clone();
        let job = Job {
            run: &run,
            event,
            deadline,
            target: &target,
            writes_before: self.gate.writes_taken(),
            meter: RequestMeter::new(recorded, sum(requests_before, &target.requests())),
        };
        match held.record().work {
            ShardWork::CopyObjects | ShardWork::AssembleObject { .. } => {
                self.copy_objects(&job, held, account).await
            }
            ShardWork::DeleteObjects => self.delete_objects(&job, held, account).await,
            ShardWork::CopyParts {
                first_part,
                last_part,
            } => {
                self.copy_parts(&job, held, account, first_part..=last_part)
                    .await
            }
        }
    }

    async fn copy_objects<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        mut held: HeldShard<'_, L, C>,
        mut account: SettledObjects,
    ) -> Result<CopierStatus, Failure> {
        let manifest = self
            .read_manifest(&job.event.run_id, &job.event.shard_id)
            .await?;
        let denials = Denials::default();
        let uploads = Uploads::resume(&held.record().outcome.uploads);
        let has_part_shards = matches!(held.record().work, ShardWork::AssembleObject { .. });
        let copy = ShardCopy {
            objects: ObjectCopy {
                target: job.target,
                spec: &job.run.spec,
                gate: &self.gate,
                denials: &denials,
                uploads: &uploads,
                is_resumed: held.record().attempts > 1,
                has_part_shards,
            },
            manifest: &manifest,
            clock: &self.clock,
            deadline: job.deadline,
        };
        let resumed = uploads.recorded();
        let footnotes = || self.footnotes(job, uploads.recorded());
        let end = copy.run(&mut held, &mut account, &footnotes).await;
        let notes = footnotes();
        let closed = self.close(job, held, &account, notes, end).await;
        if let Err(failure) = &closed
            && failure.code == FailureCode::LedgerConflict
        {
            let opened = uploads.recorded().into_iter();
            let opened = opened
                .filter(|upload| !is_among(&resumed, upload))
                .collect();
            self.abort_forsaken(job, &copy.objects, &manifest, opened)
                .await;
        }
        closed
    }

    /// Aborts those of the uploads that this copier `opened` before it lost the shard which the record does not name: its
    /// new holder does not know them. What keeps them from being aborted is for the log, and they for the reporter (P8).
    async fn abort_forsaken<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        objects: &ObjectCopy<'_, T>,
        manifest: &Manifest,
        opened: Vec<OpenUpload>,
    ) {
        if opened.is_empty() {
            return;
        }
        let named = match self
            .ledger
            .read_shard(&job.event.run_id, &job.event.shard_id)
            .await
        {
            Ok(record) => record.map_or_else(Vec::new, |record| record.outcome.uploads),
            Err(fault) => return log_forsaken(&fault),
        };
        for upload in opened {
            let object = manifest.objects.get(upload.index as usize);
            let planned = object.and_then(|object| objects.planned(upload.index, object).ok());
            if let Some(planned) = planned
                && !is_among(&named, &upload)
                && let Err(fault) = objects
                    .repeat(|| {
                        job.target
                            .abort_upload(&planned.target_key, &upload.upload_id)
                    })
                    .await
            {
                log_forsaken(&fault);
            }
        }
    }

    async fn delete_objects<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        mut held: HeldShard<'_, L, C>,
        mut account: SettledObjects,
    ) -> Result<CopierStatus, Failure> {
        let manifest = self
            .read_manifest(&job.event.run_id, &job.event.shard_id)
            .await?;
        let deletion = ShardDeletion {
            target: job.target,
            spec: &job.run.spec,
            gate: &self.gate,
            manifest: &manifest,
            clock: &self.clock,
            deadline: job.deadline,
        };
        let footnotes = || self.footnotes(job, Vec::new());
        let end = deletion.run(&mut held, &mut account, &footnotes).await;
        self.close(job, held, &account, footnotes(), end).await
    }

    /// The last write of an invocation: done, given back, or stopped by a problem.
    pub(crate) async fn close<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        held: HeldShard<'_, L, C>,
        account: &SettledObjects,
        notes: Footnotes,
        end: Result<End, Failure>,
    ) -> Result<CopierStatus, Failure> {
        self.log_end(job.event, account, end.as_ref());
        match end {
            Ok(End::Settled) => {
                held.finish(account, notes, &self.clock).await?;
                Ok(CopierStatus::Done)
            }
            Ok(End::OutOfTime) => {
                let writes_taken = self.gate.writes_taken() - job.writes_before;
                let idle_before = held.record().idle_yields;
                held.give_back(account, notes, writes_taken).await?;
                if writes_taken == 0 && idle_before + 1 >= IDLE_YIELDS_MAX {
                    return Err(stuck());
                }
                Ok(CopierStatus::Yield)
            }
            Err(problem) => {
                note_stop(held.stop(account, notes, problem.clone()).await);
                Err(problem)
            }
        }
    }

    /// What the record says beside the account.
    pub(crate) fn footnotes<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        uploads: Vec<OpenUpload>,
    ) -> Footnotes {
        let now = sum(self.ledger.requests(), &job.target.requests());
        Footnotes {
            requests: job.meter.so_far(now),
            uploads,
        }
    }

    /// The time left for what is in flight.
    pub(crate) fn drain_left(&self, deadline: Deadline) -> Duration {
        deadline.drain_left(self.clock.now())
    }

    /// Whether no new work may be taken.
    pub(crate) fn is_near(&self, deadline: Deadline) -> bool {
        deadline.is_near(self.clock.now())
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    async fn read_run(&self, event: &CopierEvent) -> Result<RunRecord, Failure> {
        self.ledger
            .read_run(&event.run_id)
            .await
            .map_err(CallFault::into_failure)?
            .ok_or_else(|| Failure::invariant("the ledger does not know the run"))
    }

    pub(crate) async fn read_manifest(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> Result<Manifest, Failure> {
        let key = control_key::manifest(run_id, shard_id);
        let bytes = self
            .control
            .get(&key)
            .await
            .map_err(CallFault::into_failure)?
            .ok_or_else(|| Failure::invariant(format!("the manifest {key} is gone")))?;
        Manifest::decode(&bytes, run_id, shard_id)
    }

    async fn open_target(
        &self,
        run: &RunRecord,
        event: &CopierEvent,
    ) -> Result<A::Target, Failure> {
        let session = SessionName::of_shard(&event.shard_id, &event.run_id);
        let policy = copier_session(&run.spec);
        self.accounts
            .reopen_target(run, &session, Some(&policy))
            .await
            .map_err(|fault| {
                fault
                    .into_failure()
                    .within(format_args!("role {}", run.spec.pair.target.role_arn))
            })
    }

    fn log_end(&self, event: &CopierEvent, account: &SettledObjects, end: Result<&End, &Failure>) {
        let tally = &account.outcome().tally;
        tracing::info!(
            { field::RUN_ID } = %event.run_id,
            { field::RUN_ROUND } = event.round,
            { field::SHARD_ID } = %event.shard_id,
            { field::BYTES } = tally.copied.bytes,
            objects.copied = tally.copied.objects,
            objects.deleted = tally.deleted.objects,
            objects.failed = tally.failed.objects,
            writes_per_second = self.gate.writes_per_second(),
            end = ?end.map_err(|failure| failure.code),
            "shard worked on"
        );
    }
}

fn stuck() -> Failure {
    Failure::new(
        FailureCode::ServiceFault,
        format!(
            "S3 took no write in {IDLE_YIELDS_MAX} invocations; if single copies take longer than an invocation, lower multipart_threshold_bytes"
        ),
    )
}

/// Whether this upload is one of `uploads`, which may know other things of it.
fn is_among(uploads: &[OpenUpload], upload: &OpenUpload) -> bool {
    let mut ids = uploads.iter().map(|known| &known.upload_id);
    ids.any(|known| *known == upload.upload_id)
}

fn log_forsaken(fault: &CallFault) {
    tracing::warn!(
        { field::AWS_OPERATION } = fault.operation,
        { field::ERROR_DETAIL } = %fault,
        "an upload of a shard that was lost is left to the reporter"
    );
}

/// The requests of two handles together.
fn sum(mut one: RequestCounts, other: &RequestCounts) -> RequestCounts {
    add_requests(&mut one, other);
    one
}

/// The problem itself is what the caller must hear; that it could not be noted as well is for the log.
fn note_stop(noted: Result<(), Failure>) {
    if let Err(failure) = noted {
        tracing::warn!(
            { field::ERROR_CODE } = failure.code.name(),
            { field::ERROR_DETAIL } = failure.detail,
            "the record could not take the problem"
        );
    }
}
