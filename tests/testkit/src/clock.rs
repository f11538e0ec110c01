//! A clock that a test moves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use shardlift_core::{port::Clock, value::time::Timestamp};

/// A clock that stands still, or moves by a fixed step at each look.
#[derive(Debug, Clone)]
pub struct ManualClock {
    now_ms: Arc<AtomicI64>,
    step_ms: i64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            now_ms: Arc::new(AtomicI64::new(now.as_millis())),
            step_ms: 0,
        }
    }

    /// A clock that moves by `step` at each look, so that deadlines come without waiting.
    #[must_use]
    pub fn stepping(now: Timestamp, step: Duration) -> Self {
        let step_ms = i64::try_from(step.as_millis()).expect("a step fits 64 bits");
        Self {
            now_ms: Arc::new(AtomicI64::new(now.as_millis())),
            step_ms,
        }
    }

    /// Moves the clock.
    pub fn advance(&self, by: Duration) {
        self.now_ms.fetch_add(
            i64::try_from(by.as_millis()).expect("a step fits 64 bits"),
            Ordering::SeqCst,
        );
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now_ms.fetch_add(self.step_ms, Ordering::SeqCst))
    }
}
