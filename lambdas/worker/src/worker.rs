//! A shard of one invocation, from its claim to its last write, whatever is done to its objects.

use std::sync::Arc;

use shardlift_core::{
    access::{
        ceilings::Ceilings,
        policy::session::{SessionWork, session_policy},
    },
    documents::{RunDocuments, manifest::Manifest},
    failure::{Context, Failure},
    port::{Accounts, Ledger, SessionName},
    run::{
        event::{EVENT_VERSION, RunKind, WorkerEvent, WorkerResult, WorkerStatus},
        record::RunRecord,
    },
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
    work::{Deletions, TargetCalls, settle_all},
};

/// Opens and closes the shards of one kind of runs. Working twice on one shard, one after the other or at once, leaves the
/// target and the ledger as working once does: settled objects are not touched again, and of two holders the earlier one is
/// refused.
pub struct Worker<P: Ports> {
    ports: Connections<P>,
    /// What a run may ask for now, whenever it was planned.
    ceilings: Ceilings,
    gate: Gate,
    kind: RunKind,
}

/// A shard that was claimed, and its run's target.
pub struct OpenShard<'a, P: Ports> {
    /// What the state machine sent.
    pub event: &'a WorkerEvent,
    /// The run.
    pub run: RunRecord,
    /// Its target.
    pub target: Arc<Target<P>>,
    /// What is kept about the shard.
    pub session: ShardSession<'a, P>,
    /// What the gate had counted when the shard was opened.
    writes_before: u64,
}

impl<P: Ports> Worker<P> {
    /// A worker over these ports, for runs of this kind. It keeps its pace from shard to shard, so a process makes one and
    /// keeps it.
    pub fn new(ports: Connections<P>, ceilings: Ceilings, kind: RunKind) -> Self {
        Self {
            ports,
            ceilings,
            gate: Gate::default(),
            kind,
        }
    }

    /// The same worker, which never sends more writes a second than this.
    #[must_use]
    pub fn with_writes_per_second_max(mut self, writes_per_second_max: f64) -> Self {
        self.gate = Gate::with_writes_per_second_max(writes_per_second_max);
        self
    }

    /// What it reaches the world through.
    pub fn ports(&self) -> &Connections<P> {
        &self.ports
    }

    /// Claims the shard of the event and opens its run's target; nothing when there is nothing to do.
    ///
    /// # Errors
    /// What concerns more than one object: the role cannot be assumed, the ledger does not respond, another run took the lock
    /// of the target (`RunOverlap`); `InvariantViolated` for a shard of a run of another kind.
    pub async fn open<'a>(
        &'a self,
        event: &'a WorkerEvent,
        deadline: Deadline,
    ) -> Result<Option<OpenShard<'a, P>>, Failure> {
        let requests = ShardRequests::begin(&self.ports, deadline);
        let run = self.read_run(event).await?;
        if run.spec.kind() != self.kind {
            // A copy in the place of a rendition, or the other way round, is never what was asked for.
            return Err(Failure::invariant(
                "the shard was sent to a function that does not do the work of its run",
            ));
        }
        let claim =
            ShardSession::claim(&self.ports, event, &run.spec.pair, deadline, requests).await?;
        let Some(mut session) = claim else {
            return Ok(None);
        };
        // Behind the claim: a run that would take the lock from here on finds the lease, and waits.
        if let Err(problem) = check_held(&self.ports.ledger, &run).await {
            return Err(session.stop(problem).await);
        }
        let target = match self.open_target(&run, event).await {
            Ok(target) => Arc::new(target),
            Err(problem) => return Err(session.stop(problem).await),
        };
        session.count_requests_of(&target);
        self.gate.begin_among(run.first_copiers());
        Ok(Some(OpenShard {
            event,
            run,
            target,
            session,
            writes_before: self.gate.writes_taken(),
        }))
    }

    /// Reads the manifest of the shard. A problem gives the shard back.
    ///
    /// # Errors
    /// The problem.
    pub async fn manifest_of(&self, shard: &mut OpenShard<'_, P>) -> Result<Manifest, Failure> {
        match self
            .read_manifest(&shard.event.run_id, &shard.event.shard_id)
            .await
        {
            Ok(manifest) => Ok(manifest),
            Err(problem) => Err(shard.session.stop(problem).await),
        }
    }

    /// Reads the manifest of a shard.
    ///
    /// # Errors
    /// Control bucket faults.
    pub async fn read_manifest(
        &self,
        run_id: &RunId,
        shard_id: &ShardId,
    ) -> Result<Manifest, Failure> {
        let documents = RunDocuments::new(&self.ports.control, run_id);
        Ok(documents.manifest(shard_id).await?)
    }

    /// Deletes the objects of a shard of deletions.
    ///
    /// # Errors
    /// What concerns more than one object.
    pub async fn delete_objects(
        &self,
        shard: &mut OpenShard<'_, P>,
        manifest: &Manifest,
    ) -> Result<SessionEnd, Failure> {
        let calls = self.calls(&shard.run, &shard.target);
        settle_all(&mut shard.session, manifest, &Deletions { calls, manifest }).await
    }

    /// Ends the session, and logs what it leaves.
    ///
    /// # Errors
    /// Those of [`ShardSession::end`].
    pub async fn close(
        &self,
        shard: &mut OpenShard<'_, P>,
        end: Result<SessionEnd, Failure>,
    ) -> Result<WorkerStatus, Failure> {
        let pace = self.gate.writes_per_second();
        shard.session.log_end(shard.event, end.as_ref(), pace);
        let writes_taken = self.gate.writes_taken() - shard.writes_before;
        shard.session.end(end, writes_taken).await
    }

    /// What calls to the target of a run need.
    pub fn calls<'a>(
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

    async fn read_run(&self, event: &WorkerEvent) -> Result<RunRecord, Failure> {
        self.ports
            .ledger
            .read_run(&event.run_id)
            .await?
            .ok_or_else(|| Failure::invariant("the ledger does not know the run"))
    }

    async fn open_target(
        &self,
        run: &RunRecord,
        event: &WorkerEvent,
    ) -> Result<Target<P>, Failure> {
        self.ceilings.check(&run.spec)?;
        let session = SessionName::of_shard(&event.shard_id, &event.run_id);
        let work = match self.kind {
            RunKind::Copy => SessionWork::Copy,
            RunKind::Render => SessionWork::Render,
        };
        let policy = session_policy(&run.spec, work);
        self.ports
            .accounts
            .reopen_target(run, &session, &policy)
            .await
            .context(format_args!("role {}", run.spec.pair.target.role_arn))
    }
}

/// What an invocation returns, with the shard that a failure concerns.
///
/// # Errors
/// The failure.
pub fn result_of(
    event: &WorkerEvent,
    worked: Result<WorkerStatus, Failure>,
) -> Result<WorkerResult, Failure> {
    let status = worked.context(format_args!(
        "shard {} of run {}",
        event.shard_id, event.run_id
    ))?;
    Ok(WorkerResult {
        schema_version: EVENT_VERSION,
        status,
    })
}
