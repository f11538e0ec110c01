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
    value::{
        arn::ExecutionArn, id::RunId, printable::Printable, time::Timestamp,
        version::LEDGER_VERSION,
    },
};
use tracing::info;

use crate::{
    running::is_running,
    turn::{self, Turn},
};

/// The most attempts to take a lock that changes hands meanwhile.
const ATTEMPTS_MAX: u32 = 4;
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
    /// It is held for the run, since now; and the lock that was taken over, if an execution ended without releasing it.
    Held(LockRecord, Option<LockRecord>),
    /// It is held for the run. Another invocation took it, which may still go on.
    HeldAlready(LockRecord),
    /// Another run writes some of the same keys, or may.
    Busy(Holder),
}

/// A run that keeps others from its target.
#[derive(Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its lock.
    pub lock: LockRecord,
    /// Its execution has ended, but a copier that it invoked may write until then: stopping an execution stops no function.
    pub writes_until: Option<Timestamp>,
}

impl Holder {
    const fn running(lock: LockRecord) -> Self {
        Self {
            lock,
            writes_until: None,
        }
    }
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
    /// The time, which the leases of copiers are compared with.
    pub now: Timestamp,
}

impl<L: Ledger, E: Executions> TargetLock<'_, L, E> {
    /// Takes the lock. Taking it again for the same run changes nothing. Takes over the lock of an execution that has ended,
    /// once no copier of it can write any more. A run that no event started waits for runs of events to end.
    ///
    /// # Errors
    /// When ledger or Step Functions cannot be used, and `RunOverlap` when the lock keeps changing hands.
    pub async fn take(&self) -> Result<Taken, Failure> {
        let mut turn = Turn::default();
        let taken = self.take_in_turn(&mut turn).await;
        // Whatever came of it. A turn whose run ended without this is found out by who meets it.
        turn.end(self.ledger).await?;
        taken
    }

    async fn take_in_turn(&self, turn: &mut Turn) -> Result<Taken, Failure> {
        let (lock, taken_over) = match self.claim(turn).await? {
            Taken::Held(lock, taken_over) => (lock, taken_over),
            Taken::HeldAlready(lock) if lock.state == LockState::Claimed => (lock, None),
            other => return Ok(other),
        };
        if let Some(rival) = self.find_rival(&lock, turn).await? {
            // Refused if another invocation of this run moves it: then that one decides about it.
            self.give_up(&lock).await?;
            return Ok(Taken::Busy(rival));
        }
        let held = lock.moved(LockState::Held);
        if self.ledger.replace_lock(&lock, &held).await? == PutOutcome::Written {
            return Ok(Taken::Held(held, taken_over));
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
        let renewed = found.moved(found.state);
        Ok(self.ledger.replace_lock(found, &renewed).await? == PutOutcome::Written)
    }

    /// Gives the lock up. A refusal means that somebody else has moved it since.
    ///
    /// # Errors
    /// When the ledger cannot be used.
    pub async fn give_up(&self, lock: &LockRecord) -> Result<(), Failure> {
        let given_up = lock.moved(LockState::GivenUp);
        let _outcome = self.ledger.replace_lock(lock, &given_up).await?;
        Ok(())
    }

    fn fresh(&self, state: LockState) -> LockRecord {
        LockRecord {
            schema_version: LEDGER_VERSION,
            locked: self.locked.clone(),
            run_id: self.run_id.clone(),
            execution_arn: self.execution_arn.clone(),
            state,
            revision: fastrand::u64(1..FIRST_REVISION_MAX),
        }
    }

    fn is_own(&self, found: &LockRecord) -> bool {
        found.execution_arn == *self.execution_arn
    }

    /// Claims the lock, unless this run has done so already.
    async fn claim(&self, turn: &mut Turn) -> Result<Taken, Failure> {
        let fresh = self.fresh(LockState::Claimed);
        let mut attempts = 0;
        while attempts < ATTEMPTS_MAX {
            attempts += 1;
            if self.ledger.create_lock(&fresh).await? == PutOutcome::Written {
                return Ok(Taken::Held(fresh, None));
            }
            let Some(found) = self.ledger.read_lock(self.locked).await? else {
                continue;
            };
            if found.state != LockState::GivenUp {
                if self.is_own(&found) {
                    return Ok(Taken::HeldAlready(found));
                }
                if let Some(holder) = self.holder(&found).await? {
                    if !self.waits_for(&holder) || !turn.may_wait() {
                        return Ok(Taken::Busy(holder));
                    }
                    let own = self.fresh(LockState::Waiting);
                    turn.note(self.ledger, self.executions, own).await?;
                    attempts = 0;
                    turn.wait().await;
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
            if let Some(holder) = self.given_back(&found, &claimed).await? {
                return Ok(Taken::Busy(holder));
            }
            info!({ field::RUN_ID } = %self.run_id, lock.holder = %found.execution_arn, "took over a lock that nobody held any more");
            let taken_over = (found.state != LockState::GivenUp).then_some(found);
            return Ok(Taken::Held(claimed, taken_over));
        }
        Err(changes_hands())
    }

    /// Another run under way whose lock overlaps this one, unless it ends or gives its lock up while this one waits.
    async fn find_rival(
        &self,
        lock: &LockRecord,
        turn: &mut Turn,
    ) -> Result<Option<Holder>, Failure> {
        let mut rival_waits = RIVAL_WAITS.iter();
        loop {
            let Some(rival) = self.find_other(lock).await? else {
                return Ok(None);
            };
            if self.waits_for(&rival) && turn.may_wait() {
                turn.wait().await;
                continue;
            }
            // Of two that began at once, one gives its lock up, and the other waits for that.
            let may_wait = rival.lock.state == LockState::Claimed
                && lock.execution_arn < rival.lock.execution_arn;
            match rival_waits.next().filter(|_| may_wait) {
                Some(&wait) => tokio::time::sleep(wait).await,
                None => return Ok(Some(rival)),
            }
        }
    }

    /// A lock of another run under way that overlaps this one. Those of executions that have ended are given up, so that
    /// such a run must claim its lock anew if it goes on.
    async fn find_other(&self, lock: &LockRecord) -> Result<Option<Holder>, Failure> {
        for other in self.ledger.read_locks(&lock.locked.bucket).await? {
            let is_in_the_way = match other.state {
                LockState::Claimed | LockState::Held => other.locked != lock.locked,
                LockState::Waiting => EventRun::is_one(self.run_id),
                LockState::GivenUp | LockState::Served => false,
            };
            if !is_in_the_way || !other.locked.overlaps(&lock.locked) {
                continue;
            }
            if other.state == LockState::Waiting {
                if turn::still_waits(self.ledger, self.executions, &other).await? {
                    return Ok(Some(Holder::running(other)));
                }
                continue;
            }
            if let Some(holder) = self.holder(&other).await? {
                return Ok(Some(holder));
            }
            let given_up = other.moved(LockState::GivenUp);
            // Refused if it goes on at this very moment.
            if self.ledger.replace_lock(&other, &given_up).await? == PutOutcome::Refused {
                return Ok(Some(Holder::running(other)));
            }
            if let Some(holder) = self.given_back(&other, &given_up).await? {
                return Ok(Some(holder));
            }
            info!({ field::RUN_ID } = %self.run_id, lock.holder = %other.execution_arn, "gave up the lock of an execution that has ended");
        }
        Ok(None)
    }

    /// The run of this lock, as long as others must keep off its target.
    async fn holder(&self, lock: &LockRecord) -> Result<Option<Holder>, Failure> {
        if is_running(self.executions, lock).await? {
            return Ok(Some(Holder::running(lock.clone())));
        }
        self.leased(lock).await
    }

    /// The run of this lock, while a copier of it may write.
    async fn leased(&self, lock: &LockRecord) -> Result<Option<Holder>, Failure> {
        let mut writes_until = None;
        let mut shards = self.ledger.shards(&lock.run_id);
        while let Some(shard) = shards.next().await? {
            let lease_end = shard.lease.map(|lease| lease.expires_at);
            writes_until = writes_until.max(lease_end.filter(|end| *end > self.now));
        }
        Ok(writes_until.map(|until| Holder {
            lock: lock.clone(),
            writes_until: Some(until),
        }))
    }

    /// Gives a lock that was just taken away back, if its run goes on after all: it was redriven, an intake started it, or a
    /// copier claimed a shard, between the question and the write. A copier claims its shard before it asks for the lock, so
    /// either it finds the lock lost, or this finds its lease.
    async fn given_back(
        &self,
        lost: &LockRecord,
        taken: &LockRecord,
    ) -> Result<Option<Holder>, Failure> {
        if lost.state == LockState::GivenUp {
            return Ok(None);
        }
        let holder = match self.executions.state(&lost.execution_arn).await? {
            ExecutionState::Running => Some(Holder::running(lost.clone())),
            ExecutionState::Ended | ExecutionState::Unknown => self.leased(lost).await?,
        };
        if holder.is_some() {
            let given_back = LockRecord {
                revision: taken.revision + 1,
                ..lost.clone()
            };
            let _outcome = self.ledger.replace_lock(taken, &given_back).await?;
        }
        Ok(holder)
    }

    /// Whether this run waits until that holder ends: one that events did not start, for one that they did. It does not wait
    /// for the copiers of one that was stopped, which takes longer than an invocation has.
    fn waits_for(&self, holder: &Holder) -> bool {
        EventRun::is_one(&holder.lock.run_id)
            && !EventRun::is_one(self.run_id)
            && holder.writes_until.is_none()
    }
}

/// `RunOverlap`, naming the run that keeps this one from its target.
#[must_use]
pub fn still_under_way(holder: &Holder) -> Failure {
    let lock = &holder.lock;
    let (run, execution) = (&lock.run_id, &lock.execution_arn);
    let place = format!(
        "s3://{}/{}",
        lock.locked.bucket,
        Printable(lock.locked.prefix.as_str())
    );
    let detail = match holder.writes_until {
        None => format!(
            "run {run} ({execution}), which writes to {place}, is still under way, and this run would write some of the same keys; nothing was changed: wait for it or stop it, then start again"
        ),
        Some(until) => format!(
            "run {run} ({execution}), which writes to {place}, has ended, but one of its copiers may still be working, and this run would write some of the same keys; nothing was changed: start again after {}",
            until.for_people()
        ),
    };
    Failure::new(FailureCode::RunOverlap, detail)
}

fn changes_hands() -> Failure {
    Failure::new(
        FailureCode::RunOverlap,
        "the lock over this target prefix keeps changing hands: several runs to it were started at once",
    )
}
