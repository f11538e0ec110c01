//! The comparison of some segments, object by object.

use std::collections::BTreeMap;

use crate::{
    documents::receipt::{Receipt, ReceiptOutcome},
    failure::Failure,
    plan::{range::KeyRange, side_listing::SideListing},
    port::{ListRequest, ObjectPage},
    run::pair::Side,
    value::{
        key::{KeyPrefix, RelativeKey},
        object::ListedObject,
    },
    verify::{
        difference::{Difference, DifferenceKind, DifferingObject},
        segment_sums::SegmentBatch,
    },
};

/// What the run knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Expectation {
    /// It vouches for this object.
    Vouched(DifferingObject),
    /// Whatever stands there is not its business: it left it alone, or could not replace it.
    LeftAlone,
}

/// A batch of segments, with what the run knows of their keys: the objects of the batch are in memory.
#[derive(Debug)]
pub struct BatchComparison {
    batch: SegmentBatch,
    known: BTreeMap<RelativeKey, Expectation>,
    differences: Vec<Difference>,
}

impl BatchComparison {
    /// Nothing is known yet.
    #[must_use]
    pub fn new(batch: SegmentBatch) -> Self {
        Self {
            batch,
            known: BTreeMap::new(),
            differences: Vec::new(),
        }
    }

    /// The segments.
    #[must_use]
    pub fn batch(&self) -> &SegmentBatch {
        &self.batch
    }

    /// Takes a receipt of the run. Those of a run that a rerun goes back to come before its own.
    pub fn add(&mut self, receipt: Receipt) {
        if !self.batch.contains(receipt.key.as_str()) {
            return;
        }
        // Nothing stands there any more, so what does is not of this run.
        if receipt.outcome == ReceiptOutcome::Deleted {
            self.known.remove(&receipt.key);
            return;
        }
        let vouched = receipt.vouched().map(|(etag, size)| DifferingObject {
            etag: etag.clone(),
            size,
        });
        let known = vouched.map_or(Expectation::LeftAlone, Expectation::Vouched);
        self.known.insert(receipt.key, known);
    }

    /// Leaves a key alone that has no receipt, because its object has no outcome.
    pub fn leave_alone(&mut self, key: &str) {
        if self.batch.contains(key)
            && let Ok(key) = RelativeKey::new(key)
        {
            self.known.entry(key).or_insert(Expectation::LeftAlone);
        }
    }

    fn compare(
        &mut self,
        relative: &str,
        object: &ListedObject,
        names_foreign: &impl Fn(&str) -> bool,
    ) -> Option<Difference> {
        let key = RelativeKey::new(relative).ok()?;
        let found = DifferingObject::of(object);
        let (kind, expected) = match self.known.remove(&key) {
            Some(Expectation::LeftAlone) => return None,
            Some(Expectation::Vouched(expected)) if expected == found => return None,
            Some(Expectation::Vouched(expected)) if expected.size == found.size => {
                (DifferenceKind::Content, Some(expected))
            }
            Some(Expectation::Vouched(expected)) => (DifferenceKind::Size, Some(expected)),
            None if names_foreign(relative) => (DifferenceKind::Foreign, None),
            None => return None,
        };
        Some(Difference {
            key,
            kind,
            expected,
            found: Some(found),
        })
    }

    /// All differences in key order, once every segment was walked: what the target did not show is missing.
    #[must_use]
    pub fn finish(self) -> Vec<Difference> {
        let mut differences = self.differences;
        for (key, known) in self.known {
            if let Expectation::Vouched(expected) = known {
                differences.push(Difference {
                    key,
                    kind: DifferenceKind::Missing,
                    expected: Some(expected),
                    found: None,
                });
            }
        }
        differences.sort();
        differences
    }
}

/// The walk through one segment of the target.
#[derive(Debug)]
pub struct SegmentWalk(SideListing);

impl SegmentWalk {
    /// That of these keys of the target prefix.
    #[must_use]
    pub fn begin(prefix: &KeyPrefix, keys: &KeyRange) -> Self {
        let (after, until) = (keys.after.as_ref(), keys.until.as_ref());
        Self(SideListing::new(Side::Target, prefix.clone(), after, until))
    }

    /// Compares what is listed, and returns the request for the next page, if there is one. `names_foreign` tells whether
    /// a key is named of which the run knows nothing.
    pub fn advance(
        &mut self,
        comparison: &mut BatchComparison,
        names_foreign: &impl Fn(&str) -> bool,
    ) -> Option<ListRequest> {
        while let Some((relative, object)) = self.0.front() {
            let difference = comparison.compare(relative, object, names_foreign);
            comparison.differences.extend(difference);
            self.0.pop();
        }
        self.0.next_request(0)
    }

    /// Takes the page that was asked for.
    ///
    /// # Errors
    /// `ListingIncomplete` when the page cannot be trusted (P11).
    pub fn feed(&mut self, page: ObjectPage) -> Result<(), Failure> {
        self.0.feed(page)
    }
}
