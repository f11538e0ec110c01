//! The renderer: claims one shard and gives every object of it an outcome: rendered, skipped because it is no image,
//! deleted or failed.
//!
//! Read in this order: [`renderer`] (one invocation), `renditions` (from the bytes of an object to its rendition at the
//! target), `room` (how much is held at once), `rendering` (the processor's part). What it shares with the copier, from the
//! claim to the last write of a shard, is `shardlift_worker`; how a picture is made is `shardlift_images`.
//!
//! It is the only function that bytes of objects pass through. None of them is logged, nor part of a message (P10).

pub mod renderer;
mod rendering;
mod renditions;
pub mod room;
