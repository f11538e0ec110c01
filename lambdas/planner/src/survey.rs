//! The listing of one invocation: many ranges at once, every answer an event of one loop.
//!
//! The loop owns all state; futures only call. It ends when every range is done, when the deadline is near (then
//! everything merged so far is written first), or when the ledger shows that another invocation was faster.

mod live_range;
mod pages;
mod split_search;
mod splits;
mod step_queue;
mod steps;

use std::collections::BTreeMap;

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    deadline::Deadline,
    failure::Failure,
    fault::CallFault,
    id::RangeId,
    key::RelativeKey,
    plan::{ListerCount, Packer, SideName, WalkRules},
    port::{BucketListing, Clock, ControlStore, Ledger, ObjectPage, PlanStep, PutOutcome},
    range::{KeyRange, RangeState},
    run::RunRecord,
};
use tracing::info;

pub(crate) use self::live_range::new_range;
use self::{live_range::LiveRange, step_queue::StepQueue};
use crate::{Planner, commit::StepEnd};

/// After how many pages progress is logged.
const PAGES_PER_PROGRESS: u64 = 1_000;
/// Listing begins with this many ranges at once: some 200 requests a second, of 5,500 that any prefix takes.
const LISTERS_FIRST: usize = 8;

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
    /// A page, or the fault that is left of it, and how often it was asked for.
    Page(RangeId, SideName, u32, Result<ObjectPage, CallFault>),
    /// Keys to split a range at.
    Cuts(RangeId, SideName, Result<Vec<RelativeKey>, CallFault>),
    /// Manifests of the step with this number are written.
    Manifests(u64, Result<(), Failure>),
    /// Steps that the ledger took, or not.
    Commit(Result<StepEnd, Failure>),
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
    listers: ListerCount,
    ranges: BTreeMap<RangeId, LiveRange>,
    /// The number of the next range that a split makes.
    next_range: u32,
    steps: StepQueue,
    in_flight: FuturesUnordered<BoxFuture<'a, Event>>,
    searches: usize,
    pages: u64,
    keys: u64,
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
        let settings = &planner.settings;
        Self {
            source,
            target,
            ledger: &planner.ledger,
            control: &planner.control,
            clock: &planner.clock,
            run,
            rules,
            packer: Packer::new(settings.shard_bounds),
            listers: ListerCount::new(LISTERS_FIRST, settings.listers_max),
            ranges: BTreeMap::new(),
            next_range: 0,
            steps: StepQueue::new(run),
            in_flight: FuturesUnordered::new(),
            searches: 0,
            pages: 0,
            keys: 0,
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
            self.begin_steps(is_stopping)?;
            if is_stopping && self.steps.is_idle() {
                return Ok(self.end(deadline));
            }
            if !is_stopping {
                self.ask_for_pages();
                self.search_for_splits();
            }
            if self.in_flight.is_empty() {
                // Nothing is listed any more: the last shards are those that are not full.
                is_stopping = true;
                self.flush()?;
                continue;
            }
            let Some(event) = self.next_event(deadline, is_stopping).await else {
                is_stopping = true;
                self.flush()?;
                continue;
            };
            if self.take(event, is_stopping)? == PutOutcome::Refused {
                return Ok(SurveyEnd::Overtaken);
            }
        }
    }

    /// Takes an answer. Refused when it is the ledger's, and another invocation was faster.
    fn take(&mut self, event: Event, is_stopping: bool) -> Result<PutOutcome, Failure> {
        match event {
            // What comes after the flush is listed again by the next invocation.
            Event::Page(..) | Event::Cuts(..) if is_stopping => {}
            Event::Page(range_id, side, attempt, page) => {
                self.take_page(&range_id, side, attempt, page)?;
            }
            Event::Cuts(range_id, side, cuts) => self.take_cuts(&range_id, side, cuts)?,
            Event::Manifests(number, written) => {
                written?;
                self.steps.note_manifests(number);
            }
            Event::Commit(end) => return Ok(self.take_commit(end?)),
        }
        Ok(PutOutcome::Written)
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
            let first = new_range(self.run, RangeId::numbered(0), KeyRange::default());
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
        self.next_range = u32::try_from(records.len())
            .map_err(|_| Failure::invariant("a run has more ranges than numbers"))?;
        for record in records {
            let live = LiveRange::new(record, self.rules);
            self.ranges.insert(live.record.range_id.clone(), live);
        }
        Ok(true)
    }

    /// How many ranges are being listed.
    fn active(&self) -> usize {
        self.ranges
            .values()
            .filter(|range| range.walk.is_some())
            .count()
    }

    fn end(&self, deadline: Deadline) -> SurveyEnd {
        let manifests = self.steps.manifests_written();
        let open = self
            .ranges
            .values()
            .filter(|range| range.record.state != RangeState::Done)
            .count();
        self.log_progress();
        info!(
            { field::RUN_ID } = %self.run.run_id,
            ranges.open = open,
            work_left_ms = u64::try_from(deadline.work_left(self.clock.now()).as_millis()).unwrap_or(u64::MAX),
            "listed as far as this invocation goes"
        );
        if open == 0 {
            SurveyEnd::Listed { manifests }
        } else {
            SurveyEnd::Yielded { manifests }
        }
    }

    fn log_progress(&self) {
        info!(
            { field::RUN_ID } = %self.run.run_id,
            pages = self.pages,
            keys = self.keys,
            shards = self.steps.shards_begun(),
            ranges = self.ranges.len(),
            listers.active = self.active(),
            listers.wanted = self.listers.wanted(),
            "listing"
        );
    }
}
