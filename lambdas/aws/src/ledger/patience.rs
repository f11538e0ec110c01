//! How often an unsettled write is made again, and after which pauses.

use std::time::Duration;

use shardlift_core::failure::fault::FaultKind;

/// How often a write is made again that failed without being throttled.
const FAULTS_MAX: u32 = 3;
/// How long a throttled write is made again: a table on demand doubles within minutes and borrows from its burst within
/// seconds, and the SDK does not repeat a canceled transaction, whichever of its records was throttled.
const THROTTLED_MAX: Duration = Duration::from_secs(30);
const PAUSE_FIRST: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The writes of one record or transaction so far.
#[derive(Debug, Default)]
pub(super) struct Patience {
    faults: u32,
    throttles: u32,
}

impl Patience {
    /// How long to wait before the write is made again, or nothing when it was made often enough: `since_first` ago for
    /// the first time.
    ///
    /// Full jitter, so that planners and copiers that were throttled together do not return together
    /// (aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    pub(super) fn pause_after(
        &mut self,
        kind: FaultKind,
        since_first: Duration,
    ) -> Option<Duration> {
        let repeats = if kind == FaultKind::Throttled {
            let is_over = since_first >= THROTTLED_MAX;
            (!is_over).then_some(&mut self.throttles)
        } else {
            (self.faults < FAULTS_MAX).then_some(&mut self.faults)
        }?;
        let doubled = PAUSE_FIRST.saturating_mul(1 << (*repeats).min(16));
        *repeats += 1;
        Some(doubled.min(PAUSE_MAX).mul_f64(fastrand::f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_throttled_write_is_made_again_for_half_a_minute_and_another_one_three_times() {
        let mut patience = Patience::default();
        for repeats in 0..FAULTS_MAX {
            let pause = patience.pause_after(FaultKind::NoAnswer, THROTTLED_MAX);
            assert!(pause.unwrap() <= PAUSE_FIRST * (1 << repeats));
        }
        let since = Duration::ZERO;
        assert_eq!(patience.pause_after(FaultKind::ServiceError, since), None);
        let just_before = THROTTLED_MAX - Duration::from_millis(1);
        for _ in 0..100 {
            let pause = patience.pause_after(FaultKind::Throttled, just_before);
            assert!(pause.unwrap() <= PAUSE_MAX);
        }
        let over = patience.pause_after(FaultKind::Throttled, THROTTLED_MAX);
        assert_eq!(over, None);
    }

    #[test]
    fn pauses_grow_and_differ() {
        let longest = |writes: u32| {
            let pauses = (0..100).map(|_| {
                let mut patience = Patience::default();
                let pauses = (0..writes)
                    .filter_map(|_| patience.pause_after(FaultKind::Throttled, Duration::ZERO));
                pauses.last().unwrap()
            });
            let pauses: std::collections::BTreeSet<Duration> = pauses.collect();
            assert!(pauses.len() > 1, "they are random");
            pauses.last().copied().unwrap()
        };
        assert!(longest(1) <= PAUSE_FIRST);
        assert!(longest(20) > PAUSE_MAX / 2);
    }
}
