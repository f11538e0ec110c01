//! One invocation of the renderer.

use std::sync::Arc;

use shardlift_core::{
    access::ceilings::Ceilings,
    documents::manifest::Manifest,
    failure::Failure,
    port::ObjectBytes,
    run::event::{RunKind, WorkerEvent, WorkerResult, WorkerStatus},
    shard::ShardWork,
    value::deadline::Deadline,
};
use shardlift_worker::{
    ports::{Connections, Ports, Target},
    session::SessionEnd,
    work::{ObjectContext, ObjectVersions, settle_all},
    worker::{OpenShard, Worker, result_of},
};

use crate::{renditions::Renditions, room::Room};

/// Renders the images of shards.
pub struct Renderer<P: Ports> {
    worker: Worker<P>,
    room: Room,
}

impl<P: Ports> Renderer<P>
where
    Target<P>: ObjectBytes,
{
    /// A renderer over these ports. It keeps its pace from shard to shard, and what a decoder still holds from the shard
    /// before, so a process makes one and keeps it.
    pub fn new(ports: Connections<P>, ceilings: Ceilings, room: Room) -> Self {
        Self {
            worker: Worker::new(ports, ceilings, RunKind::Render),
            room,
        }
    }

    /// The same renderer, which never sends more writes a second than this.
    #[must_use]
    pub fn with_writes_per_second_max(self, writes_per_second_max: f64) -> Self {
        Self {
            worker: self
                .worker
                .with_writes_per_second_max(writes_per_second_max),
            ..self
        }
    }

    /// Takes the shard of the event and works on what is open in it, until it is done or the deadline is near.
    ///
    /// # Errors
    /// What concerns more than one object: the role cannot be assumed, a bucket is gone, the ledger does not respond,
    /// another renderer took the shard over (`LedgerConflict`), another run took the lock of the target (`RunOverlap`). An
    /// object that fails is an outcome, not an error.
    pub async fn render_shard(
        &self,
        event: &WorkerEvent,
        deadline: Deadline,
    ) -> Result<WorkerResult, Failure> {
        result_of(event, self.work(event, deadline).await)
    }

    async fn work(&self, event: &WorkerEvent, deadline: Deadline) -> Result<WorkerStatus, Failure> {
        let Some(mut shard) = self.worker.open(event, deadline).await? else {
            return Ok(WorkerStatus::Done);
        };
        let manifest = self.worker.manifest_of(&mut shard).await?;
        let end = self.settle(&mut shard, &manifest).await;
        self.worker.close(&mut shard, end).await
    }

    /// Chooses the kind of work, once.
    async fn settle(
        &self,
        shard: &mut OpenShard<'_, P>,
        manifest: &Manifest,
    ) -> Result<SessionEnd, Failure> {
        match shard.session.record().work {
            ShardWork::CopyObjects => {}
            ShardWork::DeleteObjects => return self.worker.delete_objects(shard, manifest).await,
            ShardWork::CopyParts { .. } | ShardWork::AssembleObject { .. } => {
                return Err(Failure::invariant("a rendition has no parts"));
            }
        }
        let Some(transform) = shard.run.spec.transform else {
            return Err(Failure::invariant("the run has no transform"));
        };
        let calls = self.worker.calls(&shard.run, &shard.target);
        let renditions = ObjectVersions {
            context: ObjectContext::new(calls, Arc::clone(shard.session.uploads())),
            manifest,
            work: Renditions::new(transform, &self.room)?,
        };
        settle_all(&mut shard.session, manifest, &renditions).await
    }
}
