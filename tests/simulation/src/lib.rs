//! Whole runs of Shardlift, simulated: the real handlers of all functions over ports in memory, the real routes of the state
//! machine, a virtual clock, and one seed that decides everything.
//!
//! Read `play` first: it plays the story of a seed. `story` is what the seed decides, `cloud` the world in which the
//! functions run and what happens to their calls, `asl` the state machine, `history` what was seen, `judge` what must hold
//! (docs/SEMANTICS.md), `pictures` what becomes of images, `mutation` the faults that must be found, `shrink` a short story of a failure.

pub mod asl;
pub mod cloud;
pub mod dice;
pub mod history;
pub mod judge;
pub mod mutation;
pub mod pictures;
pub mod play;
pub mod shrink;
pub mod story;

/// The state machine's definition, as it is deployed.
///
/// # Panics
/// When it is no JSON.
#[must_use]
pub fn sync_machine() -> serde_json::Value {
    let text = include_str!("../../../statemachine/sync.asl.json");
    serde_json::from_str(text).expect("the definition is JSON")
}
