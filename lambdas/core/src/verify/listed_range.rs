//! How far the ranges of the target are listed, and what was seen there.

use serde::{Deserialize, Serialize};

use crate::{
    plan::range::{self, KeyRange},
    value::{key::RelativeKey, set_sum::SetSum},
};

/// Into how many segments a target is divided at most, whatever the number of its keys: some 1 MB.
const SEGMENTS_MAX: u64 = 4_096;
/// A segment has at least so many objects, unless its range ends: a page of a listing.
const SEGMENT_OBJECTS_MIN: u64 = 1_000;

/// The sum of a stretch of a range.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Segment {
    /// Its keys.
    pub keys: KeyRange,
    /// Their objects.
    pub sum: SetSum,
}

/// A range, how far it is listed, and what was seen up to there. It is stored between invocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedRange {
    /// What is left of it.
    pub rest: KeyRange,
    /// Whether nothing is left of it.
    pub is_done: bool,
    /// What was seen before `rest`, in segments that meet.
    segments: Vec<Segment>,
    segment_objects: u64,
}

impl ListedRange {
    fn new(bounds: KeyRange, segment_objects: u64) -> Self {
        Self {
            rest: bounds,
            is_done: false,
            segments: Vec::new(),
            segment_objects,
        }
    }

    /// Adds what was seen up to `through`, or up to the end of the range.
    pub(super) fn add(&mut self, seen: &SetSum, through: Option<RelativeKey>) {
        let after = self.rest.after.clone();
        let until = through.clone().or_else(|| self.rest.until.clone());
        let open = self.segments.last_mut();
        match open.filter(|open| open.sum.objects < self.segment_objects) {
            Some(open) => {
                open.sum.add(seen);
                open.keys.until = until;
            }
            None => self.segments.push(Segment {
                keys: KeyRange { after, until },
                sum: *seen,
            }),
        }
        match through {
            Some(through) => self.rest.after = Some(through),
            None => self.is_done = true,
        }
    }
}

/// The ranges of the target; they tile the key space.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ListedRanges(Vec<ListedRange>);

impl ListedRanges {
    /// Nothing is listed yet, and some `objects` are expected. The ranges of the plan are taken when they tile the key space,
    /// otherwise one range over all keys: the proof does not depend on the plan.
    #[must_use]
    pub fn begin(mut ranges: Vec<KeyRange>, objects: u64) -> Self {
        ranges.sort_by(|a, b| a.after.cmp(&b.after));
        if !range::tiles(&ranges.iter().collect::<Vec<_>>()) {
            ranges = vec![KeyRange::default()];
        }
        let segment_objects = (objects / SEGMENTS_MAX).max(SEGMENT_OBJECTS_MIN);
        let begin = |bounds| ListedRange::new(bounds, segment_objects);
        Self(ranges.into_iter().map(begin).collect())
    }

    /// The ranges that are not done.
    pub fn unfinished(&mut self) -> impl Iterator<Item = &mut ListedRange> {
        self.0.iter_mut().filter(|range| !range.is_done)
    }

    /// Whether every range is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.iter().all(|range| range.is_done)
    }

    /// The sum of all objects that were seen.
    #[must_use]
    pub fn seen(&self) -> SetSum {
        let segments = self.segments();
        segments.fold(SetSum::default(), |sum, segment| sum.plus(&segment.sum))
    }

    /// The segments, in key order.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.0.iter().flat_map(|range| &range.segments)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::object::ETag;

    fn range(after: Option<&str>, until: Option<&str>) -> KeyRange {
        let key = |text| RelativeKey::new(text).unwrap();
        KeyRange {
            after: after.map(key),
            until: until.map(key),
        }
    }

    fn sum(objects: u64) -> SetSum {
        let mut sum = SetSum::default();
        for number in 0..objects {
            sum.add_object(&number.to_string(), &ETag::new("e").unwrap(), 1);
        }
        sum
    }

    #[test]
    fn ranges_that_leave_a_gap_are_replaced_by_one_over_all_keys() {
        let tiling = vec![range(Some("m"), None), range(None, Some("m"))];
        assert_eq!(ListedRanges::begin(tiling, 0).0.len(), 2);
        for gap in [vec![range(None, Some("m")), range(Some("n"), None)], vec![]] {
            let ranges = ListedRanges::begin(gap, 0);
            let [only] = &ranges.0[..] else {
                panic!("{ranges:?}")
            };
            assert_eq!(only.rest, KeyRange::default());
        }
    }

    #[test]
    fn segments_meet_and_are_no_more_than_they_may_be() {
        let mut ranges = ListedRanges::begin(vec![KeyRange::default()], 3_000 * SEGMENTS_MAX);
        let range = ranges.unfinished().next().unwrap();
        for page in 0..10 {
            let through = RelativeKey::new(format!("{page}")).unwrap();
            range.add(&sum(1_000), Some(through));
        }
        range.add(&sum(5), None);
        let segments: Vec<&Segment> = ranges.segments().collect();
        let objects: Vec<u64> = segments.iter().map(|segment| segment.sum.objects).collect();
        assert_eq!(objects, [3_000, 3_000, 3_000, 1_005]);
        assert!(range::tiles(
            &segments
                .iter()
                .map(|segment| &segment.keys)
                .collect::<Vec<_>>()
        ));
        assert!(ranges.is_done());
        assert_eq!(ranges.seen().objects, 10_005);
    }
}
