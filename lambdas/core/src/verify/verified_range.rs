//! How far the ranges of a run are verified.

use serde::{Deserialize, Serialize};

use crate::{
    plan::range::{self, KeyRange},
    report::Verification,
    run::option::Verify,
    verify::{
        discrepancies::Discrepancies,
        doubts::{Doubt, PlannedVersions},
    },
};

/// A range, how far it is verified, and what was found up to there. It is stored between invocations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VerifiedRange {
    /// What is left of it.
    pub rest: KeyRange,
    /// Whether nothing is left of it.
    pub is_done: bool,
    /// What was found before `rest`.
    pub found: Discrepancies,
    /// What was found before `rest` and the manifests decide about.
    #[serde(default)]
    pub(super) doubts: Vec<Doubt>,
    /// How many of these are kept; further ones are judged as they look, since a false alarm is better than a loss that is
    /// explained away.
    #[serde(default)]
    pub(super) doubts_max: usize,
}

/// How many doubts all ranges keep together: some 20 MB with keys of 100 bytes.
const DOUBTS_MAX: usize = 100_000;
/// How many a range keeps, however many ranges there are.
const DOUBTS_OF_RANGE_MIN: usize = 10;

/// The ranges that verification walks; they tile the key space.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VerifiedRanges(Vec<VerifiedRange>);

impl VerifiedRanges {
    /// Nothing is verified yet. The ranges of the plan are taken when they tile the key space, otherwise one range over
    /// all keys: verification does not depend on the plan.
    #[must_use]
    pub fn begin(mut ranges: Vec<KeyRange>) -> Self {
        ranges.sort_by(|a, b| a.after.cmp(&b.after));
        if !range::tiles(&ranges.iter().collect::<Vec<_>>()) {
            ranges = vec![KeyRange::default()];
        }
        let doubts_max = (DOUBTS_MAX / ranges.len()).max(DOUBTS_OF_RANGE_MIN);
        let begin = |rest| VerifiedRange {
            rest,
            is_done: false,
            found: Discrepancies::default(),
            doubts: Vec::new(),
            doubts_max,
        };
        Self(ranges.into_iter().map(begin).collect())
    }

    /// The ranges that are not done.
    pub fn unfinished(&mut self) -> impl Iterator<Item = &mut VerifiedRange> {
        self.0.iter_mut().filter(|range| !range.is_done)
    }

    /// Whether every range is done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.0.iter().all(|range| range.is_done)
    }

    /// The keys of all doubtful objects, whose planned versions are not known yet.
    #[must_use]
    pub fn doubted(&self) -> PlannedVersions {
        let doubts = self.0.iter().flat_map(|range| &range.doubts);
        doubts.map(|doubt| (doubt.key.clone(), None)).collect()
    }

    /// Decides about every doubtful object by what was planned of it.
    pub fn settle_doubts(&mut self, planned: &PlannedVersions) {
        for range in &mut self.0 {
            for doubt in range.doubts.drain(..) {
                let planned = planned.get(&doubt.key).and_then(Option::as_ref);
                range.found.add(doubt.settled(planned));
            }
        }
    }

    /// What was found so far, except what is doubtful.
    #[must_use]
    pub fn verification(&self, method: Verify) -> Verification {
        let mut sum = Verification::clean(method);
        for VerifiedRange { found, .. } in &self.0 {
            sum.missing += found.missing;
            sum.different += found.different;
            sum.changed_since_start += found.changed_since_start;
            sum.archived += found.archived;
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::key::RelativeKey;

    fn range(after: Option<&str>, until: Option<&str>) -> KeyRange {
        let key = |text| RelativeKey::new(text).unwrap();
        KeyRange {
            after: after.map(key),
            until: until.map(key),
        }
    }

    #[test]
    fn ranges_that_leave_a_gap_are_replaced_by_one_over_all_keys() {
        let tiling = vec![range(Some("m"), None), range(None, Some("m"))];
        assert_eq!(VerifiedRanges::begin(tiling).0.len(), 2);
        for gap in [vec![range(None, Some("m")), range(Some("n"), None)], vec![]] {
            let ranges = VerifiedRanges::begin(gap);
            let [only] = &ranges.0[..] else {
                panic!("{ranges:?}")
            };
            assert_eq!(only.rest, KeyRange::default());
        }
    }
}
