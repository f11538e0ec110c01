//! The lock on a target prefix, so that two runs never write the same keys at once.
//!
//! [`TargetLock`] takes it for a run: the planner for its own, the intake for the one that it is about to start.
//! [`check_held`] asks whether a run holds it still: copiers and reporter do before they act, because a run that was stopped
//! and is redriven may have lost it meanwhile.

mod check;
mod running;
mod target_lock;
mod turn;

pub use check::check_held;
pub use target_lock::{Holder, Taken, TargetLock, still_under_way};
