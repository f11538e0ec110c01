//! Objects that need nothing, by reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::count::Count;

/// Why an object needs nothing, which is no failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The target had it already.
    Same,
    /// It was planned to be copied, and was gone from the source when its copy began.
    GoneAtSource,
    /// It was planned to be copied, and the filters leave out the version that the source has now.
    FilteredSince,
    /// It must be restored before it can be read, and the run leaves such objects out.
    Archived,
    /// It was planned to be rendered, and is none of the images that a run renders.
    NotAnImage,
    /// It was planned to be deleted, and the source has its key again.
    BackAtSource,
    /// It is the folder marker of the source prefix, and the target prefix is empty: its key at the target would be too.
    RootMarker,
}

impl SkipReason {
    /// The reason in receipts and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::GoneAtSource => "gone_at_source",
            Self::FilteredSince => "filtered_since",
            Self::Archived => "archived",
            Self::NotAnImage => "not_an_image",
            Self::BackAtSource => "back_at_source",
            Self::RootMarker => "root_marker",
        }
    }

    /// The reason as people read it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Same => "the same already",
            Self::GoneAtSource => "gone at the source",
            Self::FilteredSince => "left out by the filters since they changed",
            Self::Archived => "archived",
            Self::NotAnImage => "not an image",
            Self::BackAtSource => "back at the source",
            Self::RootMarker => {
                "the folder marker of the source prefix, which has no key at the target"
            }
        }
    }
}

/// Skipped objects, by reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SkippedCount {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
    /// Objects by reason; empty in records from before reasons were counted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_reason: BTreeMap<SkipReason, u64>,
}

impl SkippedCount {
    /// Adds one object of this size.
    pub fn add_object(&mut self, reason: SkipReason, size_bytes: u64) {
        self.add_count(
            reason,
            Count {
                objects: 1,
                bytes: size_bytes,
            },
        );
    }

    /// Adds objects that are all skipped for one reason; none of them leave no trace.
    pub fn add_count(&mut self, reason: SkipReason, count: Count) {
        if count.objects > 0 {
            *self.by_reason.entry(reason).or_default() += count.objects;
        }
        self.add_to_sum(count);
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        self.add_to_sum(other.count());
        for (&reason, &objects) in &other.by_reason {
            *self.by_reason.entry(reason).or_default() += objects;
        }
    }

    /// Objects and bytes, whatever the reason.
    #[must_use]
    pub fn count(&self) -> Count {
        Count {
            objects: self.objects,
            bytes: self.bytes,
        }
    }

    fn add_to_sum(&mut self, count: Count) {
        let mut sum = self.count();
        sum.add(count);
        (self.objects, self.bytes) = (sum.objects, sum.bytes);
    }
}

/// Copies of versions that are newer than the planned ones. They count among the copied objects with the size that was
/// planned, so that the counts agree with the plan; this is what they differ by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewerCopies {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The bytes of the versions that were planned.
    pub planned_bytes: u64,
}

impl NewerCopies {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds one object.
    pub fn add_object(&mut self, planned_bytes: u64, size_bytes: u64) {
        self.add(Self {
            objects: 1,
            bytes: size_bytes,
            planned_bytes,
        });
    }

    /// Adds other copies. Panics past 2^64 bytes, which is more than S3 holds.
    pub fn add(&mut self, other: Self) {
        let sum = |one: u64, two: u64| one.checked_add(two).expect("byte counts fit 64 bits");
        self.objects += other.objects;
        self.bytes = sum(self.bytes, other.bytes);
        self.planned_bytes = sum(self.planned_bytes, other.planned_bytes);
    }

    /// `copied`, which counts with the planned sizes, with the sizes of what was copied.
    #[must_use]
    pub fn applied_to(&self, copied: Count) -> Count {
        Count {
            objects: copied.objects,
            bytes: copied.bytes.saturating_sub(self.planned_bytes) + self.bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_add_up_to_the_sum() {
        let mut skipped = SkippedCount::default();
        skipped.add_object(SkipReason::GoneAtSource, 5);
        skipped.add_count(SkipReason::Same, Count::default());
        let mut other = SkippedCount::default();
        other.add_object(SkipReason::GoneAtSource, 7);
        other.add_object(SkipReason::RootMarker, 0);
        skipped.add(&other);
        assert_eq!((skipped.objects, skipped.bytes), (3, 12));
        let reasons = [(SkipReason::GoneAtSource, 2), (SkipReason::RootMarker, 1)];
        assert_eq!(skipped.by_reason, reasons.into());
    }

    #[test]
    fn a_count_from_before_there_were_reasons_can_be_read() {
        let read: SkippedCount = serde_json::from_str(r#"{"objects":2,"bytes":3}"#).unwrap();
        assert_eq!((read.count().objects, read.by_reason.len()), (2, 0));
    }

    #[test]
    fn copied_bytes_are_those_of_the_versions_that_arrived() {
        let mut newer = NewerCopies::default();
        newer.add_object(10, 25);
        let copied = Count {
            objects: 2,
            bytes: 14,
        };
        assert_eq!(newer.applied_to(copied).bytes, 29);
    }
}
