//! The record of a claimed shard, and every write to it.

use shardlift_core::{
    failure::{Failure, FailureCode},
    port::{Clock, Ledger, PutOutcome},
    run::event::WorkerEvent,
    shard::{ShardEvent, ShardRecord, ShardState, ShardWork},
    value::deadline::Deadline,
};

use crate::ports::{Connections, Ports};

/// How often a claim is attempted against other writers of the record before it is called a conflict.
const CLAIMS_MAX: u32 = 5;

/// The record of a shard that this copier holds. Whoever claims it later holds a greater token, and every later write of
/// this copier is refused: it must stop then, whatever it still has in flight.
pub(super) struct ClaimedRecord<'a, P: Ports> {
    ledger: &'a P::Ledger,
    record: ShardRecord,
    token: u64,
}

impl<'a, P: Ports> ClaimedRecord<'a, P> {
    /// Claims the shard of the event; nothing when there is nothing to do: every object of it has an outcome already, or
    /// its part shards are under way, and the last of them will assemble the object.
    ///
    /// # Errors
    /// `InvariantViolated` when there is no such shard, `LedgerConflict` when others claim it faster, and ledger faults.
    pub(super) async fn claim(
        ports: &'a Connections<P>,
        event: &WorkerEvent,
        deadline: Deadline,
    ) -> Result<Option<Self>, Failure> {
        let ledger = &ports.ledger;
        for _ in 0..CLAIMS_MAX {
            let record = ledger
                .read_shard(&event.run_id, &event.shard_id)
                .await?
                .ok_or_else(|| {
                    Failure::invariant(format!(
                        "the ledger has no shard {} of run {}",
                        event.shard_id, event.run_id
                    ))
                })?;
            let is_waiting = matches!(record.work, ShardWork::AssembleObject { .. })
                && !record.is_ready_to_assemble();
            if record.state == ShardState::Done || is_waiting {
                return Ok(None);
            }
            let claimed = apply(
                &record,
                ShardEvent::Claim {
                    now: ports.clock.now(),
                    expires_at: deadline.ends_at(),
                },
            )?;
            let written = ledger.replace_shard(&claimed).await?;
            if let (PutOutcome::Written, Some(lease)) = (written, claimed.lease) {
                return Ok(Some(Self {
                    ledger,
                    record: claimed,
                    token: lease.token,
                }));
            }
        }
        Err(conflict(
            event.shard_id.as_str(),
            "others write its record without end",
        ))
    }

    /// The record as this copier wrote it last.
    pub(super) fn record(&self) -> &ShardRecord {
        &self.record
    }

    /// The fencing token of this claim.
    pub(super) fn token(&self) -> u64 {
        self.token
    }

    /// Writes the record after `event`.
    ///
    /// # Errors
    /// `LedgerConflict` when another copier has taken the shard over, `InvariantViolated` when the event does not fit the
    /// record, and ledger faults.
    pub(super) async fn write(&mut self, event: ShardEvent) -> Result<(), Failure> {
        let next = apply(&self.record, event)?;
        match self.ledger.replace_shard(&next).await? {
            PutOutcome::Written => {
                self.record = next;
                Ok(())
            }
            PutOutcome::Refused => Err(conflict(
                self.record.shard_id.as_str(),
                "another copier has taken it over",
            )),
        }
    }

    /// The record as the ledger has it now, which another copier may have written.
    pub(super) async fn reread(&self) -> Result<Option<ShardRecord>, Failure> {
        let (run_id, shard_id) = (&self.record.run_id, &self.record.shard_id);
        Ok(self.ledger.read_shard(run_id, shard_id).await?)
    }
}

fn apply(record: &ShardRecord, event: ShardEvent) -> Result<ShardRecord, Failure> {
    record
        .apply(event)
        .map_err(|illegal| Failure::invariant(illegal.to_string()))
}

/// Not a yield: the copier that took over is responsible for the shard now, and two callers that are both invoked again
/// would take it from each other for ever.
fn conflict(shard: &str, problem: &str) -> Failure {
    Failure::new(
        FailureCode::LedgerConflict,
        format!("shard {shard}: {problem}; what this copier recorded before stays"),
    )
}
