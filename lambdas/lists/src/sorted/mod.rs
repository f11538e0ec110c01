//! Lists that are in no order, sorted in bounded memory: entries go into a [`SortBuffer`], each full buffer becomes a run of
//! [`SortedBlock`]s in key order, and a [`RunMerge`] makes one run of several.
//!
//! What is named twice comes out once, in the entry that the list names first.

mod block;
mod record;
mod run_merge;
mod sort_buffer;

pub use block::{OpenBlock, SortedBlock};
pub use record::{EntryPlace, RepeatedEntries};
pub use run_merge::{RunCursor, RunMerge, RunMergeStep};
pub use sort_buffer::{SortBounds, SortBuffer, SortedEntries};
