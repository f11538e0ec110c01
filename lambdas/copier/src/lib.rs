//! The copier: claims one shard and gives every object of it an outcome: copied, deleted or failed.
//!
//! Read in this order: [`copier`] (one invocation), [`ports`] (what it reaches the world through), `session` (the claimed
//! shard, from the claim to the last write), `work` (what is done to each object, and the one loop that drives it), `pace`
//! (when a call may be made, and when it is retried).

pub mod copier;
mod pace;
pub mod ports;
mod session;
mod work;
