//! The model's clock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The clock of a server.
///
/// Dates follow the wall clock plus a skew. The *durations* of the weather run on model time,
/// which passes `time_scale` times as fast as real time. With a scale of 600, a silence of ten
/// minutes takes one real second, and a rate limit grants 600 times as many requests per second.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    skew_s: AtomicI64,
    /// The bits of an `f64`.
    time_scale: AtomicU64,
}

impl Clock {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            skew_s: AtomicI64::new(0),
            time_scale: AtomicU64::new(1f64.to_bits()),
        }
    }

    pub(crate) fn set(&self, skew_s: i64, time_scale: f64) {
        self.skew_s.store(skew_s, Ordering::Relaxed);
        self.time_scale
            .store(time_scale.to_bits(), Ordering::Relaxed);
    }

    pub(crate) fn skew_s(&self) -> i64 {
        self.skew_s.load(Ordering::Relaxed)
    }

    /// Returns the server's date, in seconds since 1970.
    pub(crate) fn now_s(&self) -> u64 {
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |elapsed| elapsed.as_secs());
        wall.saturating_add_signed(self.skew_s())
    }

    /// Returns the model time since the server started, for rate limits.
    pub(crate) fn model_elapsed(&self) -> Duration {
        self.started.elapsed().mul_f64(self.time_scale())
    }

    /// Converts a duration of model time to real time.
    pub(crate) fn real(&self, model: Duration) -> Duration {
        model.div_f64(self.time_scale())
    }

    fn time_scale(&self) -> f64 {
        f64::from_bits(self.time_scale.load(Ordering::Relaxed))
    }
}
