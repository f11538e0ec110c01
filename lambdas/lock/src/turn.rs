//! The turn of a run that waits for a run of events to end.
//!
//! Runs of events begin again and again, and the next one may take the lock between two looks of a run that waits. So that
//! run notes beside the lock that it is next. A run of events claims the lock before it reads the records of the bucket,
//! turns among them, and gives it up if a run waits; reads are strongly consistent. So of the runs of events that a run
//! waits for, all but the one that holds the lock when the turn is written are refused: it waits for that one, and for the
//! one before it, at most.

use std::time::Duration;

use shardlift_core::{
    failure::Failure,
    port::{Executions, Ledger, PutOutcome},
    run::lock::{LockRecord, LockSlot, LockState},
};

use crate::running::is_running;

/// How often to look again, and how often at most, while runs of events hold what a run writes, under its own prefix or under
/// others that overlap. An invocation has 15 minutes, and the run must get on in what is left of them.
const EVENT_RUN_WAIT: Duration = Duration::from_secs(1);
const EVENT_RUN_WAITS_MAX: u32 = 600;

/// How long a run has waited for runs of events, and what it has written to say that it is next.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    waits: u32,
    own: Option<LockRecord>,
}

impl Turn {
    /// Whether there is time to look again.
    pub(crate) const fn may_wait(&self) -> bool {
        self.waits < EVENT_RUN_WAITS_MAX
    }

    /// Lets time pass until the next look.
    pub(crate) async fn wait(&mut self) {
        self.waits += 1;
        tokio::time::sleep(EVENT_RUN_WAIT).await;
    }

    /// Notes that a run is next, as `own` says, unless that stands there already, or another run is. Idempotent.
    pub(crate) async fn note<L: Ledger, E: Executions>(
        &mut self,
        ledger: &L,
        executions: &E,
        own: LockRecord,
    ) -> Result<(), Failure> {
        if self.own.is_some() {
            return Ok(());
        }
        let records = ledger.read_locks(&own.locked.bucket).await?;
        let mut records = records.into_iter();
        let found = records
            .find(|record| record.state.slot() == LockSlot::Turn && record.locked == own.locked);
        let is_waiting = |found: &LockRecord| found.state == LockState::Waiting;
        let (outcome, own) = match found {
            None => (ledger.create_lock(&own).await?, own),
            // Of an earlier invocation of this run.
            Some(found) if is_waiting(&found) && found.execution_arn == own.execution_arn => {
                (PutOutcome::Written, found)
            }
            // That run keeps runs of events away for this one, too. When it ends, this one looks again.
            Some(found) if is_waiting(&found) && is_running(executions, &found).await? => {
                return Ok(());
            }
            Some(found) => {
                let own = LockRecord {
                    revision: found.revision + 1,
                    ..own
                };
                (ledger.replace_lock(&found, &own).await?, own)
            }
        };
        // Whoever was faster is next; this run looks again before its next wait.
        self.own = (outcome == PutOutcome::Written).then_some(own);
        Ok(())
    }

    /// Notes that the run does not wait any more, if it noted that it does.
    pub(crate) async fn end<L: Ledger>(self, ledger: &L) -> Result<(), Failure> {
        if let Some(own) = self.own {
            // Refused if another run took this one for ended, and is next itself.
            let _outcome = ledger
                .replace_lock(&own, &own.moved(LockState::Served))
                .await?;
        }
        Ok(())
    }
}

/// Whether the run of this turn still waits. If it has ended, the turn is ended for it.
pub(crate) async fn still_waits<L: Ledger, E: Executions>(
    ledger: &L,
    executions: &E,
    turn: &LockRecord,
) -> Result<bool, Failure> {
    if is_running(executions, turn).await? {
        return Ok(true);
    }
    let served = turn.moved(LockState::Served);
    // Refused if another run is next at this very moment.
    Ok(ledger.replace_lock(turn, &served).await? == PutOutcome::Refused)
}
