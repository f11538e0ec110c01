//! Lists a target, and names what differs from what a run vouches for: the reporter does when the run ends, and the
//! operator's command whenever it is asked.
//!
//! The rules are [`shardlift_core::verify`]'s. Here they are driven: [`TargetListing`] lists the target, [`Explanation`]
//! names every key that differs by the receipts that [`KnownKeys`] gives, and [`csv_row`] lays out what was found.
//! [`Recheck`] is the whole of it for a run that is reported, of which nothing is read but its documents.

pub mod csv_row;
mod document_receipts;
mod explanation;
mod known_keys;
mod recheck;
mod target_listing;

pub use document_receipts::DocumentReceipts;
pub use explanation::{DifferenceSink, Explained, Explanation};
pub use known_keys::{KnownKey, KnownKeys};
pub use recheck::{Recheck, Rechecked, TargetState};
pub use target_listing::TargetListing;
