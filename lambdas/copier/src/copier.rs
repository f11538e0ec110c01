//! One invocation of the copier.

use std::sync::Arc;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::{
        ceilings::Ceilings,
        policy::session::{SessionWork, session_policy},
    },
    copy::part_shards,
    documents::{RunDocuments, manifest::Manifest},
    failure::{Context, Failure, FailureCode},
    port::{Accounts, Ledger, SessionName, TargetBucket},
    run::{
        event::{CopierEvent, CopierResult, CopierStatus, EVENT_VERSION},
        record::RunRecord,
    },
    shard::ShardWork,
    value::{
        deadline::Deadline,
        id::{RunId, ShardId},
    },
};
use shardlift_lock::check_held;

use crate::{
    pace::Gate,
    ports::{Connections, Ports, Target},
    session::{SessionEnd, ShardRequests, ShardSession},
    work::{
        CopyContext, Deletions, ObjectCopies, PartShard, PartShardEnd, PlannedObject, TargetCalls,
        UploadSharing, settle_all,
    },
};

/// Copies shards. Running it twice over one shard, one after the other or at once, leaves the target and the ledger as
/// running it once does: settled objects are not touched again, and of two holders the earlier one is refused.
pub struct Copier<P: Ports> {
    ports: Connections<P>,
    /// What a run may ask for now, whenever it was planned.
    ceilings: Ceilings,
    gate: Gate,
}

/// A shard that was claimed, and its run's target.
struct OpenShard<'a, P: Ports> {
    event: &'a CopierEvent,
    run: RunRecord,
    target: Arc<Target<P>>,
    session: ShardSession<'a, P>,
    /// What the gate had counted when the shard was opened.
    writes_before: u64,
}

impl<P: Ports> Copier<P> {
    /// A copier over these ports. It keeps its pace from shard to shard, so a process makes one and keeps it.
    pub fn new(
        accounts: P::Accounts,
        ledger: P::Ledger,
        control: P::Control,
        clock: P::Clock,
        ceilings: Ceilings,
    ) -> Self {
        Self {
            ports: Connections {
                accounts,
                ledger,
                control,
                clock,
            },
            ceilings,
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
    /// What concerns more than one object: the role cannot be assumed, a bucket is gone, the ledger does not respond,
    /// another copier took the shard over (`LedgerConflict`), another run took the lock of the target (`RunOverlap`). An object that fails is an outcome, not an error.
    pub async fn copy_shard(
        &self,
        event: &CopierEvent,
        deadline: Deadline,
    ) -> Result<CopierResult, Failure> {
        let status = self.work(event, deadline).await.context(format_args!(
            "shard {} of run {}",
            event.shard_id, event.run_id
        ))?;
        Ok(CopierResult {
            schema_version: EVENT_VERSION,
            status,
        })
    }

    async fn work(&self, event: &CopierEvent, deadline: Deadline) -> Result<CopierStatus, Failure> {
        let Some(mut shard) = self.open(event, deadline).await? else {
            return Ok(CopierStatus::Done);
        };
        let ShardWork::CopyParts {
            first_part,
            last_part,
        } = shard.session.record().work
        else {
            return self.work_on_objects(&mut shard).await;
        };
        let end = match self.copy_parts(&shard, first_part, last_part).await {
            Ok(PartShardEnd::Finished) => Ok(SessionEnd::Settled),
            Ok(PartShardEnd::OutOfTime) => Ok(SessionEnd::OutOfTime),
            // The part shard is held meanwhile: if this copier dies, the next one that claims it assembles the object.
            Ok(PartShardEnd::Assemble(whole_id)) => {
                Box::pin(self.assemble(event, whole_id, deadline)).await
            }
            Err(failure) => Err(failure),
        };
        self.close(&mut shard, end).await
    }

    /// Claims the shard of the event and opens its run's target; nothing when there is nothing to do.
    async fn open<'a>(
        &'a self,
        event: &'a CopierEvent,
        deadline: Deadline,
    ) -> Result<Option<OpenShard<'a, P>>, Failure> {
        let requests = ShardRequests::begin(&self.ports);
        let run = self.read_run(event).await?;
        check_held(&self.ports.ledger, &run).await?;
        let claim =
            ShardSession::claim(&self.ports, event, &run.spec.pair, deadline, requests).await?;
        let Some(mut session) = claim else {
            return Ok(None);
        };
        let target = match self.open_target(&run, event).await {
            Ok(target) => Arc::new(target),
            Err(problem) => return Err(session.stop(problem).await),
        };
        session.count_requests_of(&target);
        self.gate.begin_among(run.totals.shards);
        Ok(Some(OpenShard {
            event,
            run,
            target,
            session,
            writes_before: self.gate.writes_taken(),
        }))
    }

    /// Gives the objects of the shard's manifest their outcomes.
    async fn work_on_objects(&self, shard: &mut OpenShard<'_, P>) -> Result<CopierStatus, Failure> {
        let (run_id, shard_id) = (&shard.event.run_id, &shard.event.shard_id);
        let manifest = match self.read_manifest(run_id, shard_id).await {
            Ok(manifest) => manifest,
            Err(problem) => return Err(shard.session.stop(problem).await),
        };
        let end = self.settle(shard, &manifest).await;
        let closed = self.close(shard, end).await;
        if let Err(failure) = &closed
            && failure.code == FailureCode::LedgerConflict
        {
            self.abort_orphans(shard, &manifest).await;
        }
        closed
    }

    /// Chooses the kind of work, once.
    async fn settle(
        &self,
        shard: &mut OpenShard<'_, P>,
        manifest: &Manifest,
    ) -> Result<SessionEnd, Failure> {
        let calls = self.calls(&shard.run, &shard.target);
        let context = CopyContext::new(calls, Arc::clone(shard.session.uploads()));
        let session = &mut shard.session;
        let copies = |sharing| ObjectCopies {
            context,
            manifest,
            sharing,
        };
        match session.record().work {
            ShardWork::CopyObjects => {
                settle_all(session, manifest, &copies(UploadSharing::OneShard)).await
            }
            ShardWork::AssembleObject { .. } => {
                settle_all(session, manifest, &copies(UploadSharing::PartShards)).await
            }
            ShardWork::DeleteObjects => {
                settle_all(session, manifest, &Deletions { calls, manifest }).await
            }
            ShardWork::CopyParts { .. } => Err(Failure::invariant("a part shard has no objects")),
        }
    }

    async fn copy_parts(
        &self,
        shard: &OpenShard<'_, P>,
        first_part: u32,
        last_part: u32,
    ) -> Result<PartShardEnd, Failure> {
        let (whole_id, number) = part_shards::whole_of(&shard.event.shard_id)?;
        let manifest = self.read_manifest(&shard.event.run_id, &whole_id).await?;
        let calls = self.calls(&shard.run, &shard.target);
        PartShard {
            context: CopyContext::new(calls, Arc::clone(shard.session.uploads())),
            ports: &self.ports,
            deadline: shard.session.deadline(),
            manifest: &manifest,
            number,
            parts: first_part..=last_part,
        }
        .run()
        .await
    }

    /// Claims the whole of the part shards, all of which are finished, and gives its object an outcome.
    async fn assemble(
        &self,
        event: &CopierEvent,
        whole_id: ShardId,
        deadline: Deadline,
    ) -> Result<SessionEnd, Failure> {
        let event = CopierEvent {
            shard_id: whole_id,
            ..event.clone()
        };
        let Some(mut whole) = self.open(&event, deadline).await? else {
            return Ok(SessionEnd::Settled);
        };
        match self.work_on_objects(&mut whole).await {
            Ok(CopierStatus::Done) => Ok(SessionEnd::Settled),
            Ok(CopierStatus::Yield) => Ok(SessionEnd::OutOfTime),
            // Another copier has taken the whole over and settles it. The parts of this shard are recorded.
            Err(failure) if failure.code == FailureCode::LedgerConflict => Ok(SessionEnd::Settled),
            Err(failure) => Err(failure),
        }
    }

    /// Ends the session, and logs what it leaves.
    async fn close(
        &self,
        shard: &mut OpenShard<'_, P>,
        end: Result<SessionEnd, Failure>,
    ) -> Result<CopierStatus, Failure> {
        let pace = self.gate.writes_per_second();
        shard.session.log_end(shard.event, end.as_ref(), pace);
        let writes_taken = self.gate.writes_taken() - shard.writes_before;
        shard.session.end(end, writes_taken).await
    }

    /// Aborts the orphaned uploads of a shard that another copier has taken over. What is not aborted is logged, and left to
    /// the reporter (P8).
    async fn abort_orphans(&self, shard: &OpenShard<'_, P>, manifest: &Manifest) {
        let orphaned = match shard.session.orphaned_uploads().await {
            Ok(orphaned) => orphaned,
            Err(failure) => return log_orphans(&failure),
        };
        let calls = self.calls(&shard.run, &shard.target);
        for upload in orphaned {
            let object = manifest.objects.get(upload.index as usize);
            let planned =
                object.and_then(|object| PlannedObject::new(calls.spec, upload.index, object).ok());
            if let Some(planned) = planned
                && let Err(fault) = calls
                    .read(|| {
                        calls
                            .target
                            .abort_upload(&planned.target_key, &upload.upload_id)
                    })
                    .await
            {
                log_orphans(&fault.into());
            }
        }
    }

    fn calls<'a>(
        &'a self,
        run: &'a RunRecord,
        target: &'a Target<P>,
    ) -> TargetCalls<'a, Target<P>> {
        TargetCalls {
            target,
            spec: &run.spec,
            gate: &self.gate,
        }
    }

    async fn read_run(&self, event: &CopierEvent) -> Result<RunRecord, Failure> {
        self.ports
            .ledger
            .read_run(&event.run_id)
            .await?
            .ok_or_else(|| Failure::invariant("the ledger does not know the run"))
    }

    async fn read_manifest(&self, run_id: &RunId, shard_id: &ShardId) -> Result<Manifest, Failure> {
        let documents = RunDocuments::new(&self.ports.control, run_id);
        Ok(documents.manifest(shard_id).await?)
    }

    async fn open_target(
        &self,
        run: &RunRecord,
        event: &CopierEvent,
    ) -> Result<Target<P>, Failure> {
        self.ceilings.check(&run.spec)?;
        let session = SessionName::of_shard(&event.shard_id, &event.run_id);
        let policy = session_policy(&run.spec, SessionWork::Copy);
        self.ports
            .accounts
            .reopen_target(run, &session, &policy)
            .await
            .context(format_args!("role {}", run.spec.pair.target.role_arn))
    }
}

fn log_orphans(failure: &Failure) {
    tracing::warn!(
        { field::ERROR_CODE } = failure.code.name(),
        { field::ERROR_DETAIL } = failure.detail,
        "orphaned uploads of a shard that was lost are left to the reporter"
    );
}
