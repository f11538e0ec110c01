//! A range of the run while an invocation works on it.

use std::collections::BTreeSet;

use shardlift_core::{
    plan::{
        RangeWalk, WalkRules,
        range::{KeyRange, RangeRecord, RangeState},
    },
    run::{pair::Side, record::RunRecord},
    value::{id::RangeId, version::LEDGER_VERSION},
};

/// A range of the run.
#[derive(Debug)]
pub(super) struct LiveRange {
    /// As it stands in the ledger.
    pub(super) record: RangeRecord,
    /// Its walk, until it ends.
    pub(super) walk: Option<RangeWalk>,
    /// Sides whose next page is on its way.
    pub(super) awaited: BTreeSet<Side>,
    /// Pages of the source and of the target that this invocation listed of it.
    pub(super) pages: [u64; 2],
    /// Whether keys to split it at are being looked for, or are on their way to the ledger.
    pub(super) is_splitting: bool,
    /// It is not searched for a split before it has so many pages.
    pub(super) search_at_pages: u64,
}

/// A range is searched for a split after this many pages: before, it may be nearly done.
const FIRST_SEARCH_PAGES: u64 = 3;

impl LiveRange {
    pub(super) fn new(record: RangeRecord, rules: &WalkRules) -> Self {
        Self {
            walk: Some(RangeWalk::resume(&record, rules)),
            record,
            awaited: BTreeSet::new(),
            pages: [0; 2],
            is_splitting: false,
            search_at_pages: FIRST_SEARCH_PAGES,
        }
    }

    /// Counts a page of a side.
    pub(super) fn note_page(&mut self, side: Side) {
        self.pages[usize::from(side == Side::Target)] += 1;
    }

    /// Pages of both sides.
    pub(super) fn pages_all(&self) -> u64 {
        self.pages.iter().sum()
    }

    /// The side that has more keys here, as far as one can tell.
    pub(super) fn larger_side(&self) -> Side {
        if self.pages[1] > self.pages[0] {
            Side::Target
        } else {
            Side::Source
        }
    }

    /// Whether it may be searched for a split now.
    pub(super) fn is_splittable(&self) -> bool {
        !self.is_splitting && self.walk.is_some() && self.pages_all() >= self.search_at_pages
    }

    /// A search found nothing: the next one comes after twice as many pages.
    pub(super) fn put_off_search(&mut self) {
        self.search_at_pages = 2 * self.pages_all().max(FIRST_SEARCH_PAGES);
    }
}

/// A range that nobody has walked yet.
pub(crate) fn new_range(run: &RunRecord, range_id: RangeId, bounds: KeyRange) -> RangeRecord {
    RangeRecord {
        schema_version: LEDGER_VERSION,
        run_id: run.run_id.clone(),
        range_id,
        bounds,
        checkpoint: None,
        state: RangeState::Listing,
        expires_at: run.expires_at,
        revision: 1,
    }
}
