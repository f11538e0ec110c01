//! The decisions of copying.
//!
//! [`method`] says which calls copy an object, [`part_layout`] how it is cut into parts, [`part_shards`] how a very large one is
//! spread over many copiers. [`proof`] compares a finished copy with its source, [`lost_response`] decides whether a write whose
//! response was lost took effect. [`pacer`] is the rate of a copier's calls, [`retry_budget`] how many retries it may make. [`stated_tags`] says
//! which tags a request can state.

#[cfg(test)]
mod example;
pub mod lost_response;
pub mod method;
pub mod pacer;
pub mod part_layout;
pub mod part_shards;
pub mod proof;
pub mod redirect;
pub mod retry_budget;
pub mod stated_tags;
