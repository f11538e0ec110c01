//! A run before and after its listing.
//!
//! `creation` checks a run and writes its record, `pair_lock` keeps two runs over one pair apart, and `completion` adds up
//! the ledger and writes the index. `request_meter` counts the requests of an invocation.

mod completion;
mod creation;
mod pair_lock;
mod request_meter;

pub(crate) use request_meter::RequestMeter;
