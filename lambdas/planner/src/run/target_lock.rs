//! The lock on a target prefix, so that two runs never write the same keys at once.
//!
//! A run first claims its lock, then reads those of all runs to its target bucket, and holds its own only if no other one
//! overlaps. Reads of the ledger are strongly consistent, so of two runs whose locks overlap, the one that claimed later
//! sees the other: both may be refused, and never do both go on.

use std::time::Duration;

use shardlift_aws::telemetry::field;
use shardlift_core::{
    events::EventRun,
    failure::{Failure, FailureCode},
    port::{ExecutionState, Executions, Ledger, PutOutcome},
    run::{
        event::PlannerEvent,
        lock::{LockRecord, LockState, LockedPrefix},
        pair::Pair,
    },
    value::{id::RunId, printable::Printable, version::LEDGER_VERSION},
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
/// How often to look again, and how often at most, while a run of events holds the target: such runs are short and begin
/// again and again, and must not keep a nightly run from beginning.
const EVENT_RUN_WAIT: Duration = Duration::from_secs(1);
const EVENT_RUN_WAITS_MAX: u32 = 600;
/// How long to wait for a run that began at the same time to hold its lock or to give it up.
const RIVAL_WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

impl<P: Ports> Planner<P> {
    /// Takes the lock on the target of the pair. Taking it again for the same run changes nothing. Takes over a lock whose
    /// execution has ended.
    ///
    /// # Errors
    /// `RunOverlap`, naming the execution that holds this lock, or one over a prefix that contains this one or lies in it.
    pub(crate) async fn take_lock(&self, pair: &Pair, event: &PlannerEvent) -> Result<(), Failure> {
        let lock = self.claim_lock(pair, event).await?;
        if lock.state == LockState::Held {
            return Ok(());
        }
        if let Err(overlap) = self.check_others(&lock).await {
            // Refused if another invocation of this run moves it: then that one decides about it.
            let _outcome = self.move_lock(&lock, LockState::GivenUp).await?;
            return Err(overlap);
        }
        if self.move_lock(&lock, LockState::Held).await? == PutOutcome::Written {
            return Ok(());
        }
        // Another invocation of this run may have been as fast.
        let found = self.ledger.read_lock(&lock.locked).await?;
        let is_held = |found: &LockRecord| {
            found.state == LockState::Held && found.execution_arn == lock.execution_arn
        };
        if found.as_ref().is_some_and(is_held) {
            Ok(())
        } else {
            Err(changes_hands())
        }
    }

    /// Whether the lock on the target of the pair is held for this run already.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub(crate) async fn holds_lock(
        &self,
        pair: &Pair,
        event: &PlannerEvent,
    ) -> Result<bool, Failure> {
        let found = self.ledger.read_lock(&LockedPrefix::of(pair)).await?;
        Ok(found.is_some_and(|found| {
            found.state == LockState::Held && found.execution_arn == event.execution_arn
        }))
    }

    async fn move_lock(&self, lock: &LockRecord, state: LockState) -> Result<PutOutcome, Failure> {
        let moved = LockRecord {
            state,
            revision: lock.revision + 1,
            ..lock.clone()
        };
        Ok(self.ledger.replace_lock(&moved).await?)
    }

    /// Claims the lock, unless this run has done so already, and returns it.
    async fn claim_lock(&self, pair: &Pair, event: &PlannerEvent) -> Result<LockRecord, Failure> {
        let (mut attempts, mut waits) = (0, 0);
        while attempts < LOCK_ATTEMPTS_MAX {
            attempts += 1;
            let lock = LockRecord {
                schema_version: LEDGER_VERSION,
                locked: LockedPrefix::of(pair),
                run_id: event.run_id.clone(),
                execution_arn: event.execution_arn.clone(),
                state: LockState::Claimed,
                revision: 1,
            };
            if self.ledger.create_lock(&lock).await? == PutOutcome::Written {
                return Ok(lock);
            }
            let Some(held) = self.ledger.read_lock(&lock.locked).await? else {
                continue;
            };
            if held.state != LockState::GivenUp {
                if held.run_id == lock.run_id && held.execution_arn == lock.execution_arn {
                    return Ok(held);
                }
                if self.state_of(&held).await? == ExecutionState::Running {
                    if !waits_for(&held, &event.run_id) || waits == EVENT_RUN_WAITS_MAX {
                        return Err(overlap(&held));
                    }
                    (attempts, waits) = (0, waits + 1);
                    tokio::time::sleep(EVENT_RUN_WAIT).await;
                    continue;
                }
            }
            let taken_over = LockRecord {
                revision: held.revision + 1,
                ..lock
            };
            if self.ledger.replace_lock(&taken_over).await? == PutOutcome::Written {
                info!({ field::RUN_ID } = %event.run_id, lock.holder = %held.execution_arn, "took over the lock of an execution that has ended");
                return Ok(taken_over);
            }
        }
        Err(changes_hands())
    }

    /// Looks for other runs that write keys of this lock.
    async fn check_others(&self, lock: &LockRecord) -> Result<(), Failure> {
        let mut rival_waits = RIVAL_WAITS.iter();
        let mut waits = 0;
        loop {
            let Some(rival) = self.find_other(lock).await? else {
                return Ok(());
            };
            if waits_for(&rival, &lock.run_id) && waits < EVENT_RUN_WAITS_MAX {
                waits += 1;
                tokio::time::sleep(EVENT_RUN_WAIT).await;
                continue;
            }
            // Of two that began at once, one gives its lock up, and the other waits for that.
            let may_wait =
                rival.state == LockState::Claimed && lock.execution_arn < rival.execution_arn;
            match rival_waits.next().filter(|_| may_wait) {
                Some(&wait) => tokio::time::sleep(wait).await,
                None => return Err(overlap(&rival)),
            }
        }
    }

    /// A lock of another run under way that overlaps this one. Those of executions that have ended are given up, so that
    /// such a run must claim its lock anew if it goes on.
    async fn find_other(&self, lock: &LockRecord) -> Result<Option<LockRecord>, Failure> {
        for other in self.ledger.read_locks(&lock.locked.bucket).await? {
            let is_taken = other.locked != lock.locked && other.state != LockState::GivenUp;
            if !is_taken || !other.locked.overlaps(&lock.locked) {
                continue;
            }
            if self.state_of(&other).await? == ExecutionState::Running
                // Refused if it goes on at this very moment.
                || self.move_lock(&other, LockState::GivenUp).await? == PutOutcome::Refused
            {
                return Ok(Some(other));
            }
            info!({ field::RUN_ID } = %lock.run_id, lock.holder = %other.execution_arn, "gave up the lock of an execution that has ended");
        }
        Ok(None)
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

/// Whether a run waits until this holder ends: one that events did not start, for one that they did.
fn waits_for(holder: &LockRecord, run_id: &RunId) -> bool {
    EventRun::is_one(&holder.run_id) && !EventRun::is_one(run_id)
}

fn overlap(held: &LockRecord) -> Failure {
    Failure::new(
        FailureCode::RunOverlap,
        format!(
            "run {} ({}), which writes to s3://{}/{}, is still under way, and this run would write some of the same keys; nothing was changed: wait for it or stop it, then start again",
            held.run_id,
            held.execution_arn,
            held.locked.bucket,
            Printable(held.locked.prefix.as_str())
        ),
    )
}

fn changes_hands() -> Failure {
    Failure::new(
        FailureCode::RunOverlap,
        "the lock over this target prefix keeps changing hands: several runs to it were started at once",
    )
}
