//! How fast one copier calls, so that many of them share a limit that none of them knows.
//!
//! Additive increase, multiplicative decrease, per response: a success adds a constant to the rate, a throttled response
//! takes a share of it away. In the balance the throttled share of the calls is `INCREASE / (DECREASE * rate)`: it is
//! the same for all who share a limit, so their rates become the same, and it falls as the rates rise.
//!
//! A copier whose processor is too slow for its rate is never throttled. The lateness of its own calls shows that.

use std::time::Duration;

/// Where all copiers of a run begin together, in calls a second: below one partition's 3,500.
const RATE_FIRST_OF_ALL: f64 = 2_500.0;
/// Where a copier begins at least: fifty that begin together make that much.
const RATE_FIRST: f64 = 50.0;
/// Throttled for minutes, a copier still asks this often.
const RATE_MIN: f64 = 1.0;
/// Calls a second that a success adds while no call was throttled yet: the rate triples in a second (e^1.2 = 3.3), so one
/// copier is at 3,500 within four seconds.
const INCREASE_AT_START: f64 = 1.2;
/// Calls a second that a success adds: the rate grows by 2 % a second.
const INCREASE: f64 = 0.02;
/// After so long without throttling the limit has moved: a partition has split, or other copiers have ended. The increase
/// then grows with the square of the time, until the limit is found again.
const QUIET: Duration = Duration::from_secs(15);
const INCREASE_MAX: f64 = 0.3;
/// The least share of the rate that throttling takes away at a time.
const DECREASE_MIN: f64 = 0.05;
/// The most.
const DECREASE_MAX: f64 = 0.5;
/// Throttled responses within this time are about the same excess: they lower the rate once.
const REACTION: Duration = Duration::from_millis(250);
/// After a rate that was too high for the processor, what has piled up must be worked off before lateness shows anything new.
const RELIEF: Duration = Duration::from_secs(1);
/// How many responses the recent share of throttled ones is averaged over.
const MEMORY_RESPONSES: f64 = 32.0;
/// How much of a second's calls may be made at once after a pause: timers tick in milliseconds.
const BURST: Duration = Duration::from_millis(10);
/// So late to their turns, on average, calls only come when the process has too little processor for its rate. S3 knows
/// nothing of that and does not throttle, however many calls pile up.
const LATE: Duration = Duration::from_millis(20);
/// One wait counts as no more than so many times that: a single long step of the process says nothing about the others.
const LATE_COUNTED_MAX: u32 = 4;
/// How many waits the lateness is averaged over.
const MEMORY_WAITS: f64 = 8.0;
/// While calls had to wait for their turn within this time, the rate is what limits them, and may grow.
const LIMITED_FOR: Duration = Duration::from_secs(1);

/// The pace of one copier. Times are durations since any fixed instant.
#[derive(Debug, Clone)]
pub struct Pacer {
    rate: f64,
    rate_max: f64,
    is_starting: bool,
    throttled_share: f64,
    next_turn: Duration,
    lowered_at: Option<Duration>,
    limited_at: Option<Duration>,
    late_s: f64,
}

impl Pacer {
    /// A pacer that never exceeds `rate_max` calls a second.
    #[must_use]
    pub fn new(rate_max: f64) -> Self {
        let rate_max = rate_max.max(RATE_MIN);
        Self {
            rate: RATE_FIRST.min(rate_max),
            rate_max,
            is_starting: true,
            throttled_share: 0.0,
            next_turn: Duration::ZERO,
            lowered_at: None,
            limited_at: None,
            late_s: 0.0,
        }
    }

    /// Before the first call: how many copiers may begin at once. With few of them each begins faster, since a run of one
    /// shard would be over before its pace is found.
    pub fn begin_among(&mut self, copiers: u64) {
        if self.next_turn.is_zero() {
            let share = RATE_FIRST_OF_ALL / copiers.max(1) as f64;
            self.rate = share.max(RATE_FIRST).min(self.rate_max);
        }
    }

    /// The present rate, in calls a second.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes the next turn; the call is to be made after this delay.
    pub fn take_turn(&mut self, now: Duration) -> Duration {
        let turn = self.next_turn.max(now.saturating_sub(BURST));
        self.next_turn = turn + Duration::from_secs_f64(1.0 / self.rate);
        let delay = turn.saturating_sub(now);
        if !delay.is_zero() {
            self.limited_at = Some(now);
        }
        delay
    }

    /// Notes that a call which was to wait for its turn came so much later than that.
    pub fn came_late(&mut self, now: Duration, by: Duration) {
        let counted = by.min(LATE * LATE_COUNTED_MAX);
        self.late_s += (counted.as_secs_f64() - self.late_s) / MEMORY_WAITS;
        if by > LATE && self.late_s > LATE.as_secs_f64() {
            self.is_starting = false;
            self.lower(now, 1.0 - LATE.as_secs_f64() / self.late_s, RELIEF);
        }
    }

    /// Notes that a call got a response, whatever it was, and was not throttled.
    pub fn responded(&mut self, now: Duration) {
        self.remember(0.0);
        let is_limiting = self
            .limited_at
            .is_some_and(|at| now.saturating_sub(at) <= LIMITED_FOR);
        if is_limiting {
            self.rate = (self.rate + self.increase(now)).min(self.rate_max);
        }
    }

    fn increase(&self, now: Duration) -> f64 {
        if self.is_starting {
            return INCREASE_AT_START;
        }
        let quiet = self
            .lowered_at
            .map_or(Duration::ZERO, |at| now.saturating_sub(at));
        let quiets = quiet.as_secs_f64() / QUIET.as_secs_f64();
        (INCREASE * quiets.max(1.0).powi(2)).min(INCREASE_MAX)
    }

    /// Notes that a call was throttled.
    pub fn throttled(&mut self, now: Duration) {
        self.remember(1.0);
        self.is_starting = false;
        self.lower(now, self.throttled_share, REACTION);
    }

    fn lower(&mut self, now: Duration, share: f64, reaction: Duration) {
        let has_just_reacted = self
            .lowered_at
            .is_some_and(|at| now.saturating_sub(at) < reaction);
        if !has_just_reacted {
            let share = share.clamp(DECREASE_MIN, DECREASE_MAX);
            self.rate = (self.rate * (1.0 - share)).max(RATE_MIN);
            self.lowered_at = Some(now);
        }
    }

    fn remember(&mut self, throttled: f64) {
        self.throttled_share += (throttled - self.throttled_share) / MEMORY_RESPONSES;
    }
}

#[cfg(test)]
mod limit_simulation;
#[cfg(test)]
mod processor_simulation;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copiers_that_begin_together_begin_below_the_limit_and_never_again() {
        for copiers in [1, 2, 50] {
            let mut pacer = Pacer::new(5_000.0);
            pacer.begin_among(copiers);
            let all = pacer.rate() * copiers as f64;
            assert!((all - RATE_FIRST_OF_ALL).abs() < 1.0, "{copiers}: {all}");
        }
        let mut pacer = Pacer::new(100.0);
        pacer.begin_among(1);
        assert!(pacer.rate() <= 100.0, "its cap stands");
        let mut pacer = Pacer::new(5_000.0);
        pacer.begin_among(1_000);
        assert!((pacer.rate() - RATE_FIRST).abs() < 1e-9);
        pacer.take_turn(Duration::ZERO);
        pacer.begin_among(1);
        assert!(
            (pacer.rate() - RATE_FIRST).abs() < 1e-9,
            "it has its own pace by now"
        );
    }

    #[test]
    fn a_single_long_step_of_the_process_is_no_lack_of_processor() {
        let mut pacer = Pacer::new(4_000.0);
        let before = pacer.rate();
        pacer.came_late(Duration::from_secs(1), Duration::from_secs(1));
        assert!((pacer.rate() - before).abs() < 1e-9 && pacer.is_starting);
        for second in 2..6 {
            pacer.came_late(Duration::from_secs(second), Duration::from_secs(1));
        }
        assert!(pacer.rate() < before && !pacer.is_starting);
    }

    #[test]
    fn a_copier_without_work_does_not_grow_faster() {
        let mut pacer = Pacer::new(4_000.0);
        for second in 0..100 {
            let now = Duration::from_secs(second);
            assert_eq!(pacer.take_turn(now), Duration::ZERO);
            pacer.responded(now + Duration::from_millis(40));
        }
        assert!(pacer.rate() <= RATE_FIRST);
    }

    #[test]
    fn the_rate_stays_within_its_bounds() {
        let mut pacer = Pacer::new(100.0);
        for step in 0..1_000_u64 {
            let now = Duration::from_millis(step);
            pacer.take_turn(now);
            pacer.responded(now);
        }
        assert!((pacer.rate() - 100.0).abs() < 1e-9);
        for step in 0..1_000_u64 {
            pacer.throttled(Duration::from_secs(step));
        }
        assert!(pacer.rate() >= RATE_MIN);
    }
}
