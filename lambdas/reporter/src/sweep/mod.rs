//! No multipart upload outlives its run (P8): what the copiers left unfinished is aborted when the run is over, and so is
//! the upload of the permission probe.
//!
//! Read `steps` first: it says what becomes of a failure. `sweeper` finds and aborts, `sweep_progress` is what the next
//! invocation goes on from.

mod steps;
mod sweep_progress;
mod sweeper;

pub(crate) use steps::{sweep, sweep_probe};
pub(crate) use sweep_progress::SweepProgress;
pub(crate) use sweeper::has_objects_in_parts;
