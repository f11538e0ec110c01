//! One invocation of the copier.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    control_key,
    copy::account::ShardAccount,
    deadline::Deadline,
    event::{CopierEvent, CopierResult, CopierStatus, EVENT_VERSION},
    failure::Failure,
    fault::CallFault,
    manifest::Manifest,
    policy::session::copier_session,
    port::{Accounts, Clock, ControlStore, Ledger, SessionName, TargetBucket},
    run::RunRecord,
};

use crate::{
    denials::Denials,
    gate::Gate,
    held_shard::HeldShard,
    object_copy::ObjectCopy,
    shard_copy::{End, ShardCopy},
    uploads::Uploads,
};

/// Calls to the target under way at once.
const CALLS_IN_FLIGHT_MAX: usize = 128;

/// Copies shards. Running it twice over one shard, one after the other or at once, leaves the target and the ledger as
/// running it once does: settled objects are not touched again, and of two holders the earlier one is refused.
#[derive(Debug, Clone)]
pub struct Copier<A, L, C, K> {
    /// Opens the target.
    pub accounts: A,
    /// The ledger.
    pub ledger: L,
    /// The control bucket.
    pub control: C,
    /// The clock.
    pub clock: K,
}

impl<A: Accounts, L: Ledger, C: ControlStore, K: Clock> Copier<A, L, C, K> {
    /// Takes the shard of the event and copies what is open in it, until it is done or the deadline is near.
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

    async fn work(&self, event: &CopierEvent, deadline: Deadline) -> Result<CopierStatus, Failure> {
        let run = self.read_run(event).await?;
        let claim =
            HeldShard::claim(&self.ledger, &self.control, event, &self.clock, deadline).await?;
        let Some(mut held) = claim else {
            return Ok(CopierStatus::Done);
        };
        let mut account = held.account().await?;
        let manifest = self.read_manifest(event).await?;
        let target = match self.open_target(&run, event).await {
            Ok(target) => target,
            Err(problem) => return Err(stop(held, &account, problem).await),
        };
        let (gate, denials) = (Gate::new(CALLS_IN_FLIGHT_MAX), Denials::default());
        let uploads = Uploads::resume(&held.record().outcome.uploads);
        let copy = ShardCopy {
            objects: ObjectCopy {
                target: &target,
                spec: &run.spec,
                gate: &gate,
                denials: &denials,
                uploads: &uploads,
                is_resumed: held.record().attempts > 1,
            },
            manifest: &manifest,
            clock: &self.clock,
            deadline,
            requests_before: held.record().outcome.requests.clone(),
            requests_of_others: target.requests(),
        };
        let end = copy.run(&mut held, &mut account).await;
        let notes = copy.footnotes();
        log_end(event, &account, end.as_ref());
        match end {
            Ok(End::Settled) => {
                held.finish(&account, notes, &self.clock).await?;
                Ok(CopierStatus::Done)
            }
            Ok(End::OutOfTime) => {
                held.give_back(&account, notes).await?;
                Ok(CopierStatus::Yield)
            }
            Err(problem) => {
                note_stop(held.stop(&account, notes, problem.clone()).await);
                Err(problem)
            }
        }
    }

    async fn read_run(&self, event: &CopierEvent) -> Result<RunRecord, Failure> {
        self.ledger
            .read_run(&event.run_id)
            .await
            .map_err(CallFault::into_failure)?
            .ok_or_else(|| Failure::invariant("the ledger does not know the run"))
    }

    async fn read_manifest(&self, event: &CopierEvent) -> Result<Manifest, Failure> {
        let key = control_key::manifest(&event.run_id, &event.shard_id);
        let bytes = self
            .control
            .get(&key)
            .await
            .map_err(CallFault::into_failure)?
            .ok_or_else(|| Failure::invariant(format!("the manifest {key} is gone")))?;
        Manifest::decode(&bytes, &event.run_id, &event.shard_id)
    }

    async fn open_target(
        &self,
        run: &RunRecord,
        event: &CopierEvent,
    ) -> Result<A::Target, Failure> {
        let pair = &run.spec.pair;
        let session = SessionName::of_shard(&event.shard_id, &event.run_id);
        let policy = copier_session(&run.spec);
        self.accounts
            .reopen_target(
                &pair.target,
                &run.target,
                &pair.source,
                &run.source,
                &session,
                Some(&policy),
            )
            .await
            .map_err(|fault| {
                fault
                    .into_failure()
                    .within(format_args!("role {}", pair.target.role_arn))
            })
    }
}

fn log_end(event: &CopierEvent, account: &ShardAccount, end: Result<&End, &Failure>) {
    let tally = &account.outcome().tally;
    tracing::info!(
        { field::RUN_ID } = %event.run_id,
        { field::RUN_ROUND } = event.round,
        { field::SHARD_ID } = %event.shard_id,
        { field::BYTES } = tally.copied.bytes,
        objects.copied = tally.copied.objects,
        objects.failed = tally.failed.objects,
        end = ?end.map_err(|failure| failure.code),
        "shard worked on"
    );
}

/// Leaves the problem in the record before it ends the invocation.
async fn stop<L: Ledger, C: ControlStore>(
    held: HeldShard<'_, L, C>,
    account: &ShardAccount,
    problem: Failure,
) -> Failure {
    let notes = held.footnotes_as_recorded();
    note_stop(held.stop(account, notes, problem.clone()).await);
    problem
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
