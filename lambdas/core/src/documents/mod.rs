//! What a run stores in the control bucket.
//!
//! [`control_key`] names the objects, [`manifest`] lists the objects of a shard, [`failure_list`] those that failed,
//! [`failed_objects`] reads both together. [`json_lines`] is the encoding of the lists.

pub mod control_key;
pub mod failed_objects;
pub mod failure_list;
pub mod json_lines;
pub mod manifest;
