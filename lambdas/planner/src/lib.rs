//! The planner: lists and compares the two sides of a pair and cuts the difference into shards.
//!
//! [`Planner::plan`] is one invocation. `opening` checks a run and writes its record, `survey` lists and writes
//! shards until everything is listed or the deadline is near, `closing` adds the ledger up and writes the index.
//! Everything that an invocation learns is in the ledger before it ends, so the next one goes on from there.

mod access;
mod closing;
mod commit;
mod lock;
mod opening;
mod planner;
mod preflight;
mod request_meter;
mod rerun;
mod shard_records;
mod survey;

pub use planner::{LISTERS_MAX_DEFAULT, Planner, PlannerSettings};
