//! Counts of objects and bytes, by outcome.

use std::{cmp::Reverse, collections::BTreeMap};

use serde::{Deserialize, Serialize};

pub use super::count::Count;
use super::skips::SkippedCount;
use crate::failure::FailureCode;

/// The failed objects, by code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FailedCount {
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
    /// Objects by code.
    pub by_reason: BTreeMap<FailureCode, u64>,
}

impl FailedCount {
    /// Adds one object of this size that failed with `code`.
    pub fn add_object(&mut self, code: FailureCode, size_bytes: u64) {
        self.objects += 1;
        self.bytes = self
            .bytes
            .checked_add(size_bytes)
            .expect("byte counts fit 64 bits");
        *self.by_reason.entry(code).or_default() += 1;
    }

    /// Adds objects that all failed with `code`; none of them leave no trace.
    pub fn add_count(&mut self, code: FailureCode, count: Count) {
        if count.objects > 0 {
            self.objects += count.objects;
            self.bytes = self
                .bytes
                .checked_add(count.bytes)
                .expect("byte counts fit 64 bits");
            *self.by_reason.entry(code).or_default() += count.objects;
        }
    }

    /// The codes and their objects in the order in which reports list them: the most frequent code first, and of equally
    /// frequent ones the first by declaration.
    #[must_use]
    pub fn most_frequent_first(&self) -> Vec<(FailureCode, u64)> {
        most_frequent_first(&self.by_reason)
    }

    /// Takes one object of this size that failed with `code` out again; tells whether it was there.
    #[must_use]
    pub fn remove_object(&mut self, code: FailureCode, size_bytes: u64) -> bool {
        let Some(of_code) = self.by_reason.get_mut(&code) else {
            return false;
        };
        let Some(bytes) = self.bytes.checked_sub(size_bytes) else {
            return false;
        };
        self.bytes = bytes;
        self.objects -= 1;
        *of_code -= 1;
        if *of_code == 0 {
            self.by_reason.remove(&code);
        }
        true
    }

    /// Adds another count.
    pub fn add(&mut self, other: &Self) {
        self.objects += other.objects;
        self.bytes = self
            .bytes
            .checked_add(other.bytes)
            .expect("byte counts fit 64 bits");
        for (&code, &objects) in &other.by_reason {
            *self.by_reason.entry(code).or_default() += objects;
        }
    }
}

/// Codes and their objects: the most frequent code first, and of equally frequent ones the first by declaration.
pub(crate) fn most_frequent_first(
    by_reason: &BTreeMap<FailureCode, u64>,
) -> Vec<(FailureCode, u64)> {
    let mut reasons: Vec<_> = by_reason.iter().map(|(&c, &n)| (c, n)).collect();
    // The map is in the order of the codes, and the sort is stable.
    reasons.sort_by_key(|&(_, objects)| Reverse(objects));
    reasons
}

/// What became of the planned objects of a shard, or of a run. Every settled object is in exactly one count (P4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Copied.
    pub copied: Count,
    /// Not copied, or in a shard of deletions not deleted, for a reason that is no failure.
    pub skipped: SkippedCount,
    /// Deleted at the target.
    pub deleted: Count,
    /// Failed.
    pub failed: FailedCount,
}

impl Tally {
    /// How many objects have an outcome.
    #[must_use]
    pub fn settled_objects(&self) -> u64 {
        self.copied.objects + self.skipped.objects + self.deleted.objects + self.failed.objects
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.copied.add(other.copied);
        self.skipped.add(&other.skipped);
        self.deleted.add(other.deleted);
        self.failed.add(&other.failed);
    }
}

/// Requests to AWS by IAM action, as counted by the adapters; what the cost is computed from. S3's are those that it
/// bills.
pub type RequestCounts = BTreeMap<String, u64>;

/// Among [`RequestCounts`]: the requests that S3 throttled ("slow down"), those included whose retry succeeded. They are
/// not counted under their operation, since S3 bills no request to which it responds with a 5xx.
pub const THROTTLED_REQUESTS: &str = "s3:SlowDown";

/// Among [`RequestCounts`]: the other requests to which S3 responded with a 5xx, which it does not bill either.
pub const SERVER_ERRORS: &str = "s3:ServerError";

/// Among [`RequestCounts`] of a report: the requests that wrote renditions. They cost what the storage class of the run
/// costs; `s3:PutObject` are the writes of documents to the control bucket, which is STANDARD.
pub const RENDITION_WRITES: &str = "s3:PutObject.renditions";

/// Adds requests to a sum.
pub fn add_requests(sum: &mut RequestCounts, more: &RequestCounts) {
    for (operation, count) in more {
        *sum.entry(operation.clone()).or_default() += count;
    }
}

/// The requests between two counts by the same handles, whose counts cover their whole process.
#[must_use]
pub fn requests_between(before: &RequestCounts, mut after: RequestCounts) -> RequestCounts {
    after.retain(|operation, count| {
        *count = count.saturating_sub(before.get(operation).copied().unwrap_or(0));
        *count > 0
    });
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_before_the_first_count_are_not_counted() {
        let counts = |copies, heads| {
            [("s3:CopyObject", copies), ("s3:HeadObject", heads)]
                .map(|(operation, count)| (operation.to_owned(), count))
                .into()
        };
        let mut requests: RequestCounts = counts(10, 0);
        add_requests(
            &mut requests,
            &requests_between(&counts(100, 7), counts(103, 7)),
        );
        assert_eq!(requests, counts(13, 0));
        let none = requests_between(&counts(100, 7), counts(100, 7));
        assert_eq!(none, RequestCounts::new());
    }

    #[test]
    fn what_was_added_can_be_taken_out_again_and_nothing_else() {
        let mut failed = FailedCount::default();
        failed.add_object(FailureCode::Throttled, 5);
        failed.add_object(FailureCode::AccessDenied, 7);
        assert!(!failed.remove_object(FailureCode::ServiceFault, 5));
        assert!(!failed.remove_object(FailureCode::Throttled, 13));
        assert!(failed.remove_object(FailureCode::Throttled, 5));
        let mut other = FailedCount::default();
        other.add_object(FailureCode::AccessDenied, 7);
        assert_eq!(failed, other);
    }
}
