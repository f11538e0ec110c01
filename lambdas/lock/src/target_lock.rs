//! Taking the lock.
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
    run::lock::{LockRecord, LockState, LockedPrefix},
    value::{arn::ExecutionArn, id::RunId, printable::Printable, version::LEDGER_VERSION},
};
use tracing::info;

/// How long to wait each time that Step Functions does not know the holder of a lock. DescribeExecution is eventually
/// consistent and may not know an execution that has just begun
/// (docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html), and an intake takes the lock just
/// before it starts the run.
const UNKNOWN_WAITS: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::ZERO,
];
/// The most attempts to take a lock that changes hands meanwhile.
const ATTEMPTS_MAX: u32 = 4;
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

/// Locks are removed and created anew, also for the same run, where several intakes start it at once. With a first revision by
/// chance no write meets the new one that was meant for the one before. It leaves room for a number in JSON.
const FIRST_REVISION_MAX: u64 = 1 << 50;

/// What became of a try to take the lock.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is held for the run, since now.
    Held(LockRecord),
    /// It is held for the run. Another invocation took it, which may still go on.
    HeldAlready(LockRecord),
    /// The run of this lock is under way, and writes some of the same keys.
    Busy(LockRecord),
}

/// The lock on what a run writes.
#[derive(Debug)]
pub struct TargetLock<'a, L, E> {
    /// Where locks are.
    pub ledger: &'a L,
    /// Whether the execution behind a lock still runs.
    pub executions: &'a E,
    /// What the run writes.
    pub locked: &'a LockedPrefix,
    /// The run.
    pub run_id: &'a RunId,
    /// Its execution. One that has ended must not take a lock: it would be taken over at once.
    pub execution_arn: &'a ExecutionArn,
}

impl<L: Ledger, E: Executions> TargetLock<'_, L, E> {
    /// Takes the lock. Taking it again for the same run changes nothing. Takes over the lock of an execution that has ended.
    /// A run that no event started waits for runs of events to end.
    ///
    /// # Errors
    /// When ledger or Step Functions cannot be used, and `RunOverlap` when the lock keeps changing hands.
    pub async fn take(&self) -> Result<Taken, Failure> {
        let lock = match self.claim().await? {
            Taken::Held(lock) => lock,
            Taken::HeldAlready(lock) if lock.state == LockState::Claimed => lock,
            other => return Ok(other),
        };
        if let Some(rival) = self.find_rival(&lock).await? {
            // Refused if another invocation of this run moves it: then that one decides about it.
            self.give_up(&lock).await?;
            return Ok(Taken::Busy(rival));
        }
        let held = moved(&lock, LockState::Held);
        if self.ledger.replace_lock(&lock, &held).await? == PutOutcome::Written {
            return Ok(Taken::Held(held));
        }
        // Another invocation of this run may have been as fast.
        let found = self.ledger.read_lock(self.locked).await?;
        match found.filter(|found| found.state == LockState::Held && self.is_own(found)) {
            Some(found) => Ok(Taken::HeldAlready(found)),
            None => Err(changes_hands()),
        }
    }

    /// Whether the lock is held for this run already.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn is_held(&self) -> Result<bool, Failure> {
        let found = self.ledger.read_lock(self.locked).await?;
        Ok(found.is_some_and(|found| found.state == LockState::Held && self.is_own(&found)))
    }

    /// Takes the lock over from another invocation of the same run, so that that one cannot give it up any more; whether it was
    /// still as it was found.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn renew(&self, found: &LockRecord) -> Result<bool, Failure> {
        let renewed = moved(found, found.state);
        Ok(self.ledger.replace_lock(found, &renewed).await? == PutOutcome::Written)
    }

    /// Gives the lock up. A refusal means that somebody else has moved it since.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn give_up(&self, lock: &LockRecord) -> Result<(), Failure> {
        let given_up = moved(lock, LockState::GivenUp);
        let _outcome = self.ledger.replace_lock(lock, &given_up).await?;
        Ok(())
    }

    fn is_own(&self, found: &LockRecord) -> bool {
        found.execution_arn == *self.execution_arn
    }

    /// Claims the lock, unless this run has done so already.
    async fn claim(&self) -> Result<Taken, Failure> {
        let fresh = LockRecord {
            schema_version: LEDGER_VERSION,
            locked: self.locked.clone(),
            run_id: self.run_id.clone(),
            execution_arn: self.execution_arn.clone(),
            state: LockState::Claimed,
            revision: fastrand::u64(1..FIRST_REVISION_MAX),
        };
        let (mut attempts, mut waits) = (0, 0);
        while attempts < ATTEMPTS_MAX {
            attempts += 1;
            if self.ledger.create_lock(&fresh).await? == PutOutcome::Written {
                return Ok(Taken::Held(fresh));
            }
            let Some(found) = self.ledger.read_lock(self.locked).await? else {
                continue;
            };
            if found.state != LockState::GivenUp {
                if self.is_own(&found) {
                    return Ok(Taken::HeldAlready(found));
                }
                if self.is_running(&found).await? {
                    if !self.waits_for(&found) || waits == EVENT_RUN_WAITS_MAX {
                        return Ok(Taken::Busy(found));
                    }
                    (attempts, waits) = (0, waits + 1);
                    tokio::time::sleep(EVENT_RUN_WAIT).await;
                    continue;
                }
            }
            let claimed = LockRecord {
                revision: found.revision + 1,
                ..fresh.clone()
            };
            if self.ledger.replace_lock(&found, &claimed).await? == PutOutcome::Refused {
                continue;
            }
            if self.goes_on_after_all(&found).await? {
                self.give_up(&claimed).await?;
                return Ok(Taken::Busy(found));
            }
            info!({ field::RUN_ID } = %self.run_id, lock.holder = %found.execution_arn, "took over a lock that nobody held any more");
            return Ok(Taken::Held(claimed));
        }
        Err(changes_hands())
    }

    /// Another run under way whose lock overlaps this one, unless it ends or gives its lock up while this one waits.
    async fn find_rival(&self, lock: &LockRecord) -> Result<Option<LockRecord>, Failure> {
        let mut rival_waits = RIVAL_WAITS.iter();
        let mut waits = 0;
        loop {
            let Some(rival) = self.find_other(lock).await? else {
                return Ok(None);
            };
            if self.waits_for(&rival) && waits < EVENT_RUN_WAITS_MAX {
                waits += 1;
                tokio::time::sleep(EVENT_RUN_WAIT).await;
                continue;
            }
            // Of two that began at once, one gives its lock up, and the other waits for that.
            let may_wait =
                rival.state == LockState::Claimed && lock.execution_arn < rival.execution_arn;
            match rival_waits.next().filter(|_| may_wait) {
                Some(&wait) => tokio::time::sleep(wait).await,
                None => return Ok(Some(rival)),
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
            let given_up = moved(&other, LockState::GivenUp);
            if self.is_running(&other).await?
                // Refused if it goes on at this very moment.
                || self.ledger.replace_lock(&other, &given_up).await? == PutOutcome::Refused
                || self.goes_on_after_all(&other).await?
            {
                return Ok(Some(other));
            }
            info!({ field::RUN_ID } = %self.run_id, lock.holder = %other.execution_arn, "gave up the lock of an execution that has ended");
        }
        Ok(None)
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

    /// Whether the execution whose lock was just taken away runs: it was redriven, or an intake started it, between the
    /// question and the write. Its copiers may have found the lock to be theirs before the write, so it is this run that stops.
    async fn goes_on_after_all(&self, lost: &LockRecord) -> Result<bool, Failure> {
        let had_lock = lost.state != LockState::GivenUp;
        Ok(
            had_lock
                && self.executions.state(&lost.execution_arn).await? == ExecutionState::Running,
        )
    }

    /// Whether this run waits until that holder ends: one that events did not start, for one that they did.
    fn waits_for(&self, holder: &LockRecord) -> bool {
        EventRun::is_one(&holder.run_id) && !EventRun::is_one(self.run_id)
    }
}

fn moved(lock: &LockRecord, state: LockState) -> LockRecord {
    LockRecord {
        state,
        revision: lock.revision + 1,
        ..lock.clone()
    }
}

/// `RunOverlap`, naming the run that is under way.
#[must_use]
pub fn still_under_way(holder: &LockRecord) -> Failure {
    Failure::new(
        FailureCode::RunOverlap,
        format!(
            "run {} ({}), which writes to s3://{}/{}, is still under way, and this run would write some of the same keys; nothing was changed: wait for it or stop it, then start again",
            holder.run_id,
            holder.execution_arn,
            holder.locked.bucket,
            Printable(holder.locked.prefix.as_str())
        ),
    )
}

fn changes_hands() -> Failure {
    Failure::new(
        FailureCode::RunOverlap,
        "the lock over this target prefix keeps changing hands: several runs to it were started at once",
    )
}
