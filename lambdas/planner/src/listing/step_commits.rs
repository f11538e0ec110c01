//! Sending steps to the control bucket and the ledger, and noting their responses.

use futures::future::FutureExt;
use shardlift_core::{failure::Failure, port::PutOutcome, value::id::RangeId};

use super::{
    listing_loop::{Event, ListingLoop},
    step_queue,
};
use crate::{
    ports::Ports,
    records::{CommittedStep, commit, new_range, put_lists},
};

impl<P: Ports> ListingLoop<'_, P> {
    /// Sends the manifests whose turn it is, and the next transaction once enough steps wait.
    pub(super) fn begin_steps(&mut self) -> Result<(), Failure> {
        let (ledger, control, run) = (self.ledger, self.control, self.run);
        while let Some((number, manifests)) = self.steps.take_lists() {
            let call = async move {
                let written = put_lists(control, &run.run_id, manifests).await;
                Event::Lists(number, written)
            };
            self.in_flight.push(call.boxed());
        }
        let group = self.steps.take_group();
        if !group.is_empty() {
            let stored = |id: &RangeId| self.ranges.get(id).map(|live| &live.record);
            let new = |number, bounds| new_range(run, RangeId::numbered(number), bounds);
            let step = step_queue::records_of(group, stored, new)?;
            let call = async move { Event::Committed(commit(ledger, step).await) };
            self.in_flight.push(call.boxed());
        }
        Ok(())
    }

    /// Notes the response of the ledger.
    pub(super) fn take_commit(&mut self, end: CommittedStep) -> PutOutcome {
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
