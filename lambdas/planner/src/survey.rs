//! The listing of one invocation: many ranges at once, every answer an event of one loop.
//!
//! The loop owns all state; futures only call. It ends when every range is done, when the deadline is near (then
//! everything merged so far is written first), or when the ledger shows that another invocation was faster.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use futures::{
    StreamExt,
    future::{BoxFuture, FutureExt},
    stream::FuturesUnordered,
};
use shardlift_core::{
    deadline::Deadline,
    failure::Failure,
    fault::CallFault,
    id::{RangeId, ShardId},
    plan::{Chunk, Packer, PlannedWork, RangeWalk, ShardDraft, SideName, WalkRules},
    port::{BucketListing, Clock, ControlStore, Ledger, ObjectPage, PlanStep, PutOutcome},
    range::{KeyRange, RangeRecord, RangeState},
    run::{LEDGER_VERSION, RunRecord},
    shard::{ShardRecord, ShardWork},
};
use tracing::info;

use crate::{
    Planner, access,
    commit::{self, EncodedManifest, PendingStep, StepEnd},
};

/// How many steps may wait for the ledger before listing pauses: at some 250 KB each they stay within 4 MB.
const STEPS_WAITING_MAX: usize = 16;

/// How a survey ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum SurveyEnd {
    /// Every range is done.
    Listed {
        /// Manifests written by this invocation.
        manifests: u64,
    },
    /// The deadline is near; everything merged is written.
    Yielded {
        /// Manifests written by this invocation.
        manifests: u64,
    },
    /// Another invocation wrote to the same ranges.
    Overtaken,
}

/// An answer that arrived.
enum Event {
    Page(RangeId, SideName, Result<ObjectPage, CallFault>),
    Step(Result<StepEnd, Failure>),
}

/// A range of the run.
#[derive(Debug)]
struct LiveRange {
    /// As it stands in the ledger.
    record: RangeRecord,
    /// Its walk, until it ends.
    walk: Option<RangeWalk>,
    /// Sides whose next page is on its way.
    awaited: BTreeSet<SideName>,
}

/// The listing of one invocation.
pub(crate) struct Survey<'a, S, T, L, C, K> {
    source: &'a S,
    target: &'a T,
    ledger: &'a L,
    control: &'a C,
    clock: &'a K,
    run: &'a RunRecord,
    rules: &'a WalkRules,
    packer: Packer,
    ranges: BTreeMap<RangeId, LiveRange>,
    steps: VecDeque<PendingStep>,
    in_flight: FuturesUnordered<BoxFuture<'a, Event>>,
    /// Ranges that a step on its way changes.
    being_written: BTreeSet<RangeId>,
    shards_begun: u64,
    manifests: u64,
    pages: u64,
}

impl<'a, S, T, L, C, K> Survey<'a, S, T, L, C, K>
where
    S: BucketListing,
    T: BucketListing,
    L: Ledger,
    C: ControlStore,
    K: Clock,
{
    /// A survey for an invocation that `run.revision` numbers.
    pub(crate) fn new<A, E>(
        planner: &'a Planner<A, L, C, E, K>,
        source: &'a S,
        target: &'a T,
        run: &'a RunRecord,
        rules: &'a WalkRules,
    ) -> Self {
        Self {
            source,
            target,
            ledger: &planner.ledger,
            control: &planner.control,
            clock: &planner.clock,
            run,
            rules,
            packer: Packer::new(planner.settings.shard_bounds),
            ranges: BTreeMap::new(),
            steps: VecDeque::new(),
            in_flight: FuturesUnordered::new(),
            being_written: BTreeSet::new(),
            shards_begun: 0,
            manifests: 0,
            pages: 0,
        }
    }

    /// Lists until everything is listed or the deadline is near.
    ///
    /// # Errors
    /// `ListingIncomplete`, `AccessDenied` and what else makes a listing end; what was written before stands.
    pub(crate) async fn run(mut self, deadline: Deadline) -> Result<SurveyEnd, Failure> {
        if !self.load_ranges().await? {
            return Ok(SurveyEnd::Overtaken);
        }
        let mut is_stopping = false;
        loop {
            self.begin_steps();
            if !is_stopping {
                self.ask_for_pages();
            }
            let writing = !self.steps.is_empty() || !self.being_written.is_empty();
            if is_stopping && !writing {
                return Ok(self.end(deadline));
            }
            if self.in_flight.is_empty() {
                // Nothing is listed any more: the last shards are those that are not full.
                is_stopping = true;
                self.flush()?;
                continue;
            }
            match self.next_event(deadline, is_stopping).await {
                Some(Event::Page(range_id, side, page)) => self.take_page(&range_id, side, page)?,
                Some(Event::Step(end)) => {
                    if self.take_step_end(end?) == PutOutcome::Refused {
                        return Ok(SurveyEnd::Overtaken);
                    }
                }
                None => {
                    is_stopping = true;
                    self.flush()?;
                }
            }
        }
    }

    /// The next answer, or nothing when it is time to stop. The first page is always waited for, so that every
    /// invocation gets on, however short it is.
    async fn next_event(&mut self, deadline: Deadline, is_stopping: bool) -> Option<Event> {
        if is_stopping || self.pages == 0 {
            return self.in_flight.next().await;
        }
        let left = deadline.work_left(self.clock.now());
        if left.is_zero() {
            return None;
        }
        tokio::time::timeout(left, self.in_flight.next())
            .await
            .unwrap_or(None)
    }

    /// Reads the ranges of the run, or writes the first one. Tells whether no other invocation was faster.
    async fn load_ranges(&mut self) -> Result<bool, Failure> {
        let stored = self.ledger.read_ranges(&self.run.run_id).await;
        let mut records = stored.map_err(CallFault::into_failure)?;
        if records.is_empty() {
            let first = self.new_range(RangeId::numbered(0), KeyRange::default());
            let step = PlanStep {
                new_ranges: vec![first.clone()],
                ..PlanStep::default()
            };
            let written = self.ledger.commit_plan(&step).await;
            if written.map_err(CallFault::into_failure)? == PutOutcome::Refused {
                return Ok(false);
            }
            records.push(first);
        }
        for record in records {
            let walk = (record.state == RangeState::Listing)
                .then(|| RangeWalk::resume(&record, self.rules));
            let live = LiveRange {
                walk,
                awaited: BTreeSet::new(),
                record,
            };
            self.ranges.insert(live.record.range_id.clone(), live);
        }
        Ok(true)
    }

    fn new_range(&self, range_id: RangeId, bounds: KeyRange) -> RangeRecord {
        RangeRecord {
            schema_version: LEDGER_VERSION,
            run_id: self.run.run_id.clone(),
            range_id,
            bounds,
            checkpoint: None,
            state: RangeState::Listing,
            expires_at: self.run.expires_at,
            revision: 1,
        }
    }

    fn ask_for_pages(&mut self) {
        if self.steps.len() >= STEPS_WAITING_MAX {
            return;
        }
        for (range_id, range) in &mut self.ranges {
            let Some(walk) = &range.walk else { continue };
            for side in [SideName::Source, SideName::Target] {
                if range.awaited.contains(&side) {
                    continue;
                }
                let Some(request) = walk.next_request(side) else {
                    continue;
                };
                range.awaited.insert(side);
                let range_id = range_id.clone();
                let (source, target) = (self.source, self.target);
                let call = async move {
                    let page = match side {
                        SideName::Source => source.list_page(&request).await,
                        SideName::Target => target.list_page(&request).await,
                    };
                    Event::Page(range_id, side, page)
                };
                self.in_flight.push(call.boxed());
            }
        }
    }

    fn take_page(
        &mut self,
        range_id: &RangeId,
        side: SideName,
        page: Result<ObjectPage, CallFault>,
    ) -> Result<(), Failure> {
        let pair = &self.run.spec.pair;
        let page = page.map_err(|fault| access::listing_failure(fault, side, pair))?;
        let Some(range) = self.ranges.get_mut(range_id) else {
            return Ok(());
        };
        range.awaited.remove(&side);
        let Some(walk) = &mut range.walk else {
            return Ok(());
        };
        self.pages += 1;
        walk.feed(side, page)?;
        let chunks = walk.advance(self.rules);
        if walk.is_ended() {
            range.walk = None;
        }
        self.pack(chunks)
    }

    fn pack(&mut self, chunks: Vec<Chunk>) -> Result<(), Failure> {
        for chunk in chunks {
            for draft in self.packer.add(chunk) {
                self.queue(&draft)?;
            }
        }
        Ok(())
    }

    /// Everything that is merged goes to the ledger.
    fn flush(&mut self) -> Result<(), Failure> {
        let chunks: Vec<Chunk> = self
            .ranges
            .values_mut()
            .filter_map(|range| range.walk.as_mut()?.flush())
            .collect();
        self.pack(chunks)?;
        for draft in self.packer.flush() {
            self.queue(&draft)?;
        }
        Ok(())
    }

    /// Encodes a draft and queues it. The revisions of its ranges are settled when its turn comes.
    fn queue(&mut self, draft: &ShardDraft) -> Result<(), Failure> {
        let run_id = &self.run.run_id;
        let mut manifests = Vec::new();
        let mut shards = Vec::new();
        let copies = draft.copy_work();
        if copies.count.objects > 0 {
            let shard_id = next_shard_id(self.run.revision, &mut self.shards_begun)?;
            let bytes = draft.encode_copies(run_id, &shard_id)?;
            shards.push(self.new_shard(&shard_id, ShardWork::CopyObjects, copies));
            manifests.push(EncodedManifest { shard_id, bytes });
        }
        let mut ranges = Vec::new();
        for (range_id, (checkpoint, is_end)) in draft.ranges() {
            let Some(live) = self.ranges.get(&range_id) else {
                return Err(Failure::invariant(format!("range {range_id} is unknown")));
            };
            let state = if is_end {
                RangeState::Done
            } else {
                RangeState::Listing
            };
            ranges.push(RangeRecord {
                checkpoint: Some(checkpoint),
                state,
                ..live.record.clone()
            });
        }
        let step = PlanStep {
            shards,
            ranges,
            ..PlanStep::default()
        };
        self.steps.push_back(PendingStep { manifests, step });
        Ok(())
    }

    fn new_shard(&self, shard_id: &ShardId, work: ShardWork, planned: PlannedWork) -> ShardRecord {
        ShardRecord::ready(
            self.run.run_id.clone(),
            shard_id.clone(),
            work,
            planned.count,
            self.run.expires_at,
        )
    }

    /// Begins every waiting step none of whose ranges is being written or waits in a step before it.
    fn begin_steps(&mut self) {
        let mut taken = self.being_written.clone();
        let mut waiting = VecDeque::new();
        for mut pending in std::mem::take(&mut self.steps) {
            let ids: Vec<RangeId> = pending
                .step
                .ranges
                .iter()
                .map(|range| range.range_id.clone())
                .collect();
            let is_free = ids.iter().all(|id| !taken.contains(id));
            taken.extend(ids.iter().cloned());
            if !is_free {
                waiting.push_back(pending);
                continue;
            }
            for range in &mut pending.step.ranges {
                if let Some(live) = self.ranges.get(&range.range_id) {
                    range.bounds = live.record.bounds.clone();
                    range.revision = live.record.revision + 1;
                }
            }
            self.being_written.extend(ids);
            let (ledger, control, run_id) = (self.ledger, self.control, &self.run.run_id);
            let call =
                async move { Event::Step(commit::write(ledger, control, run_id, pending).await) };
            self.in_flight.push(call.boxed());
        }
        self.steps = waiting;
    }

    fn take_step_end(&mut self, end: StepEnd) -> PutOutcome {
        self.manifests += end.manifests;
        for record in end.ranges {
            self.being_written.remove(&record.range_id);
            if let Some(live) = self.ranges.get_mut(&record.range_id)
                && end.outcome == PutOutcome::Written
            {
                live.record = record;
            }
        }
        end.outcome
    }

    fn end(&self, deadline: Deadline) -> SurveyEnd {
        let manifests = self.manifests;
        let open: Vec<&RangeId> = self
            .ranges
            .values()
            .filter(|range| range.record.state != RangeState::Done)
            .map(|range| &range.record.range_id)
            .collect();
        info!(
            run.id = %self.run.run_id,
            pages = self.pages,
            shards = self.shards_begun,
            ranges.open = open.len(),
            work_left_ms = deadline.work_left(self.clock.now()).as_millis(),
            "listed as far as this invocation goes"
        );
        if open.is_empty() {
            SurveyEnd::Listed { manifests }
        } else {
            SurveyEnd::Yielded { manifests }
        }
    }
}

/// The id of the next shard of this invocation.
fn next_shard_id(invocation: u64, begun: &mut u64) -> Result<ShardId, Failure> {
    *begun += 1;
    ShardId::new(format!("{invocation}-{begun}"))
        .map_err(|error| Failure::invariant(error.to_string()))
}
