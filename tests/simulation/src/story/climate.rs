//! How bad the weather is, by service.

use std::time::Duration;

use fastrand::Rng;

use crate::dice::{happens, one_of};

/// How often things go wrong, each in so many of a thousand cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Climate {
    /// Calls to the two buckets through the target role, and listings of the source.
    pub buckets: u32,
    /// Calls to the control bucket.
    pub control: u32,
    /// Calls to the ledger.
    pub ledger: u32,
    /// Calls to STS, Step Functions and SNS.
    pub others: u32,
    /// Faults that no retry helps against: refusals, sessions that expire.
    pub denials: u32,
    /// Calls that take minutes.
    pub slow_calls: u32,
    /// Invocations whose process is killed at some call, or at some await.
    pub kills: u32,
    /// Invocations that have seconds instead of 15 minutes.
    pub short: u32,
    /// Invocations that are delivered twice.
    pub twice: u32,
    /// Invocations that go on although the machine believes that they are dead.
    pub ghosts: u32,
    /// Invocations that Lambda refuses to begin, or whose response is lost.
    pub lambda: u32,
    /// Reads of the Map's index that fail.
    pub index: u32,
    /// One function that crashes each time in one of so many runs.
    pub crashing: u32,
}

impl Climate {
    /// That of a story.
    pub(super) fn of(rng: &mut Rng) -> Self {
        let level = one_of(rng, &[0, 0, 1, 1, 2, 2, 3, 3, 4]);
        if level == 0 {
            // Time alone may be short: nothing goes wrong for that.
            return Self {
                short: if happens(rng, 400) { 600 } else { 0 },
                ..Self::default()
            };
        }
        // Most stories have one kind of trouble more than others.
        let mut some = |mild: u32| {
            let factor = one_of(rng, &[0, 0, 1, 1, 1, 2, 4]);
            mild * factor * [0, 1, 3, 8, 20][level] / 4
        };
        Self {
            buckets: some(6),
            control: some(4),
            ledger: some(5),
            others: some(5),
            denials: some(1),
            slow_calls: some(4),
            kills: some(60),
            short: some(120),
            twice: some(30),
            ghosts: some(50),
            lambda: some(30),
            index: some(40),
            crashing: some(15),
        }
    }

    /// Whether nothing ever goes wrong.
    #[must_use]
    pub fn is_calm(&self) -> bool {
        *self == Self::default()
    }
}

/// How much time an invocation has.
pub(crate) fn time_of_invocation(rng: &mut Rng, climate: &Climate) -> Duration {
    if happens(rng, climate.short) {
        Duration::from_secs(rng.u64(3..30))
    } else {
        Duration::from_secs(900)
    }
}
