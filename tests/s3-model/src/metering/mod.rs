//! What the server has done, and what AWS would have charged for it.
//!
//! Read `counters` first (every response adds to them), then `snapshot` and `cost`.

pub(crate) mod cost;
pub(crate) mod counters;
pub(crate) mod snapshot;
