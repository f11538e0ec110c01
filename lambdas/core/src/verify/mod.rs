//! Verification: both sides are listed again and compared, which proves the target complete (`verify: relist`).
//!
//! A [`RangeComparison`] takes the pages of one range from both sides and compares them as they stream by; its
//! [`VerifyRules`] judge each object. What it finds is kept in a [`VerifiedRange`], and the [`VerifiedRanges`] of a run add
//! up to its verification. [`ReplannedObjects`] are what a rerun planned although it changed since the listing that the
//! rerun goes back to. A [`Doubt`] is a discrepancy that the manifests decide about, since its date does not. Nothing here waits or calls: one page a side is in memory at a time.

mod discrepancies;
mod doubts;
mod range_comparison;
mod replanned_objects;
mod rules;
mod verified_range;

pub use discrepancies::{Discrepancies, Discrepancy};
pub use doubts::{Doubt, PlannedVersions};
pub use range_comparison::{ComparisonStep, RangeComparison};
pub use replanned_objects::{KeyFingerprint, ReplannedObjects, changed_since};
pub use rules::VerifyRules;
pub use verified_range::{VerifiedRange, VerifiedRanges};
