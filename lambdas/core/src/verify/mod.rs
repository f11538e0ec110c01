//! The proof that the target holds what the run vouches for.
//!
//! What a run vouches for is a set of objects: each key with the ETag that S3 gave for the copy, or that the plan's listing
//! showed for an object that was the same. [`ExpectedTarget`] is its sum, and that of what else stood there. [`ListedRanges`]
//! sums the objects of one listing of the target. Where the two sums are equal, the target holds the very objects that were
//! written or compared, and nothing needs a clock.
//!
//! Where they are not, [`SegmentSums`] finds the stretches of keys that differ, by the receipts of the run, and
//! [`BatchComparison`] compares these object by object: each [`Difference`] names a key. Nothing here waits or calls, and
//! memory does not grow with the number of keys.

mod batch_comparison;
mod difference;
mod expected_target;
mod listed_range;
mod range_listing;
mod segment_sums;

pub use batch_comparison::{BatchComparison, SegmentWalk};
pub use difference::{Difference, DifferenceKind, DifferingObject};
pub use expected_target::{CarriedProof, ExpectedTarget};
pub use listed_range::{ListedRange, ListedRanges, Segment};
pub use range_listing::{ListingStep, RangeListing};
pub use segment_sums::{SegmentBatch, SegmentSums};
