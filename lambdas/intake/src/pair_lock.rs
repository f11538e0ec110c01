//! The lock of the pair, taken for a run before that is started.
//!
//! The run's planner finds the lock under its own name and goes on. So a run of events never begins while another run holds
//! the pair, two intakes at once start one run, and a nightly run that begins at this moment is refused by name, or refuses
//! the run of events, whose lists then go on waiting.

use std::time::Duration;

use shardlift_core::{
    failure::{Failure, FailureCode},
    port::{ExecutionState, Executions, Ledger, PutOutcome},
    run::lock::{LockRecord, LockState, LockedPrefix},
    value::{arn::ExecutionArn, id::RunId, version::LEDGER_VERSION},
};

/// How long to wait each time that Step Functions does not know the holder of a lock: another intake may be about to start
/// it.
const UNKNOWN_WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::ZERO,
];
/// The most attempts to take a lock that changes hands meanwhile.
const ATTEMPTS_MAX: u32 = 4;

/// What became of a try to take the lock.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It is held for the run.
    Held(LockRecord),
    /// This execution holds it, or one that overlaps.
    Busy(ExecutionArn),
}

/// Takes locks.
pub(crate) struct PairLock<'a, L, E> {
    pub(crate) ledger: &'a L,
    pub(crate) executions: &'a E,
    pub(crate) locked: &'a LockedPrefix,
}

impl<L: Ledger, E: Executions> PairLock<'_, L, E> {
    /// Takes the lock for a run. Taking it again for the same run changes nothing.
    ///
    /// # Errors
    /// When ledger or Step Functions cannot be used.
    pub(crate) async fn take(
        &self,
        run_id: &RunId,
        execution: &ExecutionArn,
    ) -> Result<Taken, Failure> {
        let claimed = match self.claim(run_id, execution).await? {
            Taken::Held(claimed) if claimed.state == LockState::Claimed => claimed,
            other => return Ok(other),
        };
        for other in self.ledger.read_locks(&self.locked.bucket).await? {
            let is_taken = other.locked != *self.locked && other.state != LockState::GivenUp;
            if is_taken && other.locked.overlaps(self.locked) && self.is_running(&other).await? {
                self.give_up(&claimed).await?;
                return Ok(Taken::Busy(other.execution_arn));
            }
        }
        let held = moved(&claimed, LockState::Held);
        match self.ledger.replace_lock(&held).await? {
            PutOutcome::Written => Ok(Taken::Held(held)),
            PutOutcome::Refused => Err(changes_hands()),
        }
    }

    /// Gives the lock up: its run does not start. A refusal means that somebody took it over.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub(crate) async fn give_up(&self, lock: &LockRecord) -> Result<(), Failure> {
        let given_up = moved(lock, LockState::GivenUp);
        let _outcome = self.ledger.replace_lock(&given_up).await?;
        Ok(())
    }

    async fn claim(&self, run_id: &RunId, execution: &ExecutionArn) -> Result<Taken, Failure> {
        let fresh = LockRecord {
            schema_version: LEDGER_VERSION,
            locked: self.locked.clone(),
            run_id: run_id.clone(),
            execution_arn: execution.clone(),
            state: LockState::Claimed,
            revision: 1,
        };
        for _ in 0..ATTEMPTS_MAX {
            if self.ledger.create_lock(&fresh).await? == PutOutcome::Written {
                return Ok(Taken::Held(fresh));
            }
            let Some(found) = self.ledger.read_lock(self.locked).await? else {
                continue;
            };
            if found.state != LockState::GivenUp {
                // An earlier invocation took it and died, or the run is there already.
                if found.execution_arn == *execution {
                    return Ok(Taken::Held(found));
                }
                if self.is_running(&found).await? {
                    return Ok(Taken::Busy(found.execution_arn));
                }
            }
            let taken_over = LockRecord {
                revision: found.revision + 1,
                ..fresh.clone()
            };
            if self.ledger.replace_lock(&taken_over).await? == PutOutcome::Written {
                return Ok(Taken::Held(taken_over));
            }
        }
        Err(changes_hands())
    }

    async fn is_running(&self, lock: &LockRecord) -> Result<bool, Failure> {
        for wait in UNKNOWN_WAITS {
            match self.executions.state(&lock.execution_arn).await? {
                ExecutionState::Running => return Ok(true),
                ExecutionState::Ended => return Ok(false),
                ExecutionState::Unknown => tokio::time::sleep(wait).await,
            }
        }
        Ok(false)
    }
}

fn moved(lock: &LockRecord, state: LockState) -> LockRecord {
    LockRecord {
        state,
        revision: lock.revision + 1,
        ..lock.clone()
    }
}

fn changes_hands() -> Failure {
    Failure::new(
        FailureCode::LedgerConflict,
        "the lock of the target changes hands; the messages come again",
    )
}
