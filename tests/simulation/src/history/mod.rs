//! What was seen while a story was played: every version of every object, every invocation, every run.
//!
//! `timeline` holds the versions of the objects of a bucket, `runs` the runs and invocations, `chronicle` all of it, and
//! `watch` judges each effect when it is seen.

mod chronicle;
mod runs;
mod timeline;
mod watch;

pub use chronicle::{Chronicle, Fired, Seen, Violation};
pub use runs::{Function, Invocation, RunLog};
pub use timeline::{Change, Timeline, Version, Who};
