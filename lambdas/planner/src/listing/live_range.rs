//! A range while an invocation lists it.

use std::collections::BTreeSet;

use shardlift_core::{
    plan::{RangeWalk, WalkRules, range::RangeRecord},
    run::pair::Side,
};

/// A range that this invocation lists.
#[derive(Debug)]
pub(super) struct LiveRange {
    /// The record in the ledger.
    pub(super) record: RangeRecord,
    /// The walk through both listings, until it ends.
    pub(super) walk: Option<RangeWalk>,
    /// Sides whose next page was requested.
    pub(super) awaited: BTreeSet<Side>,
    /// Pages of the source and of the target that this invocation listed.
    pub(super) pages: [u64; 2],
    /// Whether a search for split keys is under way, or a split waits for the ledger.
    pub(super) is_splitting: bool,
    /// The next search for split keys waits until this many pages are listed.
    pub(super) search_at_pages: u64,
}

/// The first search waits for this many pages, because a shorter range may be nearly done.
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

    /// The side with more pages so far.
    pub(super) fn larger_side(&self) -> Side {
        if self.pages[1] > self.pages[0] {
            Side::Target
        } else {
            Side::Source
        }
    }

    /// Whether to search for split keys now.
    pub(super) fn is_splittable(&self) -> bool {
        !self.is_splitting && self.walk.is_some() && self.pages_all() >= self.search_at_pages
    }

    /// Puts the next search off until twice as many pages are listed.
    pub(super) fn put_off_search(&mut self) {
        self.search_at_pages = 2 * self.pages_all().max(FIRST_SEARCH_PAGES);
    }
}
