//! Splitting the ranges of a list in key order where its survey set marks, which takes no request.

use shardlift_core::{
    failure::Failure,
    plan::split,
    value::{
        id::RangeId,
        key::{ObjectKey, RelativeKey},
    },
};

use super::{
    listing_loop::{ListingLoop, RANGES_MAX},
    live_range::LiveRange,
    range_splits::SPLIT_KEYS_MAX,
};
use crate::{list::OrderedList, ports::Ports};

impl<P: Ports> ListingLoop<'_, P> {
    /// Splits the range with the most marks while readers are idle, one range at a time.
    pub(super) fn split_list(&mut self) -> Result<(), Failure> {
        let Some(list) = self.list.filter(|_| self.next_range < RANGES_MAX) else {
            return Ok(());
        };
        let idle = self.ranges_wanted().saturating_sub(self.active());
        if idle == 0 || self.ranges.values().any(|range| range.is_splitting) {
            return Ok(());
        }
        let marks = |range: &LiveRange| (range.record.range_id.clone(), self.marks(list, range));
        let marked = self.ranges.values().map(marks);
        let most: Option<(RangeId, &[ObjectKey])> = marked.max_by_key(|(_, marks)| marks.len());
        let Some((range_id, marks)) = most.filter(|(_, marks)| !marks.is_empty()) else {
            return Ok(());
        };
        let prefix = &self.run.spec.pair.source.prefix;
        let relative = |key: &ObjectKey| RelativeKey::new(key.relative_to(prefix)?).ok();
        let keys = split::thinned(marks, idle.min(SPLIT_KEYS_MAX));
        let keys = keys.iter().filter_map(relative).collect();
        self.split_at(&range_id, keys)
    }

    /// The marks ahead of a range's walk.
    fn marks<'l>(&self, list: &'l OrderedList<'_, P>, range: &LiveRange) -> &'l [ObjectKey] {
        let prefix = &self.run.spec.pair.source.prefix;
        let bounds = &range.record.bounds;
        let Some(walk) = &range.walk else {
            return &[];
        };
        let ahead = walk
            .listed_through()
            .or(bounds.after.as_ref().map(RelativeKey::as_str));
        let key = |relative: &str| prefix.join(relative).ok();
        let until = bounds.until.as_ref().and_then(|until| key(until.as_str()));
        list.marks_between(ahead.and_then(key).as_ref(), until.as_ref())
    }
}
