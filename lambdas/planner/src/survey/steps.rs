//! Sending steps off to the control bucket and the ledger, and taking their answers.

use futures::future::FutureExt;
use shardlift_core::{
    failure::Failure,
    port::{BucketListing, Clock, ControlStore, Ledger, PutOutcome},
};

use super::{
    Event, Survey,
    live_range::LiveRange,
    step_queue::{self, GROUP_SHARDS_MIN},
};
use crate::commit::{self, StepEnd};

impl<S, T, L, C, K> Survey<'_, S, T, L, C, K>
where
    S: BucketListing,
    T: BucketListing,
    L: Ledger,
    C: ControlStore,
    K: Clock,
{
    /// Sends off the manifests whose turn it is, and the next transaction once it is worth one; when stopping, every one is.
    pub(super) fn begin_steps(&mut self, is_stopping: bool) -> Result<(), Failure> {
        let (ledger, control, run) = (self.ledger, self.control, self.run);
        while let Some((number, manifests)) = self.steps.take_manifests() {
            let call = async move {
                let written = commit::put_manifests(control, &run.run_id, manifests).await;
                Event::Manifests(number, written)
            };
            self.in_flight.push(call.boxed());
        }
        let shards_min = if is_stopping { 0 } else { GROUP_SHARDS_MIN };
        let group = self.steps.take_group(shards_min);
        if !group.is_empty() {
            let step = step_queue::records_of(group, run, &self.ranges)?;
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
        for record in end.ranges {
            match self.ranges.get_mut(&record.range_id) {
                Some(live) => {
                    live.is_splitting &= live.record.bounds == record.bounds;
                    live.record = record;
                }
                None => {
                    let live = LiveRange::new(record, self.rules);
                    self.ranges.insert(live.record.range_id.clone(), live);
                }
            }
        }
        end.outcome
    }
}
