//! The lock over a pair: two runs over one pair cannot run at once.

use std::time::Duration;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Failure, FailureCode, fault::CallFault},
    port::{Accounts, Clock, ControlStore, ExecutionState, Executions, Ledger, PutOutcome},
    run::{event::PlannerEvent, pair::Pair, record::LockRecord},
    value::version::LEDGER_VERSION,
};
use tracing::info;

use crate::Planner;

/// How long to wait after each time that Step Functions did not know the holder of a lock.
const UNKNOWN_PAUSES: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::ZERO,
];
/// How often a lock that changes hands meanwhile is looked at again.
const LOCK_ATTEMPTS_MAX: u32 = 4;

impl<A, L, C, E, K> Planner<A, L, C, E, K>
where
    A: Accounts,
    L: Ledger,
    C: ControlStore,
    E: Executions,
    K: Clock,
{
    /// Takes the lock of the pair. Taking it again for the same run changes nothing. A lock whose execution no longer
    /// runs is taken over.
    ///
    /// # Errors
    /// `RunOverlap`, naming the execution that holds it.
    pub(crate) async fn take_lock(&self, pair: &Pair, event: &PlannerEvent) -> Result<(), Failure> {
        for _ in 0..LOCK_ATTEMPTS_MAX {
            let lock = LockRecord {
                schema_version: LEDGER_VERSION,
                pair: pair.lock_name(),
                run_id: event.run_id.clone(),
                execution_arn: event.execution_arn.clone(),
                revision: 1,
            };
            if self.is_written(self.ledger.create_lock(&lock).await)? {
                return Ok(());
            }
            let held = self.ledger.read_lock(&lock.pair).await;
            let Some(held) = held.map_err(CallFault::into_failure)? else {
                continue;
            };
            if held.run_id == lock.run_id && held.execution_arn == lock.execution_arn {
                return Ok(());
            }
            self.check_ended(&held).await?;
            let taken_over = LockRecord {
                revision: held.revision + 1,
                ..lock
            };
            if self.is_written(self.ledger.replace_lock(&taken_over).await)? {
                info!({ field::RUN_ID } = %event.run_id, lock.holder = %held.execution_arn, "took over the lock of an execution that has ended");
                return Ok(());
            }
        }
        Err(Failure::new(
            FailureCode::RunOverlap,
            "the lock over this pair keeps changing hands: several runs over it were started at once",
        ))
    }

    async fn check_ended(&self, held: &LockRecord) -> Result<(), Failure> {
        match self.state_of(held).await? {
            ExecutionState::Ended | ExecutionState::Unknown => Ok(()),
            ExecutionState::Running => Err(Failure::new(
                FailureCode::RunOverlap,
                format!(
                    "run {} ({}) over the same source and target prefixes is still under way; nothing was changed: wait for it or stop it, then start again",
                    held.run_id, held.execution_arn
                ),
            )),
        }
    }

    /// What Step Functions says of the holder. It may not know an execution that began just now
    /// (docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html: eventually consistent), so one
    /// that it does not know is asked for again before it counts as gone.
    async fn state_of(&self, held: &LockRecord) -> Result<ExecutionState, Failure> {
        for pause in UNKNOWN_PAUSES {
            let state = self.executions.state(&held.execution_arn).await;
            let state = state.map_err(CallFault::into_failure)?;
            if state != ExecutionState::Unknown {
                return Ok(state);
            }
            tokio::time::sleep(pause).await;
        }
        Ok(ExecutionState::Unknown)
    }

    fn is_written(&self, outcome: Result<PutOutcome, CallFault>) -> Result<bool, Failure> {
        outcome
            .map(|outcome| outcome == PutOutcome::Written)
            .map_err(CallFault::into_failure)
    }
}
