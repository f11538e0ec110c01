//! Values that cross boundaries: each has one validated type, whose constructor serde uses too.
//!
//! Read [`key`] and [`bucket`] first, then [`arn`], [`action`], [`id`], [`object`], [`storage`], [`header`] and [`time`]. [`tally`] counts objects, bytes and
//! requests, [`set_sum`] is the digest of a set of objects, [`skips`] what needs nothing and why; [`figures`], [`printable`] and [`cell`] write values for people; [`deadline`] divides the time of an invocation.

pub mod action;
pub mod arn;
pub mod bucket;
pub mod cell;
mod count;
pub mod deadline;
pub mod figures;
pub mod header;
pub mod id;
pub mod key;
pub mod object;
pub mod printable;
pub mod set_sum;
pub mod skips;
pub mod storage;
pub mod tally;
pub mod text;
pub mod time;
pub mod version;
