//! The claim on a shard's record, and every write to it.

use serde::de::DeserializeOwned;
use shardlift_core::{
    documents::{control_key, failure_list, json_lines},
    failure::{Failure, FailureCode, fault::CallFault},
    port::{Clock, ControlStore, Ledger, PutOutcome},
    run::event::CopierEvent,
    shard::{
        OpenUpload, ShardEvent, ShardOutcome, ShardRecord, ShardState, ShardWork,
        settled_objects::SettledObjects,
    },
    value::{deadline::Deadline, tally::RequestCounts},
};

/// How often a claim is tried against other writers of the record before it is called a conflict.
const CLAIMS_MAX: u32 = 5;

/// A shard that this copier holds. Whoever claims it later holds a greater token, and every later write of this copier
/// is refused: it must stop then, whatever it still has in flight.
pub(crate) struct HeldShard<'a, L, C> {
    ledger: &'a L,
    control: &'a C,
    record: ShardRecord,
    token: u64,
    failures_listed: usize,
    notes_listed: usize,
}

/// What the record says beside the account: the requests so far, and the uploads that are open.
pub(crate) struct Footnotes {
    pub(crate) requests: RequestCounts,
    pub(crate) uploads: Vec<OpenUpload>,
}

impl<'a, L: Ledger, C: ControlStore> HeldShard<'a, L, C> {
    /// Claims the shard of the event; nothing when there is nothing to do: every object of it has an outcome already, or
    /// its part shards are under way, of which the last one puts the object together.
    ///
    /// # Errors
    /// `InvariantViolated` when there is no such shard, `LedgerConflict` when others claim it faster, and ledger faults.
    pub(crate) async fn claim(
        ledger: &'a L,
        control: &'a C,
        event: &CopierEvent,
        clock: &impl Clock,
        deadline: Deadline,
    ) -> Result<Option<Self>, Failure> {
        for _ in 0..CLAIMS_MAX {
            let record = ledger
                .read_shard(&event.run_id, &event.shard_id)
                .await
                .map_err(CallFault::into_failure)?
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
            let claimed = record
                .apply(ShardEvent::Claim {
                    now: clock.now(),
                    expires_at: deadline.ends_at(),
                })
                .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
            let written = ledger
                .replace_shard(&claimed)
                .await
                .map_err(CallFault::into_failure)?;
            if let (PutOutcome::Written, Some(lease)) = (written, claimed.lease) {
                return Ok(Some(Self {
                    ledger,
                    control,
                    record: claimed,
                    token: lease.token,
                    failures_listed: 0,
                    notes_listed: 0,
                }));
            }
        }
        Err(conflict(
            event.shard_id.as_str(),
            "others write its record without end",
        ))
    }

    /// The record as this copier wrote it last.
    pub(crate) fn record(&self) -> &ShardRecord {
        &self.record
    }

    /// The account that the copier before left.
    ///
    /// # Errors
    /// `InvariantViolated` when one of its lists is missing or does not fit, and control bucket faults.
    pub(crate) async fn account(&self) -> Result<SettledObjects, Failure> {
        let outcome = self.record.outcome.clone();
        let failed = self.listed(outcome.failures_key.as_deref()).await?;
        let noted = self.listed(outcome.notes_key.as_deref()).await?;
        SettledObjects::resume(outcome, failed, noted)
    }

    async fn listed<T: DeserializeOwned>(&self, key: Option<&str>) -> Result<Vec<T>, Failure> {
        let Some(key) = key else {
            return Ok(Vec::new());
        };
        let bytes = self
            .control
            .get(key)
            .await
            .map_err(CallFault::into_failure)?
            .ok_or_else(|| Failure::invariant(format!("the list {key} is gone")))?;
        json_lines::decode(&bytes)?.collect()
    }

    /// The requests and uploads as the record has them.
    pub(crate) fn footnotes_as_recorded(&self) -> Footnotes {
        Footnotes {
            requests: self.record.outcome.requests.clone(),
            uploads: self.record.outcome.uploads.clone(),
        }
    }

    /// Notes what is settled so far.
    pub(crate) async fn checkpoint(
        &mut self,
        account: &SettledObjects,
        notes: Footnotes,
    ) -> Result<(), Failure> {
        let outcome = self.outcome(account, notes).await?;
        let token = self.token;
        self.write(ShardEvent::Checkpoint { token, outcome }).await
    }

    /// Gives the shard back before the deadline.
    pub(crate) async fn give_back(
        mut self,
        account: &SettledObjects,
        notes: Footnotes,
        writes_taken: u64,
    ) -> Result<(), Failure> {
        let outcome = self.outcome(account, notes).await?;
        let token = self.token;
        self.write(ShardEvent::Yield {
            token,
            outcome,
            writes_taken,
        })
        .await
    }

    /// Gives the shard back because of `problem`, which concerns more than one object.
    pub(crate) async fn stop(
        mut self,
        account: &SettledObjects,
        notes: Footnotes,
        problem: Failure,
    ) -> Result<(), Failure> {
        let outcome = self.outcome(account, notes).await?;
        let token = self.token;
        self.write(ShardEvent::Stop {
            token,
            outcome,
            problem,
        })
        .await
    }

    /// Settles the shard for good.
    pub(crate) async fn finish(
        mut self,
        account: &SettledObjects,
        notes: Footnotes,
        clock: &impl Clock,
    ) -> Result<(), Failure> {
        let outcome = self.outcome(account, notes).await?;
        let token = self.token;
        let now = clock.now();
        self.write(ShardEvent::Finish {
            now,
            token,
            outcome,
        })
        .await
    }

    /// The outcome to record; its lists are written first, under this holder's own name, so that no record ever points
    /// to a list that another holder may still write.
    async fn outcome(
        &mut self,
        account: &SettledObjects,
        notes: Footnotes,
    ) -> Result<ShardOutcome, Failure> {
        let (run_id, shard_id) = (&self.record.run_id, &self.record.shard_id);
        let failures_key = control_key::failures(run_id, shard_id, self.token);
        let notes_key = control_key::notes(run_id, shard_id, self.token);
        let (failed, noted) = (account.failures().len(), account.notes().len());
        if failed > self.failures_listed {
            let list = failure_list::encode(account.failures())?;
            self.put_list(&failures_key, list).await?;
            self.failures_listed = failed;
        }
        if noted > self.notes_listed {
            let list = json_lines::encode(account.notes())?;
            self.put_list(&notes_key, list).await?;
            self.notes_listed = noted;
        }
        let mut outcome = account.outcome().clone();
        outcome.failures_key = (failed > 0).then_some(failures_key);
        outcome.notes_key = (noted > 0).then_some(notes_key);
        outcome.requests = notes.requests;
        outcome.uploads = notes.uploads;
        Ok(outcome)
    }

    async fn put_list(&self, key: &str, list: Vec<u8>) -> Result<(), Failure> {
        self.control
            .put(key, "application/zstd", list)
            .await
            .map_err(CallFault::into_failure)
    }

    async fn write(&mut self, event: ShardEvent) -> Result<(), Failure> {
        let shard = self.record.shard_id.as_str();
        let next = self
            .record
            .apply(event)
            .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
        match self
            .ledger
            .replace_shard(&next)
            .await
            .map_err(CallFault::into_failure)?
        {
            PutOutcome::Written => {
                self.record = next;
                Ok(())
            }
            PutOutcome::Refused => Err(conflict(shard, "another copier has taken it over")),
        }
    }
}

/// Not a yield: the copier that took over answers for the shard, and two callers that both ask again would take it from
/// each other for ever.
fn conflict(shard: &str, problem: &str) -> Failure {
    Failure::new(
        FailureCode::LedgerConflict,
        format!("shard {shard}: {problem}; what this copier noted before stays"),
    )
}
