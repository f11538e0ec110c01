//! Plans of objects that were picked one by one, not listed: what an earlier run left undone, and what a list names.
//!
//! `object_lookup` looks single objects up. [`ShardWriter`] puts [`PickedAction`]s into shards (`open_shards`), and writes them
//! in one transaction with a [`Waypoint`]: how far the picking got.

mod object_lookup;
mod open_shards;
mod picked_action;
mod shard_writer;
mod waypoint;

pub(crate) use object_lookup::{ObjectLookup, gone_version, no_etag};
pub(crate) use picked_action::PickedAction;
pub(crate) use shard_writer::ShardWriter;
pub(crate) use waypoint::Waypoint;
