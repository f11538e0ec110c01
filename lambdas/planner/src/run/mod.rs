//! A run before and after its listing.
//!
//! `creation` checks a run and writes its record, `target_lock` keeps two runs apart that write the same keys, and `completion` adds up
//! the ledger and writes the index. `request_meter` counts the requests of an invocation.

mod completion;
mod creation;
mod request_meter;

pub(crate) use request_meter::RequestMeter;
