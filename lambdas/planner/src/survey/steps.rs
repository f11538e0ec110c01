//! The way of shards and ranges into the ledger: many steps at once, those of one range one after the other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::future::FutureExt;
use shardlift_core::{
    copy::part_shards,
    failure::Failure,
    id::{RangeId, ShardId},
    key::RelativeKey,
    plan::{PlannedWork, ShardDraft},
    port::{BucketListing, Clock, ControlStore, Ledger, PlanStep, PutOutcome},
    range::{Checkpoint, KeyRange, RangeState},
    run::RunRecord,
    shard::{ShardRecord, ShardWork},
};

use super::{
    Event, Survey,
    live_range::{LiveRange, new_range},
};
use crate::commit::{self, EncodedManifest, PendingStep, StepEnd};

/// How many steps may wait for the ledger before listing pauses: at some 250 KB each they stay within 4 MB.
const STEPS_WAITING_MAX: usize = 16;
/// How many steps are on their way at once: 16 shards in 100 ms are 1,600,000 keys a second.
const STEPS_AT_ONCE_MAX: usize = 16;

/// What a step changes about ranges.
#[derive(Debug)]
enum RangeChange {
    /// They are accounted for up to these checkpoints; true where the range ends.
    Advance(BTreeMap<RangeId, (Checkpoint, bool)>),
    /// One of them is split at these keys, in order; the new ranges are numbered from `first_number`.
    Split {
        range_id: RangeId,
        cuts: Vec<RelativeKey>,
        first_number: u32,
    },
}

#[derive(Debug)]
struct QueuedStep {
    manifests: Vec<EncodedManifest>,
    shards: Vec<ShardRecord>,
    change: RangeChange,
}

/// Steps that wait, and those on their way.
#[derive(Debug)]
pub(super) struct StepQueue {
    invocation: u64,
    waiting: VecDeque<QueuedStep>,
    /// Ranges that a step on its way changes.
    being_written: BTreeSet<RangeId>,
    on_their_way: usize,
    shards_begun: u64,
}

impl StepQueue {
    pub(super) fn new(run: &RunRecord) -> Self {
        Self {
            invocation: run.revision,
            waiting: VecDeque::new(),
            being_written: BTreeSet::new(),
            on_their_way: 0,
            shards_begun: 0,
        }
    }

    /// Whether nothing waits and nothing is on its way.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.on_their_way == 0
    }

    /// Whether listing should pause until the ledger has caught up.
    pub(super) fn is_backed_up(&self) -> bool {
        self.waiting.len() >= STEPS_WAITING_MAX
    }

    /// How many shards this invocation began.
    pub(super) fn shards_begun(&self) -> u64 {
        self.shards_begun
    }

    /// Encodes a draft and queues it.
    pub(super) fn add_draft(&mut self, run: &RunRecord, draft: &ShardDraft) -> Result<(), Failure> {
        let mut manifests = Vec::new();
        let mut shards = Vec::new();
        let (copies, deletes) = (draft.copy_work(), draft.delete_work());
        if copies.count.objects > 0 {
            let shard_id = self.next_shard_id()?;
            let bytes = draft.encode_copies(&run.run_id, &shard_id)?;
            shards.extend(copy_shards(run, &shard_id, &copies));
            manifests.push(EncodedManifest { shard_id, bytes });
        }
        if deletes.count.objects > 0 {
            let shard_id = self.next_shard_id()?;
            let bytes = draft.encode_deletes(&run.run_id, &shard_id)?;
            shards.push(ready(run, &shard_id, ShardWork::DeleteObjects, &deletes));
            manifests.push(EncodedManifest { shard_id, bytes });
        }
        self.waiting.push_back(QueuedStep {
            manifests,
            shards,
            change: RangeChange::Advance(draft.ranges()),
        });
        Ok(())
    }

    /// Queues a split.
    pub(super) fn add_split(
        &mut self,
        range_id: RangeId,
        cuts: Vec<RelativeKey>,
        first_number: u32,
    ) {
        self.waiting.push_back(QueuedStep {
            manifests: Vec::new(),
            shards: Vec::new(),
            change: RangeChange::Split {
                range_id,
                cuts,
                first_number,
            },
        });
    }

    /// Takes out every waiting step none of whose ranges is being written or waits in a step before it.
    fn take_free(&mut self) -> Vec<QueuedStep> {
        let mut taken = self.being_written.clone();
        let mut free = Vec::new();
        let mut waiting = VecDeque::new();
        for step in std::mem::take(&mut self.waiting) {
            let ids = step.change.range_ids();
            let is_free =
                ids.iter().all(|id| !taken.contains(id)) && self.on_their_way < STEPS_AT_ONCE_MAX;
            taken.extend(ids.iter().cloned());
            if is_free {
                self.on_their_way += 1;
                self.being_written.extend(ids);
                free.push(step);
            } else {
                waiting.push_back(step);
            }
        }
        self.waiting = waiting;
        free
    }

    fn next_shard_id(&mut self) -> Result<ShardId, Failure> {
        self.shards_begun += 1;
        ShardId::new(format!("{}-{}", self.invocation, self.shards_begun))
            .map_err(|error| Failure::invariant(error.to_string()))
    }
}

impl RangeChange {
    fn range_ids(&self) -> Vec<RangeId> {
        match self {
            Self::Advance(ends) => ends.keys().cloned().collect(),
            Self::Split { range_id, .. } => vec![range_id.clone()],
        }
    }
}

impl QueuedStep {
    /// The records of the step, from the ranges as they stand now.
    fn settle(
        self,
        run: &RunRecord,
        ranges: &BTreeMap<RangeId, LiveRange>,
    ) -> Result<PendingStep, Failure> {
        let stored = |range_id: &RangeId| {
            ranges
                .get(range_id)
                .map(|live| live.record.clone())
                .ok_or_else(|| Failure::invariant(format!("range {range_id} is unknown")))
        };
        let mut step = PlanStep {
            shards: self.shards,
            ..PlanStep::default()
        };
        match self.change {
            RangeChange::Advance(ends) => {
                for (range_id, (checkpoint, is_end)) in ends {
                    let mut record = stored(&range_id)?;
                    record.checkpoint = Some(checkpoint);
                    record.revision += 1;
                    if is_end {
                        record.state = RangeState::Done;
                    }
                    step.ranges.push(record);
                }
            }
            RangeChange::Split {
                range_id,
                cuts,
                first_number,
            } => {
                let mut record = stored(&range_id)?;
                let pieces = split(&record.bounds, cuts)?;
                record.revision += 1;
                record.bounds = pieces.0;
                step.new_ranges = (first_number..)
                    .zip(pieces.1)
                    .map(|(number, bounds)| new_range(run, RangeId::numbered(number), bounds))
                    .collect();
                step.ranges = vec![record];
            }
        }
        Ok(PendingStep {
            manifests: self.manifests,
            step,
        })
    }
}

/// What is left of a range that is split at keys in order, and the new ranges.
fn split(bounds: &KeyRange, cuts: Vec<RelativeKey>) -> Result<(KeyRange, Vec<KeyRange>), Failure> {
    let mut pieces = Vec::new();
    let mut rest = bounds.clone();
    for cut in cuts {
        let (left, right) = rest
            .split(cut)
            .ok_or_else(|| Failure::invariant(format!("{bounds:?} cannot be split there")))?;
        pieces.push(left);
        rest = right;
    }
    pieces.push(rest);
    let first = pieces.remove(0);
    Ok((first, pieces))
}

pub(crate) fn ready(
    run: &RunRecord,
    id: &ShardId,
    work: ShardWork,
    planned: &PlannedWork,
) -> ShardRecord {
    ShardRecord::ready(
        run.run_id.clone(),
        id.clone(),
        work,
        planned.count,
        run.expires_at,
    )
}

/// One shard of objects; or, for one object too large for one copier, its whole and its part shards.
pub(crate) fn copy_shards(
    run: &RunRecord,
    id: &ShardId,
    planned: &PlannedWork,
) -> Vec<ShardRecord> {
    let records = (planned.count.objects == 1)
        .then(|| {
            let size_bytes = planned.count.bytes;
            let part_bytes = run.spec.part_bytes;
            part_shards::cut(&run.run_id, id, size_bytes, part_bytes, run.expires_at).ok()
        })
        .flatten()
        .flatten();
    // An object that no layout holds is an ordinary shard: its copier reports it.
    records.unwrap_or_else(|| vec![ready(run, id, ShardWork::CopyObjects, planned)])
}

impl<S, T, L, C, K> Survey<'_, S, T, L, C, K>
where
    S: BucketListing,
    T: BucketListing,
    L: Ledger,
    C: ControlStore,
    K: Clock,
{
    /// Sends every step off whose turn it is.
    pub(super) fn begin_steps(&mut self) -> Result<(), Failure> {
        for queued in self.steps.take_free() {
            let pending = queued.settle(self.run, &self.ranges)?;
            let (ledger, control, run) = (self.ledger, self.control, self.run);
            let call = async move {
                Event::Step(commit::write(ledger, control, &run.run_id, pending).await)
            };
            self.in_flight.push(call.boxed());
        }
        Ok(())
    }

    /// Takes note of a step that the ledger answered.
    pub(super) fn take_step_end(&mut self, end: StepEnd) -> PutOutcome {
        self.manifests += end.manifests;
        self.steps.on_their_way -= 1;
        for record in end.ranges {
            self.steps.being_written.remove(&record.range_id);
            if end.outcome == PutOutcome::Refused {
                continue;
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_split_tile_what_was_split() {
        let key = |text: &str| RelativeKey::new(text).unwrap();
        let bounds = KeyRange {
            after: Some(key("b")),
            until: Some(key("y")),
        };
        let (first, rest) = split(&bounds, vec![key("d"), key("m"), key("x")]).unwrap();
        let pieces: Vec<KeyRange> = [first].into_iter().chain(rest).collect();
        assert_eq!(pieces.len(), 4);
        for text in ["b", "c", "d", "d\u{0}", "m", "n", "x", "y", "z"] {
            let holders = pieces.iter().filter(|piece| piece.contains(text)).count();
            assert_eq!(holders, usize::from(bounds.contains(text)), "{text:?}");
        }
        assert!(split(&bounds, vec![key("m"), key("d")]).is_err());
        assert!(split(&bounds, vec![key("y")]).is_err());
    }
}
