//! The planner: lists and compares the two sides of a pair and cuts the difference into shards.
//!
//! [`Planner::plan`] is one invocation. What an invocation finds out is in the ledger before it ends, so the next one
//! continues from there. Read in this order: `invocation` (its steps), `run` (what happens before and
//! after listing), `listing` (lists and compares both sides), `rerun` (plans what an earlier run left undone) and `list`
//! (plans what a list names), both through `picked`, and
//! `records` (how a plan gets into the control bucket and the ledger).

mod access;
mod invocation;
mod invocation_end;
mod list;
mod listing;
mod picked;
mod planner;
mod ports;
mod preflight;
mod records;
mod rerun;
mod run;
mod source_listing;

pub use planner::{LISTERS_MAX_DEFAULT, Planner, PlannerSettings};
pub use ports::Ports;
pub use shardlift_lists::SortBounds;
