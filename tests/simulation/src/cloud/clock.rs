//! A clock that shows the virtual time of the runtime.

use shardlift_core::{port::Clock, value::time::Timestamp};
use tokio::time::Instant;

/// When every story begins.
///
/// # Panics
/// Never.
#[must_use]
pub fn began_at() -> Timestamp {
    Timestamp::parse("2026-11-22T01:00:00Z").expect("it is an instant")
}

/// The virtual time since the beginning of the story.
#[derive(Debug, Clone, Copy)]
pub struct VirtualClock {
    began: Instant,
}

impl VirtualClock {
    /// One that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self {
            began: Instant::now(),
        }
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        began_at().plus(self.began.elapsed())
    }
}
