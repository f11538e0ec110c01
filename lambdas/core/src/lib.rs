//! The pure domain of Shardlift: its terms, its decisions and the ports to the world.
//!
//! Nothing here touches AWS, a runtime, a clock, the environment or randomness: time and ids come in as arguments,
//! effects go out through the traits in [`port`]. A static test enforces it.
//!
//! Each chapter opens with what it is for. Read them in this order:
//!
//! 1. [`value`]: validated values that cross boundaries.
//! 2. [`failure`]: what can go wrong, for a call and for a run.
//! 3. [`run`]: what a run is asked to do.
//! 4. [`copy`]: how one object is copied, and what proves a copy.
//! 5. [`shard`]: a bounded piece of work and its progress.
//! 6. [`documents`]: what a run stores in the control bucket.
//! 7. [`plan`]: how two listings become shards.
//! 8. [`verify`]: how two listings prove the target complete.
//! 9. [`port`]: the ports to the world.
//! 10. [`access`]: which policy must allow which call, and why a call was refused.
//! 11. [`report`]: the report of a run.

pub mod access;
pub mod copy;
pub mod documents;
pub mod events;
pub mod failure;
pub mod plan;
pub mod port;
pub mod report;
pub mod run;
pub mod shard;
pub mod value;
pub mod verify;
