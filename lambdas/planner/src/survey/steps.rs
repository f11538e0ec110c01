//! Sending steps off to the control bucket and the ledger, and taking their answers.

use futures::future::FutureExt;
use shardlift_core::{
    failure::Failure,
    port::{Clock, ControlStore, Ledger, PutOutcome, SourceBucket, TargetBucket},
    value::id::RangeId,
};

use super::{Event, Survey, new_range, step_queue};
use crate::commit::{self, StepEnd};

impl<S, T, L, C, K> Survey<'_, S, T, L, C, K>
where
    S: SourceBucket,
    T: TargetBucket,
    L: Ledger,
    C: ControlStore,
    K: Clock,
{
    /// Sends off the manifests whose turn it is, and the next transaction once it is worth one.
    pub(super) fn begin_steps(&mut self) -> Result<(), Failure> {
        let (ledger, control, run) = (self.ledger, self.control, self.run);
        while let Some((number, manifests)) = self.steps.take_manifests() {
            let call = async move {
                let written = commit::put_manifests(control, &run.run_id, manifests).await;
                Event::Manifests(number, written)
            };
            self.in_flight.push(call.boxed());
        }
        let group = self.steps.take_group();
        if !group.is_empty() {
            let stored = |id: &RangeId| self.ranges.get(id).map(|live| &live.record);
            let new = |number, bounds| new_range(run, RangeId::numbered(number), bounds);
            let step = step_queue::records_of(group, stored, new)?;
            let call = async move { Event::Commit(commit::commit(ledger, step).await) };
            self.in_flight.push(call.boxed());
        }
        Ok(())
    }

    /// Takes note of what the ledger answered.
    pub(super) fn take_commit(&mut self, end: StepEnd) -> PutOutcome {
        self.steps.note_commit();
        if end.outcome == PutOutcome::Refused {
            return end.outcome;
        }
        end.ranges
            .into_iter()
            .for_each(|record| self.keep_range(record));
        end.outcome
    }
}
