//! The steps that wait for the ledger: manifests and other lists are written in parallel, records in order and many steps at once.
//!
//! Every step changes ranges that others change too, so the ledger takes them one after the other. That is fast enough
//! because one transaction takes every step whose lists are written by then.

use std::collections::{BTreeMap, BTreeSet, VecDeque, btree_map::Entry};

use shardlift_core::{
    failure::Failure,
    plan::{
        KeptRecord, PackedChunks,
        range::{Checkpoint, KeyRange, RangeRecord, RangeState},
    },
    port::{PLAN_STEP_RECORDS_MAX, PlanStep},
    run::record::RunRecord,
    shard::ShardRecord,
    value::{
        id::{RangeId, ShardId},
        key::RelativeKey,
    },
};

use crate::records::{EncodedList, ListKind, copy_shards, delete_shard};

/// Listing pauses while this many steps wait for the ledger. With manifests of some 450 KB for 10,000 UUID keys each, they
/// stay within 8 MB; with lists of what stays, 1.8 MB for 50,000 of these, within 30 MB; and where nothing compresses, within
/// 130 MB.
const STEPS_WAITING_MAX: usize = 16;
/// The lists of this many steps are in flight at once: eight in 100 ms are 800,000 keys per second.
const LISTS_IN_FLIGHT_MAX: usize = 8;
/// A transaction waits until it has this many shards or lists. It writes every listed range too, at twice the write units of a
/// single write, and the ranges of a run share one partition of the table, which takes 1,000 units per second. At 500,000
/// keys per second this makes six transactions and 400 units. That holds for records of up to 1 KB. A record contains three
/// keys (its bounds and its checkpoint), so with keys of 1,000 bytes it takes four times the units. The table then
/// throttles and the ledger backs off, which makes fewer transactions with more shards each.
const GROUP_RECORDS_MIN: usize = 8;

/// How a step changes ranges.
#[derive(Debug)]
enum RangeChange {
    /// They are planned up to these checkpoints; true where the range ends.
    Advance(BTreeMap<RangeId, (Checkpoint, bool)>),
    /// One of them is split at these keys, in order; the new ranges are numbered from `first_number`.
    Split {
        range_id: RangeId,
        keys: Vec<RelativeKey>,
        first_number: u32,
    },
}

/// The state of a step's lists.
#[derive(Debug)]
enum Lists {
    Waiting(Vec<EncodedList>),
    InFlight,
    Written,
}

/// A step that waits for the ledger.
#[derive(Debug)]
pub(super) struct QueuedStep {
    lists: Lists,
    shards: Vec<ShardRecord>,
    kept: Option<KeptRecord>,
    change: RangeChange,
}

impl QueuedStep {
    /// How many records it adds, except ranges.
    fn records(&self) -> usize {
        self.shards.len() + usize::from(self.kept.is_some())
    }
}

/// The steps of one invocation that are not in the ledger yet, in order.
#[derive(Debug)]
pub(super) struct StepQueue {
    invocation: u64,
    waiting: VecDeque<QueuedStep>,
    /// The number of the first step that waits; they are numbered on from there.
    first_number: u64,
    /// Steps before this number do not wait for more shards.
    hurried_until: u64,
    lists_in_flight: usize,
    lists_written: u64,
    is_committing: bool,
    shards_begun: u64,
}

impl StepQueue {
    /// An empty queue. The ids of its shards begin with the number `invocation`.
    pub(super) fn new(invocation: u64) -> Self {
        Self {
            invocation,
            waiting: VecDeque::new(),
            first_number: 0,
            hurried_until: 0,
            lists_in_flight: 0,
            lists_written: 0,
            is_committing: false,
            shards_begun: 0,
        }
    }

    /// Whether everything is in the ledger.
    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_committing
    }

    /// Whether listing should pause until the ledger has caught up.
    pub(super) fn is_backed_up(&self) -> bool {
        self.waiting.len() >= STEPS_WAITING_MAX
    }

    /// How many shards this invocation began.
    pub(super) fn shards_begun(&self) -> u64 {
        self.shards_begun
    }

    /// How many lists this invocation wrote.
    pub(super) fn lists_written(&self) -> u64 {
        self.lists_written
    }

    /// Encodes packed chunks and queues them.
    pub(super) fn add(&mut self, run: &RunRecord, packed: &PackedChunks) -> Result<(), Failure> {
        let mut lists = Vec::new();
        let mut shards = Vec::new();
        let (copies, deletes) = (packed.copy_work(), packed.delete_work());
        if copies.count.objects > 0 {
            let id = self.next_shard_id()?;
            let bytes = packed.encode_copies(&run.run_id, &id)?;
            shards.extend(copy_shards(run, &id, &copies));
            lists.push(EncodedList::manifest(id, bytes));
        }
        if deletes.count.objects > 0 {
            let id = self.next_shard_id()?;
            let bytes = packed.encode_deletes(&run.run_id, &id)?;
            shards.push(delete_shard(run, &id, &deletes, packed.deleted()));
            lists.push(EncodedList::manifest(id, bytes));
        }
        let kept = self.add_kept(run, packed, &mut lists)?;
        self.waiting.push_back(QueuedStep {
            lists: Lists::of(lists),
            shards,
            kept,
            change: RangeChange::Advance(packed.ranges()),
        });
        Ok(())
    }

    /// The record of what the chunks leave as it stands at the target, if they leave or compare anything.
    fn add_kept(
        &mut self,
        run: &RunRecord,
        packed: &PackedChunks,
        lists: &mut Vec<EncodedList>,
    ) -> Result<Option<KeptRecord>, Failure> {
        let (kept, audited) = (packed.kept(), packed.audited());
        let (has_kept, has_differences) = (
            kept.0.objects + kept.1.objects > 0,
            audited.differences.sum() > 0,
        );
        if !has_kept && !has_differences {
            return Ok(None);
        }
        let id = self.next_shard_id()?;
        for (kind, is_there) in [
            (ListKind::Kept, has_kept),
            (ListKind::Differences, has_differences),
        ] {
            if is_there {
                let (id, bytes) = (id.clone(), kind.encode(packed)?);
                lists.push(EncodedList { id, kind, bytes });
            }
        }
        let mut record = KeptRecord::new(run.run_id.clone(), id, kept, run.expires_at);
        record.audit = (!run.spec.mode.writes()).then_some(audited);
        Ok(Some(record))
    }

    /// Queues a split.
    pub(super) fn add_split(
        &mut self,
        range_id: RangeId,
        keys: Vec<RelativeKey>,
        first_number: u32,
    ) {
        self.waiting.push_back(QueuedStep {
            lists: Lists::Written,
            shards: Vec::new(),
            kept: None,
            change: RangeChange::Split {
                range_id,
                keys,
                first_number,
            },
        });
    }

    /// The lists of the next step to be written, and the step's number.
    pub(super) fn take_lists(&mut self) -> Option<(u64, Vec<EncodedList>)> {
        if self.lists_in_flight >= LISTS_IN_FLIGHT_MAX {
            return None;
        }
        let (number, step) = (self.first_number..)
            .zip(&mut self.waiting)
            .find(|(_, step)| matches!(step.lists, Lists::Waiting(_)))?;
        let Lists::Waiting(lists) = std::mem::replace(&mut step.lists, Lists::InFlight) else {
            return None;
        };
        self.lists_in_flight += 1;
        self.lists_written += lists.len() as u64;
        Some((number, lists))
    }

    /// Notes that the lists of a step are written.
    pub(super) fn note_lists(&mut self, number: u64) {
        self.lists_in_flight -= 1;
        let index = usize::try_from(number - self.first_number).unwrap_or(usize::MAX);
        if let Some(step) = self.waiting.get_mut(index) {
            step.lists = Lists::Written;
        }
    }

    /// Writes everything that waits now as soon as possible.
    pub(super) fn hurry(&mut self) {
        self.hurried_until = self.first_number + self.waiting.len() as u64;
    }

    /// The next steps for one transaction, once they are worth it: hurried, with a split (listers wait for it), with many
    /// shards, or with as many records as fit. None while another transaction is in flight.
    pub(super) fn take_group(&mut self) -> Vec<QueuedStep> {
        if self.is_committing {
            return Vec::new();
        }
        let (mut steps, mut shards, mut new_ranges) = (0, 0, 0);
        let mut ranges: BTreeSet<&RangeId> = BTreeSet::new();
        let mut is_full = false;
        let written = |step: &&QueuedStep| matches!(step.lists, Lists::Written);
        for step in self.waiting.iter().take_while(written) {
            let further = step.change.range_ids().filter(|id| !ranges.contains(id));
            let records = shards
                + step.records()
                + new_ranges
                + step.change.new_ranges()
                + ranges.len()
                + further.count();
            is_full = steps > 0 && records > PLAN_STEP_RECORDS_MAX;
            if is_full {
                break;
            }
            steps += 1;
            shards += step.records();
            new_ranges += step.change.new_ranges();
            ranges.extend(step.change.range_ids());
        }
        let is_hurried = self.first_number < self.hurried_until;
        let is_worth_it = is_hurried || is_full || new_ranges > 0 || shards >= GROUP_RECORDS_MIN;
        if steps == 0 || !is_worth_it {
            return Vec::new();
        }
        self.is_committing = true;
        self.first_number += steps as u64;
        self.waiting.drain(..steps).collect()
    }

    /// Notes that the transaction got its response.
    pub(super) fn note_commit(&mut self) {
        self.is_committing = false;
    }

    fn next_shard_id(&mut self) -> Result<ShardId, Failure> {
        self.shards_begun += 1;
        ShardId::new(format!("{}-{}", self.invocation, self.shards_begun))
            .map_err(|error| Failure::invariant(error.to_string()))
    }
}

impl Lists {
    fn of(lists: Vec<EncodedList>) -> Self {
        if lists.is_empty() {
            Self::Written
        } else {
            Self::Waiting(lists)
        }
    }
}

impl RangeChange {
    /// The ranges that change.
    fn range_ids(&self) -> Box<dyn Iterator<Item = &RangeId> + '_> {
        match self {
            Self::Advance(ends) => Box::new(ends.keys()),
            Self::Split { range_id, .. } => Box::new(std::iter::once(range_id)),
        }
    }

    /// How many ranges are new.
    fn new_ranges(&self) -> usize {
        match self {
            Self::Advance(_) => 0,
            Self::Split { keys, .. } => keys.len(),
        }
    }
}

/// The records of steps in order. `stored` returns the record of a range in the ledger, `new` makes one.
pub(super) fn records_of<'a>(
    steps: Vec<QueuedStep>,
    stored: impl Fn(&RangeId) -> Option<&'a RangeRecord>,
    new: impl Fn(u32, KeyRange) -> RangeRecord,
) -> Result<PlanStep, Failure> {
    let mut changed = ChangedRanges {
        stored,
        records: BTreeMap::new(),
    };
    let mut all = PlanStep::default();
    for step in steps {
        let QueuedStep {
            shards,
            kept,
            change,
            ..
        } = step;
        all.shards.extend(shards);
        all.kept.extend(kept);
        match change {
            RangeChange::Advance(ends) => {
                for (range_id, (checkpoint, is_end)) in ends {
                    let record = changed.record(range_id)?;
                    record.checkpoint = Some(checkpoint);
                    if is_end {
                        record.state = RangeState::Done;
                    }
                }
            }
            RangeChange::Split {
                range_id,
                keys,
                first_number,
            } => {
                let record = changed.record(range_id)?;
                let (first, rest) = split(&record.bounds, keys)?;
                record.bounds = first;
                let rest = (first_number..).zip(rest);
                all.new_ranges
                    .extend(rest.map(|(number, bounds)| new(number, bounds)));
            }
        }
    }
    all.ranges = changed.records.into_values().collect();
    Ok(all)
}

/// The ranges of one transaction. Each is changed once, however many steps change it.
struct ChangedRanges<F> {
    stored: F,
    records: BTreeMap<RangeId, RangeRecord>,
}

impl<'a, F: Fn(&RangeId) -> Option<&'a RangeRecord>> ChangedRanges<F> {
    fn record(&mut self, range_id: RangeId) -> Result<&mut RangeRecord, Failure> {
        match self.records.entry(range_id) {
            Entry::Occupied(changed) => Ok(changed.into_mut()),
            Entry::Vacant(unchanged) => {
                let range_id = unchanged.key();
                let stored = (self.stored)(range_id);
                let stored = stored
                    .ok_or_else(|| Failure::invariant(format!("range {range_id} is unknown")))?;
                let mut record = stored.clone();
                record.revision += 1;
                Ok(unchanged.insert(record))
            }
        }
    }
}

/// The first part of a range that is split at keys in order, and the new ranges.
fn split(bounds: &KeyRange, keys: Vec<RelativeKey>) -> Result<(KeyRange, Vec<KeyRange>), Failure> {
    let mut pieces = Vec::new();
    let mut rest = bounds.clone();
    for key in keys {
        let (left, right) = rest
            .split(key)
            .ok_or_else(|| Failure::invariant(format!("{bounds:?} cannot be split there")))?;
        pieces.push(left);
        rest = right;
    }
    pieces.push(rest);
    let first = pieces.remove(0);
    Ok((first, pieces))
}

#[cfg(test)]
mod tests;
