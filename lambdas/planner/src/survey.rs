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

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Failure, Retry, fault::CallFault},
    plan::{
        ListerCount, Packer, WalkRules,
        range::{KeyRange, RangeRecord, RangeState},
    },
    port::{
        Clock, ControlStore, Ledger, ObjectPage, PlanStep, PutOutcome, SourceBucket, TargetBucket,
    },
    run::{pair::Side, record::RunRecord},
    value::{deadline::Deadline, id::RangeId, key::RelativeKey},
};
use tracing::info;

pub(crate) use self::live_range::new_range;
use self::{live_range::LiveRange, step_queue::StepQueue};
use crate::{Planner, commit::StepEnd};

/// After how many pages progress is logged.
const PAGES_PER_PROGRESS: u64 = 1_000;
/// How often everything merged goes to the ledger, full shards or not: a planner that is killed loses no more than this.
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);
/// What the last writes may take at least, so that every invocation gets on, however short it is.
const WIND_UP_MIN: Duration = Duration::from_secs(1);
/// The most ranges of a run: some billion keys make as many. The ledger reads them at the start of an invocation.
const RANGES_MAX: u32 = 10_000;
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

/// Why no more is listed.
enum Stop {
    /// Everything is listed, or the deadline is near.
    InTime,
    /// A listing failed for now: what it is told with, once everything that was merged is written.
    Failed(Failure),
}

/// An answer that arrived.
enum Event {
    /// A page, or the fault of the last attempt to list it.
    Page(RangeId, Side, Result<ObjectPage, CallFault>),
    /// Keys to split a range at.
    Cuts(RangeId, Side, Result<Vec<RelativeKey>, CallFault>),
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
    /// Those that are not done.
    ranges: BTreeMap<RangeId, LiveRange>,
    /// The number of the next range that a split makes.
    next_range: u32,
    steps: StepQueue,
    in_flight: FuturesUnordered<BoxFuture<'a, Event>>,
    searches: usize,
    pages: u64,
    keys: u64,
    /// Whether anything was merged.
    has_moved: bool,
}

impl<'a, S, T, L, C, K> Survey<'a, S, T, L, C, K>
where
    S: SourceBucket,
    T: TargetBucket,
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
            steps: StepQueue::new(run.revision),
            in_flight: FuturesUnordered::new(),
            searches: 0,
            pages: 0,
            keys: 0,
            has_moved: false,
        }
    }

    /// Lists until everything is listed or the deadline is near.
    ///
    /// # Errors
    /// `ListingIncomplete`, `AccessDenied` and what else makes a listing end; what was written before stands.
    pub(crate) async fn run(mut self, deadline: Deadline) -> Result<SurveyEnd, Failure> {
        // The handles outlive an invocation in a warm process; what they met before says nothing about now.
        self.listers.ignore_throttling(self.throttled_requests());
        if !self.load_ranges().await? {
            return Ok(SurveyEnd::Overtaken);
        }
        match self.list(deadline).await? {
            None => Ok(SurveyEnd::Overtaken),
            Some(stop) => self.wind_up(stop, deadline).await,
        }
    }

    /// Lists until there is a reason to stop. Nothing when another invocation was faster.
    async fn list(&mut self, deadline: Deadline) -> Result<Option<Stop>, Failure> {
        let mut flush_due = self.clock.now().plus(FLUSH_INTERVAL);
        loop {
            self.begin_steps()?;
            self.ask_for_pages();
            self.search_for_splits();
            if self.in_flight.is_empty() {
                return Ok(Some(Stop::InTime));
            }
            let Some(event) = self.next_event(deadline).await else {
                return Ok(Some(Stop::InTime));
            };
            match event {
                Event::Page(range_id, side, page) => {
                    let taken = self.take_page(&range_id, side, page);
                    if let Some(stop) = stop_of(taken)? {
                        return Ok(Some(stop));
                    }
                }
                Event::Cuts(range_id, side, cuts) => {
                    if let Some(stop) = stop_of(self.take_cuts(&range_id, side, cuts))? {
                        return Ok(Some(stop));
                    }
                }
                written => {
                    if self.take_written(written)? == PutOutcome::Refused {
                        return Ok(None);
                    }
                }
            }
            if self.clock.now() >= flush_due {
                self.flush()?;
                flush_due = self.clock.now().plus(FLUSH_INTERVAL);
            }
        }
    }

    /// Writes everything that was merged: the last shards are those that are not full. What the ledger has not taken when
    /// the time is up is listed again by the next invocation.
    async fn wind_up(mut self, stop: Stop, deadline: Deadline) -> Result<SurveyEnd, Failure> {
        self.flush()?;
        loop {
            self.begin_steps()?;
            if self.steps.is_idle() {
                break;
            }
            let left = deadline.drain_left(self.clock.now()).max(WIND_UP_MIN);
            let Ok(event) = tokio::time::timeout(left, self.in_flight.next()).await else {
                break;
            };
            let Some(event) = event else {
                return Err(Failure::invariant("steps wait and nothing is on its way"));
            };
            if self.take_written(event)? == PutOutcome::Refused {
                return Ok(SurveyEnd::Overtaken);
            }
        }
        match stop {
            Stop::InTime => Ok(self.end(deadline)),
            Stop::Failed(failure) => Err(failure),
        }
    }

    /// Takes note of what is written. Refused when another invocation was faster. A page that comes now is listed again
    /// by the next invocation.
    fn take_written(&mut self, event: Event) -> Result<PutOutcome, Failure> {
        match event {
            Event::Page(..) | Event::Cuts(..) => {}
            Event::Manifests(number, written) => {
                written?;
                self.steps.note_manifests(number);
            }
            Event::Commit(end) => return Ok(self.take_commit(end?)),
        }
        Ok(PutOutcome::Written)
    }

    /// The next answer, or nothing when it is time to stop. The first pages are always waited for, until something can be
    /// merged, so that every invocation gets on, however short it is.
    async fn next_event(&mut self, deadline: Deadline) -> Option<Event> {
        if !self.has_moved {
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
        for record in records {
            let number = record.range_id.number().ok_or_else(|| {
                Failure::invariant(format!("range {} has no number", record.range_id))
            })?;
            self.next_range = self.next_range.max(number + 1);
            self.keep_range(record);
        }
        Ok(true)
    }

    /// Keeps a range as it stands in the ledger, until it is done.
    fn keep_range(&mut self, record: RangeRecord) {
        if record.state == RangeState::Done {
            self.ranges.remove(&record.range_id);
            return;
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

    /// How many ranges are being listed.
    fn active(&self) -> usize {
        self.ranges
            .values()
            .filter(|range| range.walk.is_some())
            .count()
    }

    fn end(&self, deadline: Deadline) -> SurveyEnd {
        let manifests = self.steps.manifests_written();
        let open = self.ranges.len();
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
            ranges = self.next_range,
            listers.active = self.active(),
            listers.wanted = self.listers.wanted(),
            "listing"
        );
    }
}

/// A listing that failed for now is a reason to stop in order, so that the next invocation goes on from here; any other
/// failure ends the invocation as it is.
fn stop_of(taken: Result<(), Failure>) -> Result<Option<Stop>, Failure> {
    match taken {
        Ok(()) => Ok(None),
        Err(failure) if failure.code.retry() == Retry::Later => Ok(Some(Stop::Failed(failure))),
        Err(failure) => Err(failure),
    }
}
