//! What others do while runs are under way.

use fastrand::Rng;

use crate::dice::one_of;

/// What is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// Somebody writes a source object.
    PutSource {
        /// The key below the prefix.
        relative: String,
        /// What it holds.
        content: String,
        /// Its size.
        size_bytes: u64,
    },
    /// Somebody removes a source object.
    RemoveSource(String),
    /// Somebody writes at the target.
    PutTarget {
        /// The key below the prefix.
        relative: String,
        /// What it holds.
        content: String,
        /// Its size.
        size_bytes: u64,
    },
    /// Somebody removes an object of the target.
    RemoveTarget(String),
    /// Somebody stops the execution.
    Stop,
}

/// A deed, done when a run makes its call of this number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The run, by its number.
    pub run: usize,
    /// The call.
    pub call: u64,
    /// What is done.
    pub deed: Deed,
}

/// A call of a run; the first ones, in which a run is planned, are as likely as all later ones.
pub(super) fn call(rng: &mut Rng) -> u64 {
    let longest = one_of(rng, &[20, 50, 120, 300, 600]);
    rng.u64(3..longest)
}
