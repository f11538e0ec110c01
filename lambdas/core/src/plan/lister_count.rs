//! How many ranges are listed at once: more while the rate rises, fewer when S3 throttles.

use std::time::Duration;

use crate::value::time::Timestamp;

/// How long a number of listers is measured before the next decision.
const WINDOW: Duration = Duration::from_millis(250);
/// More listers must raise the rate by this many percent to be worth it.
const GAIN_PERCENT_MIN: u64 = 10;
/// After a SlowDown no lister is added for this many windows: 10 s. S3 takes 30 to 60 minutes to split a hot partition, but
/// listing continues meanwhile.
const WINDOWS_AFTER_THROTTLING: u32 = 40;
/// After this many plateaus the number stays, until the rate falls by as much as it should have risen.
const PLATEAUS_MAX: u32 = 2;

/// The number of ranges to list at once.
#[derive(Debug, Clone)]
pub struct ListerCount {
    wanted: usize,
    max: usize,
    window_began_at: Option<Timestamp>,
    window_keys: u64,
    best_rate: u64,
    plateaus: u32,
    held_windows: u32,
    throttled: u64,
    lowered_at: Option<Timestamp>,
}

impl ListerCount {
    /// Begins with `first` listers, and never has more than `max`.
    #[must_use]
    pub fn new(first: usize, max: usize) -> Self {
        let max = max.max(1);
        Self {
            wanted: first.clamp(1, max),
            max,
            window_began_at: None,
            window_keys: 0,
            best_rate: 0,
            plateaus: 0,
            held_windows: 0,
            throttled: 0,
            lowered_at: None,
        }
    }

    /// How many listers there should be.
    #[must_use]
    pub fn wanted(&self) -> usize {
        self.wanted
    }

    /// Notes that a page of `keys` arrived while `active` ranges were listed.
    pub fn note_page(&mut self, now: Timestamp, keys: usize, active: usize) {
        let Some(began_at) = self.window_began_at else {
            // The keys of the page that opens the first window were listed before it.
            self.window_began_at = Some(now);
            return;
        };
        self.window_keys += keys as u64;
        let elapsed = now.since(began_at);
        if elapsed < WINDOW {
            return;
        }
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        let rate = self.window_keys.saturating_mul(1_000) / elapsed_ms.max(1);
        self.window_began_at = Some(now);
        self.window_keys = 0;
        self.judge(rate, active);
    }

    /// Notes that S3 has throttled `throttled` requests in total. Those of one window have the same cause, and lower the
    /// number once.
    pub fn note_throttling(&mut self, now: Timestamp, throttled: u64) {
        let is_more = throttled > self.throttled;
        self.throttled = throttled;
        let has_just_reacted = self.lowered_at.is_some_and(|at| now.since(at) < WINDOW);
        if is_more && !has_just_reacted {
            self.lowered_at = Some(now);
            self.lower();
        }
    }

    /// Ignores requests that were throttled before.
    pub fn ignore_throttling(&mut self, throttled: u64) {
        self.throttled = throttled;
    }

    fn lower(&mut self) {
        self.wanted = (self.wanted / 2).max(1);
        self.held_windows = WINDOWS_AFTER_THROTTLING;
        self.best_rate = 0;
        self.plateaus = 0;
    }

    fn judge(&mut self, rate: u64, active: usize) {
        if self.held_windows > 0 {
            self.held_windows -= 1;
            return;
        }
        // With fewer listers at work than wanted, the rate does not show what more of them would do.
        if active < self.wanted || self.wanted == self.max {
            return;
        }
        if rate.saturating_mul(100) >= self.best_rate.saturating_mul(100 + GAIN_PERCENT_MIN) {
            self.best_rate = rate;
            self.plateaus = 0;
            self.wanted = (self.wanted * 2).min(self.max);
        } else if self.plateaus < PLATEAUS_MAX {
            self.plateaus += 1;
        }
        if self.plateaus == PLATEAUS_MAX
            && rate.saturating_mul(100 + GAIN_PERCENT_MIN) < self.best_rate.saturating_mul(100)
        {
            // The key space changed, so the best number has to be found anew.
            self.best_rate = rate;
            self.plateaus = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `windows` windows in which `rate` gives the keys per second of a number of listers.
    fn run(count: &mut ListerCount, windows: i64, rate: impl Fn(usize) -> u64) {
        let start = count.window_began_at.unwrap_or_default();
        for window in 1..=windows {
            let now = start.plus(WINDOW * u32::try_from(window).unwrap());
            let keys = usize::try_from(rate(count.wanted()) / 4).unwrap();
            count.note_page(now, keys, count.wanted());
        }
    }

    #[test]
    fn listers_are_added_while_they_list_faster() {
        let mut count = ListerCount::new(1, 32);
        run(&mut count, 20, |listers| 25_000 * listers as u64);
        assert_eq!(count.wanted(), 32);
    }

    #[test]
    fn listers_are_not_added_when_the_rate_stops_rising() {
        let mut count = ListerCount::new(1, 64);
        run(&mut count, 50, |listers| 25_000 * listers.min(8) as u64);
        assert!((8..=16).contains(&count.wanted()), "{}", count.wanted());
    }

    #[test]
    fn a_slow_down_halves_them_and_holds() {
        let mut count = ListerCount::new(16, 64);
        let at = |windows: u32| Timestamp::default().plus(WINDOW * windows);
        for throttled in 1..=32 {
            count.note_throttling(at(1), throttled);
        }
        assert_eq!(count.wanted(), 8, "a wave of them counts once");
        count.note_throttling(at(2), 32);
        assert_eq!(count.wanted(), 8, "none came since");
        run(&mut count, 20, |listers| 25_000 * listers as u64);
        assert_eq!(count.wanted(), 8);
        run(&mut count, 60, |listers| 25_000 * listers as u64);
        assert!(count.wanted() > 8, "it tries again later");
        for wave in 1..=9 {
            count.note_throttling(at(1_000 + wave), 32 + u64::from(wave));
        }
        assert_eq!(count.wanted(), 1);
    }

    #[test]
    fn idle_listers_are_no_reason_for_more() {
        let mut count = ListerCount::new(4, 64);
        for window in 0..20 {
            count.note_page(Timestamp::from_millis(window * 300), 1_000, 1);
        }
        assert_eq!(count.wanted(), 4);
    }
}
