//! The one function that changes a shard's state.

use super::record::{Lease, OpenUpload, ShardOutcome, ShardRecord, ShardState};
use crate::{
    failure::Failure,
    value::{id::ShardId, time::Timestamp},
};

/// What happens to a shard.
#[derive(Debug, Clone, PartialEq)]
pub enum ShardEvent {
    /// A copier takes it, until its invocation is killed at `expires_at`.
    Claim {
        /// The present instant.
        now: Timestamp,
        /// When the claimer is killed at the latest.
        expires_at: Timestamp,
    },
    /// The copier that holds `token` notes what it settled.
    Checkpoint {
        /// The present instant.
        now: Timestamp,
        /// The fencing token.
        token: u64,
        /// All that is settled so far.
        outcome: ShardOutcome,
    },
    /// The copier that holds `token` stops before its deadline.
    Yield {
        /// The present instant.
        now: Timestamp,
        /// The fencing token.
        token: u64,
        /// All that is settled so far.
        outcome: ShardOutcome,
        /// How many writes S3 took from it. None means that it got nowhere, whatever it was waiting for.
        writes_taken: u64,
    },
    /// The copier that holds `token` cannot go on: something failed that concerns more than one object.
    Stop {
        /// The fencing token.
        token: u64,
        /// All that is settled so far.
        outcome: ShardOutcome,
        /// What failed.
        problem: Failure,
    },
    /// A part shard of it created the one upload that all of them copy into.
    OpenUpload(OpenUpload),
    /// Part shards of it are finished: their parts are there, or the object cannot be copied any more.
    FinishPartShards {
        /// The numbers of the part shards that need not copy (any more).
        numbers: std::ops::Range<u32>,
    },
    /// The copier that holds `token` settled every object.
    Finish {
        /// The present instant.
        now: Timestamp,
        /// The fencing token.
        token: u64,
        /// All that is settled.
        outcome: ShardOutcome,
    },
    /// The reporter offers it again in `round`.
    Reoffer {
        /// The round.
        round: u32,
        /// What stays settled; the objects that may succeed now are open again.
        outcome: ShardOutcome,
    },
}

impl ShardEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "Claim",
            Self::Checkpoint { .. } => "Checkpoint",
            Self::Yield { .. } => "Yield",
            Self::Stop { .. } => "Stop",
            Self::OpenUpload(_) => "OpenUpload",
            Self::FinishPartShards { .. } => "FinishPartShards",
            Self::Finish { .. } => "Finish",
            Self::Reoffer { .. } => "Reoffer",
        }
    }
}

/// An event that a shard in its state cannot take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("shard {shard_id} in state {state:?} cannot take the event {event}: {reason}")]
pub struct IllegalTransition {
    /// The shard.
    pub shard_id: ShardId,
    /// Its state.
    pub state: ShardState,
    /// The event's name.
    pub event: &'static str,
    /// Why not.
    pub reason: &'static str,
}

impl ShardRecord {
    /// The record after `event`; the caller writes it under the condition that the revision is still this record's.
    ///
    /// A claim always succeeds on a shard that is not done: whoever claims later holds the greater token, and
    /// the earlier holder is refused at its next write. So nothing ever waits for a dead copier's lease.
    ///
    /// # Errors
    /// [`IllegalTransition`] for every event that the state does not take.
    pub fn apply(&self, event: ShardEvent) -> Result<Self, IllegalTransition> {
        use ShardState::{Copying, Done, Ready, Yielded};
        let name = event.name();
        let mut next = self.clone();
        next.revision += 1;
        match (self.state, event) {
            (Ready | Yielded | Copying, ShardEvent::Claim { now, expires_at }) => {
                next.state = Copying;
                next.begun_at = self.begun_at.or(Some(now));
                next.attempts += 1;
                // It ended the work of the copier before. What ends this one's is not known yet.
                next.problem = None;
                next.lease = Some(Lease {
                    token: next.revision,
                    expires_at,
                });
            }
            // Only between rounds: no copier runs then, whatever the record says.
            (_, ShardEvent::Reoffer { round, outcome }) => {
                self.reoffer(&mut next, round, outcome)?;
            }
            (Copying, event) => self.take_from_holder(&mut next, event)?,
            (Ready, ShardEvent::OpenUpload(upload)) => {
                if !self.outcome.uploads.is_empty() {
                    return Err(self.illegal(name, "its upload is open already"));
                }
                next.outcome.uploads = vec![upload];
            }
            (Ready, ShardEvent::FinishPartShards { numbers }) => {
                for number in numbers {
                    next.finished_part_shards.settle(number);
                }
            }
            (Done, _) => return Err(self.illegal(name, "it is done")),
            (Ready | Yielded, _) => return Err(self.illegal(name, "no copier holds it")),
        }
        Ok(next)
    }

    /// What a shard takes while a copier holds it.
    fn take_from_holder(
        &self,
        next: &mut Self,
        event: ShardEvent,
    ) -> Result<(), IllegalTransition> {
        let name = event.name();
        match event {
            ShardEvent::Checkpoint {
                now,
                token,
                outcome,
            } => {
                next.outcome = self.settled_further(name, token, outcome)?;
                next.sample(now);
            }
            ShardEvent::Yield {
                now,
                token,
                outcome,
                writes_taken,
            } => {
                next.outcome = self.settled_further(name, token, outcome)?;
                next.sample(now);
                next.idle_yields = match writes_taken {
                    0 => self.idle_yields + 1,
                    _ => 0,
                };
                next.release(ShardState::Yielded);
            }
            ShardEvent::Stop {
                token,
                outcome,
                problem,
            } => {
                next.outcome = self.settled_further(name, token, outcome)?;
                next.problem = Some(problem);
                next.release(ShardState::Yielded);
            }
            ShardEvent::Finish {
                now,
                token,
                outcome,
            } => {
                next.outcome = self.settled_further(name, token, outcome)?;
                if next.outcome.tally.settled_objects() != self.planned.objects {
                    return Err(self.illegal(name, "not every planned object has an outcome"));
                }
                next.problem = None;
                next.idle_yields = 0;
                next.ended_at = Some(now);
                next.release(ShardState::Done);
            }
            ShardEvent::Claim { .. }
            | ShardEvent::OpenUpload(_)
            | ShardEvent::FinishPartShards { .. }
            | ShardEvent::Reoffer { .. } => {
                return Err(self.illegal(name, "a copier holds it"));
            }
        }
        Ok(())
    }

    fn reoffer(
        &self,
        next: &mut Self,
        round: u32,
        outcome: ShardOutcome,
    ) -> Result<(), IllegalTransition> {
        const NAME: &str = "Reoffer";
        if round <= self.round {
            return Err(self.illegal(NAME, "the round is not a later one"));
        }
        next.outcome = self.consistent(NAME, outcome)?;
        next.round = round;
        next.idle_yields = 0;
        next.ended_at = None;
        next.release(ShardState::Ready);
        Ok(())
    }

    /// Notes what is copied by now.
    fn sample(&mut self, now: Timestamp) {
        if let Some(begun_at) = self.begun_at {
            let copied = self.outcome.tally.copied;
            self.samples.note(begun_at, now, copied);
        }
    }

    /// No copier holds the shard any more.
    fn release(&mut self, state: ShardState) {
        self.state = state;
        self.lease = None;
    }

    /// What the holder of `token` reports as settled: never less than before.
    fn settled_further(
        &self,
        event: &'static str,
        token: u64,
        outcome: ShardOutcome,
    ) -> Result<ShardOutcome, IllegalTransition> {
        if self.lease.is_none_or(|lease| lease.token != token) {
            return Err(self.illegal(event, "another copier has taken the shard over"));
        }
        if outcome.progress.settled_count() < self.outcome.progress.settled_count() {
            return Err(self.illegal(event, "fewer objects would be settled than before"));
        }
        self.consistent(event, outcome)
    }

    /// An outcome whose counts and progress map agree.
    fn consistent(
        &self,
        event: &'static str,
        outcome: ShardOutcome,
    ) -> Result<ShardOutcome, IllegalTransition> {
        let settled = outcome.progress.settled_count();
        if settled != outcome.tally.settled_objects() || settled > self.planned.objects {
            return Err(self.illegal(event, "the counts contradict the progress map"));
        }
        Ok(outcome)
    }

    fn illegal(&self, event: &'static str, reason: &'static str) -> IllegalTransition {
        IllegalTransition {
            shard_id: self.shard_id.clone(),
            state: self.state,
            event,
            reason,
        }
    }
}
