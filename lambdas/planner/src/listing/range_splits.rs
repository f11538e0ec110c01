//! Splitting the range that has listed the most while it is listed, so that no lister is idle.

use futures::future::FutureExt;
use shardlift_aws::telemetry::field;
use shardlift_core::{
    failure::{Failure, fault::CallFault},
    run::pair::Side,
    value::{id::RangeId, key::RelativeKey},
};
use tracing::debug;

use super::{
    listing_loop::{Event, ListingLoop, RANGES_MAX},
    split_search::{self, FoundKeys},
};
use crate::{access, ports::Ports};

/// The most searches under way at once.
const SEARCHES_MAX: usize = 4;
/// Looking for splits costs listing requests, as pages do. So many are spent on a fast start, and later one for so many
/// pages.
const SPLIT_REQUESTS_FREE: u64 = 200;
const PAGES_PER_SPLIT_REQUEST: u64 = 5;
/// About what a search takes.
const REQUESTS_PER_SEARCH: u64 = 50;
/// The most new ranges of one split. With the split range they make one step in the ledger.
pub(super) const SPLIT_KEYS_MAX: usize = 32;

impl<P: Ports> ListingLoop<'_, P> {
    /// Looks for splits in the ranges that have listed the most, as long as listers are idle.
    pub(super) fn search_for_splits(&mut self) {
        if self.list.is_some() {
            return;
        }
        while self.searches < SEARCHES_MAX && self.next_range < RANGES_MAX {
            // Those of searches under way count, or four of them would go far beyond.
            let spent = self.split_requests + self.searches as u64 * REQUESTS_PER_SEARCH;
            if spent > SPLIT_REQUESTS_FREE + self.pages / PAGES_PER_SPLIT_REQUEST {
                return;
            }
            let idle = self
                .listers
                .wanted()
                .saturating_sub(self.active() + self.searches);
            if idle == 0 {
                return;
            }
            let hottest = self
                .ranges
                .values()
                .filter(|range| range.is_splittable())
                .max_by_key(|range| range.pages_all())
                .map(|range| range.record.range_id.clone());
            let Some(range_id) = hottest else { return };
            self.search(range_id, idle.min(SPLIT_KEYS_MAX));
        }
    }

    fn search(&mut self, range_id: RangeId, wanted: usize) {
        let Some(range) = self.ranges.get_mut(&range_id) else {
            return;
        };
        let side = range.larger_side();
        let frontier = range.walk.as_ref().and_then(|walk| walk.frontier(side));
        let Some(frontier) = frontier.map(ToOwned::to_owned) else {
            range.put_off_search();
            return;
        };
        range.is_splitting = true;
        self.searches += 1;
        let until = range.record.bounds.until.clone();
        let (source, target) = (self.source, self.target);
        let pair = &self.run.spec.pair;
        let call = async move {
            let until = until.as_ref().map(RelativeKey::as_str);
            let keys = match side {
                Side::Source => {
                    split_search::find(source, &pair.source.prefix, &frontier, until, wanted).await
                }
                Side::Target => {
                    split_search::find(target, &pair.target.prefix, &frontier, until, wanted).await
                }
            };
            Event::SplitKeys(range_id, side, keys)
        };
        self.in_flight.push(call.boxed());
    }

    /// Splits a range at the keys that were found, as far as its walk is not past them.
    pub(super) fn take_split_keys(
        &mut self,
        range_id: &RangeId,
        side: Side,
        found: Result<FoundKeys, CallFault>,
    ) -> Result<(), Failure> {
        self.searches -= 1;
        let Some(range) = self.ranges.get_mut(range_id) else {
            return Ok(());
        };
        range.is_splitting = false;
        let keys = match found {
            Ok(found) => {
                self.split_requests += found.requests;
                found.keys
            }
            Err(fault) if fault.is_transient() => {
                debug!({ field::RANGE_ID } = %range_id, { field::ERROR_DETAIL } = %fault, "no split was found for now");
                Vec::new()
            }
            Err(fault) => {
                return Err(access::listing_failure(fault, side, &self.run.spec.pair));
            }
        };
        range.put_off_search();
        let frontier = range.walk.as_ref().and_then(|walk| walk.frontier(side));
        let is_ahead = |key: &RelativeKey| frontier.is_some_and(|frontier| key.as_str() > frontier);
        let keys = keys.into_iter().filter(is_ahead).collect();
        self.split_at(range_id, keys)
    }

    /// Splits a range at existing keys, in order, as far as its walk is not past them.
    pub(super) fn split_at(
        &mut self,
        range_id: &RangeId,
        keys: Vec<RelativeKey>,
    ) -> Result<(), Failure> {
        let Some(range) = self.ranges.get_mut(range_id) else {
            return Ok(());
        };
        let Some(walk) = &mut range.walk else {
            return Ok(());
        };
        let bounds = &range.record.bounds;
        let is_inside =
            |key: &RelativeKey| bounds.contains(key.as_str()) && bounds.until.as_ref() != Some(key);
        let keys: Vec<RelativeKey> = keys.into_iter().filter(is_inside).collect();
        let is_narrowed = keys.first().is_some_and(|first| walk.narrow(first));
        if !is_narrowed {
            return Ok(());
        }
        range.is_splitting = true;
        let first_number = self.next_range;
        self.next_range += u32::try_from(keys.len())
            .map_err(|_| Failure::invariant("more splits than numbers"))?;
        self.steps.add_split(range_id.clone(), keys, first_number);
        Ok(())
    }
}
