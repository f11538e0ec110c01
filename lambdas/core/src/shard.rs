//! A bounded piece of work, and the one function that changes its state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    failure::Failure,
    id::{RunId, ShardId, UploadId},
    progress::ProgressMap,
    run::LEDGER_VERSION,
    tally::{Count, RequestCounts, Tally},
    time::Timestamp,
};

/// What a shard's copier does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShardWork {
    /// Copies the objects of the manifest.
    CopyObjects,
    /// Deletes the objects of the manifest, which names them at the target.
    DeleteObjects,
    /// Copies a run of parts of one very large object, whose own record is the shard's [`ShardId::whole`].
    CopyParts {
        /// The number of its first part.
        first_part: u32,
        /// The number of its last part.
        last_part: u32,
    },
    /// Puts the parts of one very large object together, once all of its part shards are through.
    AssembleObject {
        /// How many part shards it has.
        part_shards: u32,
    },
}

/// Where a shard is between planned and done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ShardState {
    /// Waiting for a copier.
    Ready,
    /// A copier holds its lease.
    Copying,
    /// Its copier stopped before the deadline; the next invocation goes on.
    Yielded,
    /// Every object has an outcome.
    Done,
}

/// A copier's hold on a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The fencing token: greater with every claim, so that a copier that lost the shard is refused.
    pub token: u64,
    /// When its invocation is killed at the latest.
    pub expires_at: Timestamp,
}

/// What became of the objects of a shard so far.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ShardOutcome {
    /// The objects that are settled, by their position in the manifest.
    pub progress: ProgressMap,
    /// Their counts.
    pub tally: Tally,
    /// How many of the failed objects may succeed in another round.
    pub retryable: u64,
    /// Where the list of failed objects lies in the control bucket; absent when none failed.
    pub failures_key: Option<String>,
    /// What there is to say of copied objects, counted by the word for it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<String, u64>,
    /// Where the list of those objects lies in the control bucket; absent when there is nothing to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remarks_key: Option<String>,
    /// Requests made so far.
    pub requests: RequestCounts,
    /// Multipart uploads of this shard that are neither completed nor aborted (P8): the next holder goes on with them,
    /// and the reporter aborts them when the run gives up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub uploads: Vec<OpenUpload>,
}

/// A multipart upload under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenUpload {
    /// The object's position in the manifest.
    pub index: u32,
    /// The upload.
    pub upload_id: UploadId,
}

/// The ledger's record of a shard: kept within one DynamoDB write unit (1 KB) in the ordinary case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ShardRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The shard.
    pub shard_id: ShardId,
    /// What its copier does.
    pub work: ShardWork,
    /// The planned objects and bytes.
    pub planned: Count,
    /// Where it is.
    pub state: ShardState,
    /// How often it was claimed.
    pub attempts: u32,
    /// The round in which it was last offered.
    pub round: u32,
    /// Who works on it.
    pub lease: Option<Lease>,
    /// What became of its objects so far.
    #[serde(flatten)]
    pub outcome: ShardOutcome,
    /// Of an object that is put together: the part shards that are through, by their numbers.
    #[serde(default, skip_serializing_if = "ProgressMap::is_empty")]
    pub parts_through: ProgressMap,
    /// How many invocations in a row gave it back without S3 having taken a single write.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub idle_yields: u32,
    /// When a copier first claimed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begun_at: Option<Timestamp>,
    /// When its last object got its outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What ended the last copier's work before its time, for example a role that cannot be assumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Failure>,
    /// When it can be forgotten, in seconds since the epoch (DynamoDB's TTL).
    pub expires_at: i64,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

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
        /// The fencing token.
        token: u64,
        /// All that is settled so far.
        outcome: ShardOutcome,
    },
    /// The copier that holds `token` stops before its deadline.
    Yield {
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
    OpenUpload {
        /// The upload.
        upload_id: UploadId,
    },
    /// A part shard of it is through: its parts are there, or the object cannot be copied any more.
    ClosePartShards {
        /// The numbers of the part shards that need not copy (any more).
        through: std::ops::Range<u32>,
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
    /// A new shard, waiting for a copier in the first round.
    #[must_use]
    pub fn ready(
        run_id: RunId,
        shard_id: ShardId,
        work: ShardWork,
        planned: Count,
        expires_at: i64,
    ) -> Self {
        Self {
            schema_version: LEDGER_VERSION,
            run_id,
            shard_id,
            work,
            planned,
            state: ShardState::Ready,
            attempts: 0,
            round: 1,
            lease: None,
            outcome: ShardOutcome::default(),
            parts_through: ProgressMap::default(),
            idle_yields: 0,
            begun_at: None,
            ended_at: None,
            problem: None,
            expires_at,
            revision: 1,
        }
    }

    /// The record after `event`; the caller writes it under the condition that the revision is still this record's.
    ///
    /// A claim always succeeds on a shard that is not done: whoever claims later holds the greater token, and
    /// the earlier holder is refused at its next write. So nothing ever waits for a dead copier's lease.
    ///
    /// # Errors
    /// [`IllegalTransition`] for everything that is not in the table below.
    pub fn apply(&self, event: ShardEvent) -> Result<Self, IllegalTransition> {
        use ShardState::{Copying, Done, Ready, Yielded};
        let mut next = self.clone();
        next.revision += 1;
        match (self.state, event) {
            (Ready | Yielded | Copying, ShardEvent::Claim { now, expires_at }) => {
                next.state = Copying;
                next.begun_at = self.begun_at.or(Some(now));
                next.attempts += 1;
                next.lease = Some(Lease {
                    token: self.revision + 1,
                    expires_at,
                });
            }
            (Copying, ShardEvent::Checkpoint { token, outcome }) => {
                self.check_token(token, "Checkpoint")?;
                next.outcome = self.settled_further(outcome, "Checkpoint")?;
            }
            (
                Copying,
                ShardEvent::Yield {
                    token,
                    outcome,
                    writes_taken,
                },
            ) => {
                self.check_token(token, "Yield")?;
                next.idle_yields = if writes_taken == 0 {
                    self.idle_yields + 1
                } else {
                    0
                };
                next.outcome = self.settled_further(outcome, "Yield")?;
                next.state = Yielded;
                next.lease = None;
            }
            (
                Copying,
                ShardEvent::Stop {
                    token,
                    outcome,
                    problem,
                },
            ) => {
                self.check_token(token, "Stop")?;
                next.outcome = self.settled_further(outcome, "Stop")?;
                next.state = Yielded;
                next.lease = None;
                next.problem = Some(problem);
            }
            (
                Copying,
                ShardEvent::Finish {
                    now,
                    token,
                    outcome,
                },
            ) => {
                self.check_token(token, "Finish")?;
                if outcome.tally.settled_objects() != self.planned.objects {
                    return Err(self.illegal("Finish", "not every planned object has an outcome"));
                }
                next.outcome = self.settled_further(outcome, "Finish")?;
                next.state = Done;
                next.lease = None;
                next.ended_at = Some(now);
                next.problem = None;
                next.idle_yields = 0;
            }
            (Ready, ShardEvent::OpenUpload { upload_id }) => {
                if !self.outcome.uploads.is_empty() {
                    return Err(self.illegal("OpenUpload", "its upload is open already"));
                }
                next.outcome.uploads = vec![OpenUpload {
                    index: 0,
                    upload_id,
                }];
            }
            (Ready, ShardEvent::ClosePartShards { through }) => {
                for number in through {
                    next.parts_through.settle(number);
                }
            }
            // Only between rounds: no copier runs then, whatever the record says.
            (Ready | Yielded | Copying | Done, ShardEvent::Reoffer { round, outcome }) => {
                if round <= self.round {
                    return Err(self.illegal("Reoffer", "the round is not a later one"));
                }
                next.outcome = self.consistent(outcome, "Reoffer")?;
                next.state = Ready;
                next.round = round;
                next.lease = None;
                next.idle_yields = 0;
                next.ended_at = None;
            }
            (state, event) => {
                let reason = match state {
                    Done => "it is done",
                    Copying => "a copier holds it",
                    Ready | Yielded => "no copier holds it",
                };
                return Err(self.illegal(event.name(), reason));
            }
        }
        Ok(next)
    }

    /// Whether an object in part shards can be put together: each of them is through.
    #[must_use]
    pub fn is_ready_to_assemble(&self) -> bool {
        matches!(self.work, ShardWork::AssembleObject { part_shards }
            if self.parts_through.settled_count() >= u64::from(part_shards))
    }

    fn check_token(&self, token: u64, event: &'static str) -> Result<(), IllegalTransition> {
        if self.lease.is_some_and(|lease| lease.token == token) {
            Ok(())
        } else {
            Err(self.illegal(event, "another copier has taken the shard over"))
        }
    }

    fn settled_further(
        &self,
        outcome: ShardOutcome,
        event: &'static str,
    ) -> Result<ShardOutcome, IllegalTransition> {
        if outcome.progress.settled_count() < self.outcome.progress.settled_count() {
            return Err(self.illegal(event, "fewer objects would be settled than before"));
        }
        self.consistent(outcome, event)
    }

    fn consistent(
        &self,
        outcome: ShardOutcome,
        event: &'static str,
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

impl ShardEvent {
    fn name(&self) -> &'static str {
        match self {
            Self::Claim { .. } => "Claim",
            Self::Checkpoint { .. } => "Checkpoint",
            Self::Yield { .. } => "Yield",
            Self::Stop { .. } => "Stop",
            Self::OpenUpload { .. } => "OpenUpload",
            Self::ClosePartShards { .. } => "ClosePartShards",
            Self::Finish { .. } => "Finish",
            Self::Reoffer { .. } => "Reoffer",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureCode;

    fn shard(objects: u64) -> ShardRecord {
        ShardRecord::ready(
            RunId::new("run").unwrap(),
            ShardId::new("r0-1").unwrap(),
            ShardWork::CopyObjects,
            Count {
                objects,
                bytes: objects,
            },
            0,
        )
    }

    fn claim(shard: &ShardRecord) -> (ShardRecord, u64) {
        let claimed = shard
            .apply(ShardEvent::Claim {
                now: Timestamp::default(),
                expires_at: Timestamp::from_millis(1),
            })
            .unwrap();
        let token = claimed.lease.unwrap().token;
        (claimed, token)
    }

    fn copied(indices: std::ops::Range<u32>) -> ShardOutcome {
        let mut outcome = ShardOutcome::default();
        for index in indices {
            outcome.progress.settle(index);
            outcome.tally.copied.add_object(1);
        }
        outcome
    }

    #[test]
    fn a_shard_is_claimed_yielded_claimed_and_finished() {
        let (claimed, token) = claim(&shard(2));
        let yielded = claimed
            .apply(ShardEvent::Yield {
                token,
                outcome: copied(0..1),
                writes_taken: 1,
            })
            .unwrap();
        assert_eq!((yielded.state, yielded.lease), (ShardState::Yielded, None));
        let (claimed, token) = claim(&yielded);
        let done = claimed
            .apply(ShardEvent::Finish {
                now: Timestamp::default(),
                token,
                outcome: copied(0..2),
            })
            .unwrap();
        assert_eq!((done.state, done.attempts), (ShardState::Done, 2));
        assert!(
            done.apply(ShardEvent::Claim {
                now: Timestamp::default(),
                expires_at: Timestamp::default()
            })
            .is_err()
        );
    }

    #[test]
    fn a_copier_that_lost_its_shard_is_refused() {
        let (first, lost) = claim(&shard(2));
        let (second, held) = claim(&first);
        assert!(held > lost);
        assert!(
            second
                .apply(ShardEvent::Checkpoint {
                    token: lost,
                    outcome: copied(0..1)
                })
                .is_err()
        );
        assert!(
            second
                .apply(ShardEvent::Checkpoint {
                    token: held,
                    outcome: copied(0..1)
                })
                .is_ok()
        );
    }

    #[test]
    fn nothing_is_finished_without_an_outcome_for_every_object() {
        let (claimed, token) = claim(&shard(2));
        assert!(
            claimed
                .apply(ShardEvent::Finish {
                    now: Timestamp::default(),
                    token,
                    outcome: copied(0..1)
                })
                .is_err()
        );
        let mut twice = copied(0..1);
        twice.tally.copied.add_object(1);
        assert!(
            claimed
                .apply(ShardEvent::Finish {
                    now: Timestamp::default(),
                    token,
                    outcome: twice
                })
                .is_err(),
            "counted twice is not settled twice"
        );
    }

    #[test]
    fn settled_objects_are_never_unsettled_by_a_copier() {
        let (claimed, token) = claim(&shard(3));
        let checkpointed = claimed
            .apply(ShardEvent::Checkpoint {
                token,
                outcome: copied(0..2),
            })
            .unwrap();
        assert!(
            checkpointed
                .apply(ShardEvent::Checkpoint {
                    token,
                    outcome: copied(0..1)
                })
                .is_err()
        );
    }

    #[test]
    fn invocations_that_got_nowhere_are_counted_until_one_gets_somewhere() {
        let mut record = shard(2);
        for (writes_taken, expected) in [(0, 1), (0, 2), (1, 0), (0, 1)] {
            let (claimed, token) = claim(&record);
            let outcome = ShardOutcome::default();
            let event = ShardEvent::Yield {
                token,
                outcome,
                writes_taken,
            };
            record = claimed.apply(event).unwrap();
            assert_eq!(record.idle_yields, expected);
        }
    }

    #[test]
    fn only_a_later_round_offers_a_shard_again() {
        let (claimed, token) = claim(&shard(1));
        let mut failed = ShardOutcome::default();
        failed.progress.settle(0);
        failed.tally.failed.add_object(FailureCode::Throttled, 1);
        failed.retryable = 1;
        let done = claimed
            .apply(ShardEvent::Finish {
                now: Timestamp::default(),
                token,
                outcome: failed,
            })
            .unwrap();
        assert!(
            done.apply(ShardEvent::Reoffer {
                round: 1,
                outcome: ShardOutcome::default()
            })
            .is_err()
        );
        let again = done
            .apply(ShardEvent::Reoffer {
                round: 2,
                outcome: ShardOutcome::default(),
            })
            .unwrap();
        assert_eq!((again.state, again.round), (ShardState::Ready, 2));
    }

    #[test]
    fn every_event_but_a_claim_and_an_offer_needs_a_copier() {
        let ready = shard(1);
        for event in [
            ShardEvent::Checkpoint {
                token: 1,
                outcome: copied(0..1),
            },
            ShardEvent::Yield {
                token: 1,
                outcome: copied(0..1),
                writes_taken: 1,
            },
            ShardEvent::Finish {
                now: Timestamp::default(),
                token: 1,
                outcome: copied(0..1),
            },
        ] {
            assert!(ready.apply(event).is_err());
        }
    }

    #[test]
    fn an_ordinary_record_fits_one_write_unit() {
        let record = shard(10_000);
        assert!(
            serde_json::to_string(&record).unwrap().len() < 1_300,
            "JSON's punctuation is not stored"
        );
        let back: ShardRecord =
            serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(back, record);
    }
}
