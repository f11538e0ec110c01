//! One invocation of the copier.

use std::sync::Arc;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::ceilings::Ceilings,
    copy::part_shards,
    documents::manifest::Manifest,
    failure::{Failure, FailureCode},
    port::TargetBucket,
    run::event::{RunKind, WorkerEvent, WorkerResult, WorkerStatus},
    shard::ShardWork,
    value::{deadline::Deadline, id::ShardId},
};
use shardlift_worker::{
    ports::{Connections, Ports},
    session::SessionEnd,
    work::{ObjectContext, ObjectVersions, PlannedObject, settle_all},
    worker::{OpenShard, Worker, result_of},
};

use crate::work::{Copies, PartShard, PartShardEnd, UploadSharing};

/// Copies shards.
pub struct Copier<P: Ports>(Worker<P>);

impl<P: Ports> Copier<P> {
    /// A copier over these ports. It keeps its pace from shard to shard, so a process makes one and keeps it.
    pub fn new(
        accounts: P::Accounts,
        ledger: P::Ledger,
        control: P::Control,
        clock: P::Clock,
        ceilings: Ceilings,
    ) -> Self {
        let ports = Connections {
            accounts,
            ledger,
            control,
            clock,
        };
        Self(Worker::new(ports, ceilings, RunKind::Copy))
    }

    /// The same copier, which never sends more writes a second than this.
    #[must_use]
    pub fn with_writes_per_second_max(self, writes_per_second_max: f64) -> Self {
        Self(self.0.with_writes_per_second_max(writes_per_second_max))
    }

    /// Takes the shard of the event and works on what is open in it, until it is done or the deadline is near.
    ///
    /// # Errors
    /// What concerns more than one object: the role cannot be assumed, a bucket is gone, the ledger does not respond,
    /// another copier took the shard over (`LedgerConflict`), another run took the lock of the target (`RunOverlap`). An object that fails is an outcome, not an error.
    pub async fn copy_shard(
        &self,
        event: &WorkerEvent,
        deadline: Deadline,
    ) -> Result<WorkerResult, Failure> {
        result_of(event, self.work(event, deadline).await)
    }

    async fn work(&self, event: &WorkerEvent, deadline: Deadline) -> Result<WorkerStatus, Failure> {
        let Some(mut shard) = self.0.open(event, deadline).await? else {
            return Ok(WorkerStatus::Done);
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
        self.0.close(&mut shard, end).await
    }

    /// Gives the objects of the shard's manifest their outcomes.
    async fn work_on_objects(&self, shard: &mut OpenShard<'_, P>) -> Result<WorkerStatus, Failure> {
        let manifest = self.0.manifest_of(shard).await?;
        let end = self.settle(shard, &manifest).await;
        let closed = self.0.close(shard, end).await;
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
        let sharing = match shard.session.record().work {
            ShardWork::CopyObjects => UploadSharing::OneShard,
            ShardWork::AssembleObject { .. } => UploadSharing::PartShards,
            ShardWork::DeleteObjects => return self.0.delete_objects(shard, manifest).await,
            ShardWork::CopyParts { .. } => {
                return Err(Failure::invariant("a part shard has no objects"));
            }
        };
        let calls = self.0.calls(&shard.run, &shard.target);
        let copies = ObjectVersions {
            context: ObjectContext::new(calls, Arc::clone(shard.session.uploads())),
            manifest,
            work: Copies { sharing },
        };
        settle_all(&mut shard.session, manifest, &copies).await
    }

    async fn copy_parts(
        &self,
        shard: &OpenShard<'_, P>,
        first_part: u32,
        last_part: u32,
    ) -> Result<PartShardEnd, Failure> {
        let (whole_id, number) = part_shards::whole_of(&shard.event.shard_id)?;
        let run_id = &shard.event.run_id;
        let manifest = self.0.read_manifest(run_id, &whole_id).await?;
        let calls = self.0.calls(&shard.run, &shard.target);
        PartShard {
            context: ObjectContext::new(calls, Arc::clone(shard.session.uploads())),
            ports: self.0.ports(),
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
        event: &WorkerEvent,
        whole_id: ShardId,
        deadline: Deadline,
    ) -> Result<SessionEnd, Failure> {
        let event = WorkerEvent {
            shard_id: whole_id,
            ..event.clone()
        };
        // The part shard counts this invocation already.
        let uncounted = deadline.with_memory_mb(0);
        let Some(mut whole) = self.0.open(&event, uncounted).await? else {
            return Ok(SessionEnd::Settled);
        };
        match self.work_on_objects(&mut whole).await {
            Ok(WorkerStatus::Done) => Ok(SessionEnd::Settled),
            Ok(WorkerStatus::Yield) => Ok(SessionEnd::OutOfTime),
            // Another copier has taken the whole over and settles it. The parts of this shard are recorded.
            Err(failure) if failure.code == FailureCode::LedgerConflict => Ok(SessionEnd::Settled),
            Err(failure) => Err(failure),
        }
    }

    /// Aborts the orphaned uploads of a shard that another copier has taken over. What is not aborted is logged, and left to
    /// the reporter (P8).
    async fn abort_orphans(&self, shard: &OpenShard<'_, P>, manifest: &Manifest) {
        let orphaned = match shard.session.orphaned_uploads().await {
            Ok(orphaned) => orphaned,
            Err(failure) => return log_orphans(&failure),
        };
        let calls = self.0.calls(&shard.run, &shard.target);
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
}

fn log_orphans(failure: &Failure) {
    tracing::warn!(
        { field::ERROR_CODE } = failure.code.name(),
        { field::ERROR_DETAIL } = failure.detail,
        "orphaned uploads of a shard that was lost are left to the reporter"
    );
}
