//! The lock on a pair, so that two runs never work on it at once.

use std::time::Duration;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Failure, FailureCode},
    port::{ExecutionState, Executions, Ledger, PutOutcome},
    run::{event::PlannerEvent, pair::Pair, record::LockRecord},
    value::version::LEDGER_VERSION,
};
use tracing::info;

use crate::{planner::Planner, ports::Ports};

/// How long to wait each time that Step Functions does not know the holder of a lock.
const UNKNOWN_WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::ZERO,
];
/// The most attempts to take a lock that changes hands meanwhile.
const LOCK_ATTEMPTS_MAX: u32 = 4;

impl<P: Ports> Planner<P> {
    /// Takes the lock on the pair. Taking it again for the same run changes nothing. Takes over a lock whose execution has
    /// ended.
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
            if self.ledger.create_lock(&lock).await? == PutOutcome::Written {
                return Ok(());
            }
            let Some(held) = self.ledger.read_lock(&lock.pair).await? else {
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
            if self.ledger.replace_lock(&taken_over).await? == PutOutcome::Written {
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

    /// The state of the holder. DescribeExecution is eventually consistent and may not know an execution that has just begun
    /// (docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html), so an unknown one is described
    /// again before it counts as gone.
    async fn state_of(&self, held: &LockRecord) -> Result<ExecutionState, Failure> {
        for wait in UNKNOWN_WAITS {
            let state = self.executions.state(&held.execution_arn).await?;
            if state != ExecutionState::Unknown {
                return Ok(state);
            }
            tokio::time::sleep(wait).await;
        }
        Ok(ExecutionState::Unknown)
    }
}
