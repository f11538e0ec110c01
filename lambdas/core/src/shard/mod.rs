//! A bounded piece of work, and its progress.
//!
//! [`ShardRecord`] is the ledger's record, [`ShardEvent`] what may happen to it, [`progress`] the bitmap of settled objects,
//! [`settled_objects`] what a copier keeps between two writes of the record, [`note`] what is reported of copied objects,
//! [`CopySamples`] how fast they were copied.

pub mod note;
pub mod progress;
mod record;
mod samples;
pub mod settled_objects;
#[cfg(test)]
mod tests;
mod transition;

pub use record::{
    Lease, NewerVersion, OpenUpload, ShardOutcome, ShardRecord, ShardState, ShardWork,
};
pub use samples::CopySamples;
pub use transition::{IllegalTransition, ShardEvent};
