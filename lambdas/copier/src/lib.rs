//! The copier: claims one shard and gives every object of it an outcome: copied, deleted or failed.
//!
//! [`copier`] is one invocation, `work` how an object is copied. What it shares with the renderer, from the claim to the last
//! write of a shard, is `shardlift_worker`.

pub mod copier;
mod work;
