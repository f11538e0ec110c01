//! A bounded piece of work, and its progress.
//!
//! [`ShardRecord`] is the ledger's record, [`ShardEvent`] what may happen to it, [`progress`] the bitmap of settled objects,
//! [`account`] what a copier keeps between two writes of the record, [`remark`] what is reported of copied objects.

pub mod account;
pub mod progress;
mod record;
pub mod remark;
#[cfg(test)]
mod tests;
mod transition;

pub use record::{Lease, OpenUpload, ShardOutcome, ShardRecord, ShardState, ShardWork};
pub use transition::{IllegalTransition, ShardEvent};
