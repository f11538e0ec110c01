//! Lists and compares both sides, and cuts the difference into shards.
//!
//! `listing_loop` owns the state of one invocation. Its methods are grouped by what they deal with: `page_requests`
//! (asking for pages and merging them), `range_splits` and `split_search` (splitting the ranges that list the most), `list_splits` (those of a list in key order),
//! `step_commits` (sending steps to the ledger). `live_range` is a range that is being listed, `step_queue` holds the
//! steps that wait for the ledger.

mod list_splits;
mod listing_loop;
mod live_range;
mod page_requests;
mod range_splits;
mod split_search;
mod step_commits;
mod step_queue;

pub(crate) use listing_loop::ListingLoop;
