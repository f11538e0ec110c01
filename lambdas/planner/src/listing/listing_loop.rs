//! The listing of one invocation: many ranges at once, each response an event of one loop.
//!
//! The loop owns all state; futures only make calls. It ends when every range is done, when the deadline is near (then it
//! first writes everything merged so far), or when the ledger shows that another invocation was faster.

use std::{collections::BTreeMap, time::Duration};

use futures::{StreamExt, future::BoxFuture, stream::FuturesUnordered};
use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Failure, Retry, fault::CallFault},
    plan::{
        ListPage, ListerCount, Packer, WalkRules,
        range::{RangeRecord, RangeState},
    },
    port::{Clock, ObjectPage, PutOutcome},
    run::{pair::Side, record::RunRecord},
    value::{deadline::Deadline, id::RangeId, key::ObjectKey},
};
use tracing::info;

use super::{live_range::LiveRange, split_search::FoundKeys, step_queue::StepQueue};
use crate::{
    invocation_end::InvocationEnd,
    list::OrderedList,
    planner::Planner,
    ports::{Ports, SourceListingOf, TargetOf},
    records::{self, CommittedStep},
};

/// After how many pages progress is logged.
pub(super) const PAGES_PER_PROGRESS: u64 = 1_000;
/// How often everything merged is flushed to the ledger, whether shards are full or not: a killed planner loses no more.
const FLUSH_INTERVAL: Duration = Duration::from_secs(60);
/// The least time for the last writes, so that even a short invocation makes progress.
const LAST_WRITES_MIN: Duration = Duration::from_secs(1);
/// The most ranges of a run, as a billion keys need. An invocation begins with reading all of them.
pub(super) const RANGES_MAX: u32 = 10_000;
/// Listing begins with this many ranges at once: some 200 requests per second, of 5,500 that any prefix takes.
const LISTERS_FIRST: usize = 8;

/// Why no more is listed.
enum ListingStop {
    /// Everything is listed, or the deadline is near.
    InTime,
    /// A listing failed for now. The failure is returned once everything merged is written.
    Failed(Failure),
}

/// A response that arrived.
pub(super) enum Event {
    /// A page, or why there is none.
    Page(RangeId, Side, Result<FetchedPage, Failure>),
    /// Keys to split a range at.
    SplitKeys(RangeId, Side, Result<FoundKeys, CallFault>),
    /// The lists of the step with this number are written.
    Lists(u64, Result<(), Failure>),
    /// The ledger took the steps of a transaction, or refused them.
    Committed(Result<CommittedStep, Failure>),
}

/// What was fetched.
pub(super) enum FetchedPage {
    /// A page of a bucket.
    Bucket(ObjectPage),
    /// A page of the target behind this key, requested ahead.
    Ahead(Option<ObjectKey>, ObjectPage),
    /// A part of a list in key order.
    List(ListPage),
}

/// The listing of one invocation.
pub(crate) struct ListingLoop<'a, P: Ports> {
    pub(super) source: &'a SourceListingOf<'a, P>,
    pub(super) target: &'a TargetOf<P>,
    /// What takes the place of the source's listing.
    pub(super) list: Option<&'a OrderedList<'a, P>>,
    pub(super) ledger: &'a P::Ledger,
    pub(super) control: &'a P::Control,
    pub(super) clock: &'a P::Clock,
    pub(super) run: &'a RunRecord,
    pub(super) rules: &'a WalkRules,
    pub(super) packer: Packer,
    pub(super) listers: ListerCount,
    /// The ranges that are not done.
    pub(super) ranges: BTreeMap<RangeId, LiveRange>,
    /// The number of the next range that a split makes.
    pub(super) next_range: u32,
    pub(super) steps: StepQueue,
    pub(super) in_flight: FuturesUnordered<BoxFuture<'a, Event>>,
    pub(super) searches: usize,
    /// Listing requests that these took so far.
    pub(super) split_requests: u64,
    pub(super) pages: u64,
    pub(super) keys: u64,
    /// Whether anything was merged.
    pub(super) has_moved: bool,
}

impl<'a, P: Ports> ListingLoop<'a, P> {
    /// The listing of the invocation with the number `run.revision`.
    pub(crate) fn new(
        planner: &'a Planner<P>,
        source: &'a SourceListingOf<'a, P>,
        target: &'a TargetOf<P>,
        run: &'a RunRecord,
        rules: &'a WalkRules,
    ) -> Self {
        let settings = &planner.settings;
        Self {
            source,
            target,
            list: None,
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
            split_requests: 0,
            pages: 0,
            keys: 0,
            has_moved: false,
        }
    }

    /// The same, with a list in place of the source's listing.
    pub(crate) fn of_list(
        planner: &'a Planner<P>,
        source: &'a SourceListingOf<'a, P>,
        target: &'a TargetOf<P>,
        run: &'a RunRecord,
        rules: &'a WalkRules,
        list: &'a OrderedList<'a, P>,
    ) -> Self {
        let listers_max = planner.settings.listers_max;
        Self {
            list: Some(list),
            listers: ListerCount::new(listers_max, listers_max),
            ..Self::new(planner, source, target, run, rules)
        }
    }

    /// Lists until everything is listed or the deadline is near.
    ///
    /// # Errors
    /// `ListingIncomplete`, `AccessDenied` and what else makes a listing end; what was written before stands.
    pub(crate) async fn run(mut self, deadline: Deadline) -> Result<InvocationEnd, Failure> {
        // The buckets outlive an invocation in a warm process, and earlier throttling says nothing about now.
        self.listers.ignore_throttling(self.throttled_requests());
        if !self.load_ranges().await? {
            return Ok(InvocationEnd::Superseded);
        }
        match self.list(deadline).await? {
            None => Ok(InvocationEnd::Superseded),
            Some(stop) => self.finish(stop, deadline).await,
        }
    }

    /// Lists until there is a reason to stop. Nothing when another invocation was faster.
    async fn list(&mut self, deadline: Deadline) -> Result<Option<ListingStop>, Failure> {
        let mut flush_due = self.clock.now().plus(FLUSH_INTERVAL);
        loop {
            self.begin_steps()?;
            self.split_list()?;
            self.request_pages();
            self.search_for_splits();
            if self.in_flight.is_empty() {
                if self.active() > 0 {
                    return Err(Failure::invariant(
                        "ranges are left and nothing is in flight",
                    ));
                }
                return Ok(Some(ListingStop::InTime));
            }
            let Some(event) = self.next_event(deadline).await else {
                return Ok(Some(ListingStop::InTime));
            };
            match event {
                Event::Page(range_id, side, page) => {
                    let taken = self.take_page(&range_id, side, page);
                    if let Some(stop) = stop_of(taken)? {
                        return Ok(Some(stop));
                    }
                }
                Event::SplitKeys(range_id, side, keys) => {
                    if let Some(stop) = stop_of(self.take_split_keys(&range_id, side, keys))? {
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

    /// Writes everything merged, the last shards partly filled. The next invocation lists again what the ledger has not
    /// taken when the time is up.
    async fn finish(
        mut self,
        stop: ListingStop,
        deadline: Deadline,
    ) -> Result<InvocationEnd, Failure> {
        self.flush()?;
        loop {
            self.begin_steps()?;
            if self.steps.is_idle() {
                break;
            }
            let left = deadline.drain_left(self.clock.now()).max(LAST_WRITES_MIN);
            let Ok(event) = tokio::time::timeout(left, self.in_flight.next()).await else {
                break;
            };
            let Some(event) = event else {
                return Err(Failure::invariant("steps wait and nothing is in flight"));
            };
            if self.take_written(event)? == PutOutcome::Refused {
                return Ok(InvocationEnd::Superseded);
            }
        }
        match stop {
            ListingStop::InTime => Ok(self.end(deadline)),
            ListingStop::Failed(failure) => Err(failure),
        }
    }

    /// Notes what was written. Refused when another invocation was faster. The next invocation lists again a page that
    /// arrives now.
    fn take_written(&mut self, event: Event) -> Result<PutOutcome, Failure> {
        match event {
            Event::Page(..) | Event::SplitKeys(..) => {}
            Event::Lists(number, written) => {
                written?;
                self.steps.note_lists(number);
            }
            Event::Committed(end) => return Ok(self.take_commit(end?)),
        }
        Ok(PutOutcome::Written)
    }

    /// The next response, or nothing when it is time to stop. Waits for the first pages in any case, until something can
    /// be merged, so that even a short invocation makes progress.
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

    /// Reads the ranges of the run, or writes the first one. Returns whether no other invocation was faster.
    async fn load_ranges(&mut self) -> Result<bool, Failure> {
        let Some(records) = records::load_or_create(self.ledger, self.run).await? else {
            return Ok(false);
        };
        for record in records {
            let number = record.range_id.number().ok_or_else(|| {
                Failure::invariant(format!("range {} has no number", record.range_id))
            })?;
            self.next_range = self.next_range.max(number + 1);
            self.keep_range(record);
        }
        Ok(true)
    }

    /// Keeps the record of a range until the range is done.
    pub(super) fn keep_range(&mut self, record: RangeRecord) {
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

    /// How many ranges should be listed at once. Those of a list are no more than it has readers; each has several pages of
    /// the target on their way instead.
    pub(super) fn ranges_wanted(&self) -> usize {
        let readers_max = self.list.map_or(usize::MAX, OrderedList::readers_max);
        self.listers.wanted().min(readers_max)
    }

    /// How many ranges are being listed.
    pub(super) fn active(&self) -> usize {
        self.ranges
            .values()
            .filter(|range| range.walk.is_some())
            .count()
    }

    fn end(&self, deadline: Deadline) -> InvocationEnd {
        let manifests = self.steps.lists_written();
        let open = self.ranges.len();
        self.log_progress();
        info!(
            { field::RUN_ID } = %self.run.run_id,
            ranges.open = open,
            work_left_ms = u64::try_from(deadline.work_left(self.clock.now()).as_millis()).unwrap_or(u64::MAX),
            "listed as far as this invocation goes"
        );
        if open == 0 {
            InvocationEnd::Complete {
                manifests,
                small: None,
            }
        } else {
            InvocationEnd::Yielded { manifests }
        }
    }

    pub(super) fn log_progress(&self) {
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

/// A listing that failed for now stops the loop in order, so that the next invocation continues from here. Any other
/// failure ends the invocation at once.
fn stop_of(taken: Result<(), Failure>) -> Result<Option<ListingStop>, Failure> {
    match taken {
        Ok(()) => Ok(None),
        Err(failure) if failure.code.retry() == Retry::Later => {
            Ok(Some(ListingStop::Failed(failure)))
        }
        Err(failure) => Err(failure),
    }
}
