//! What the functions share that work on shards: the copier and the renderer.
//!
//! Read in this order: [`worker`] (a shard from its claim to its last write), [`ports`] (what it reaches the world through),
//! [`session`] (everything that is kept about the claimed shard), [`work`] (the one loop that drives what is done to each
//! object, and what every such work needs), [`pace`] (when a call may be made, and when it is retried).

pub mod pace;
pub mod ports;
pub mod session;
pub mod work;
pub mod worker;
