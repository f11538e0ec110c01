//! Where the target differs from what the receipts of the run say.

use crate::{
    documents::receipt::{Receipt, ReceiptOutcome},
    plan::range::KeyRange,
    value::set_sum::SetSum,
    verify::listed_range::{ListedRanges, Segment},
};

/// The segments of a listing of the target, each with what was seen there and with what the receipts say.
#[derive(Debug, Clone)]
pub struct SegmentSums {
    keys: Vec<KeyRange>,
    seen: Vec<SetSum>,
    expected: Vec<SetSum>,
}

impl SegmentSums {
    /// Those of a listing that is done; no receipt is added yet.
    #[must_use]
    pub fn of(ranges: &ListedRanges) -> Self {
        let segments: Vec<&Segment> = ranges.segments().collect();
        Self {
            keys: segments
                .iter()
                .map(|segment| segment.keys.clone())
                .collect(),
            seen: segments.iter().map(|segment| segment.sum).collect(),
            expected: vec![SetSum::default(); segments.len()],
        }
    }

    /// Adds the object that should stand at the target, if the receipt shows one.
    pub fn add(&mut self, receipt: &Receipt) {
        let stands = receipt.outcome.is_vouched() || receipt.outcome == ReceiptOutcome::Beside;
        let key = receipt.key.as_str();
        if let (Some(etag), Some(size_bytes), true) = (&receipt.etag, receipt.size, stands)
            && let Some(at) = position(&self.keys, key)
        {
            self.expected[at].add_object(key, etag, size_bytes);
        }
    }

    /// The segments that differ, in batches of segments with some `objects_max` objects each.
    #[must_use]
    pub fn batches(&self, objects_max: u64) -> Vec<SegmentBatch> {
        let mut batches: Vec<SegmentBatch> = Vec::new();
        let mut objects = objects_max;
        for (at, keys) in self.keys.iter().enumerate() {
            let (seen, expected) = (self.seen[at], self.expected[at]);
            if seen == expected {
                continue;
            }
            let weight = seen.objects.max(expected.objects);
            if objects.saturating_add(weight) > objects_max {
                batches.push(SegmentBatch(Vec::new()));
                objects = 0;
            }
            objects += weight;
            if let Some(SegmentBatch(batch)) = batches.last_mut() {
                batch.push(keys.clone());
            }
        }
        batches
    }
}

/// Segments that are compared object by object together, in key order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentBatch(Vec<KeyRange>);

impl SegmentBatch {
    /// Whether the key lies in one of the segments.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        position(&self.0, key).is_some()
    }

    /// The segments.
    #[must_use]
    pub fn segments(&self) -> &[KeyRange] {
        &self.0
    }
}

/// The one of these ranges, which are in key order and do not overlap, that contains the key.
fn position(ranges: &[KeyRange], key: &str) -> Option<usize> {
    let at = ranges.partition_point(|range| {
        let until = range.until.as_ref();
        until.is_some_and(|until| until.as_str() < key)
    });
    ranges
        .get(at)
        .filter(|range| range.contains(key))
        .map(|_| at)
}
