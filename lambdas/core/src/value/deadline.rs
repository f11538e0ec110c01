//! When an invocation must stop taking work.

use std::time::Duration;

use crate::value::{tally::RequestCounts, time::Timestamp};

/// What an invocation counts as, beside the requests that it makes: `lambda:Invoke` once, and its time by its memory.
pub const INVOKE: &str = "lambda:Invoke";
/// A millisecond of a function of one MB, the finest that Lambda bills (aws.amazon.com/lambda/pricing/).
pub const MB_MILLISECOND: &str = "lambda:MB-Millisecond";

/// The time that is kept for the checkpoint and the response: a fifth of the invocation within these bounds, and never more
/// than half of it. Less than two seconds are too little where the last writes, first the lists of a shard and then its
/// record, wait behind hundreds of copies in flight.
const RESERVE_MIN: Duration = Duration::from_secs(2);
const RESERVE_MAX: Duration = Duration::from_secs(30);
const RESERVE_DIVISOR: u32 = 5;

/// The end of an invocation, and the reserve before it in which no new work is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    began_at: Timestamp,
    ends_at: Timestamp,
    reserve: Duration,
    /// The memory of the function in MB; 0 where nothing is billed.
    memory_mb: u32,
}

impl Deadline {
    /// The deadline of an invocation that began at `began_at` and is killed at `ends_at`.
    #[must_use]
    pub fn new(began_at: Timestamp, ends_at: Timestamp) -> Self {
        let whole = ends_at.since(began_at);
        let reserve = (whole / RESERVE_DIVISOR)
            .clamp(RESERVE_MIN, RESERVE_MAX)
            .min(whole / 2);
        Self {
            began_at,
            ends_at,
            reserve,
            memory_mb: 0,
        }
    }

    /// The same, of a Lambda function of so much memory.
    #[must_use]
    pub fn with_memory_mb(mut self, memory_mb: u32) -> Self {
        self.memory_mb = memory_mb;
        self
    }

    /// What Lambda bills of the invocation until `now`: [`INVOKE`] and [`MB_MILLISECOND`]; nothing outside of Lambda.
    #[must_use]
    pub fn billed(&self, now: Timestamp) -> RequestCounts {
        if self.memory_mb == 0 {
            return RequestCounts::new();
        }
        let milliseconds = u64::try_from(now.since(self.began_at).as_millis()).unwrap_or(u64::MAX);
        RequestCounts::from([
            (INVOKE.to_owned(), 1),
            (
                MB_MILLISECOND.to_owned(),
                milliseconds.saturating_mul(self.memory_mb.into()),
            ),
        ])
    }

    /// The time left for work at `now`; zero once the reserve has begun.
    #[must_use]
    pub fn work_left(&self, now: Timestamp) -> Duration {
        self.ends_at.since(now).saturating_sub(self.reserve)
    }

    /// The time left for what is in flight at `now`: that for work, and half of what is left then, since the other half
    /// is for the last write.
    #[must_use]
    pub fn drain_left(&self, now: Timestamp) -> Duration {
        let work = self.work_left(now);
        work + self.ends_at.since(now).saturating_sub(work) / 2
    }

    /// Whether no new work may be taken at `now`.
    #[must_use]
    pub fn is_near(&self, now: Timestamp) -> bool {
        self.work_left(now).is_zero()
    }

    /// When the invocation is killed.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.ends_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(n: i64) -> Timestamp {
        Timestamp::from_millis(n * 1000)
    }

    #[test]
    fn the_reserve_follows_the_invocation_within_bounds() {
        let long = Deadline::new(seconds(0), seconds(900));
        assert_eq!(long.work_left(seconds(0)), Duration::from_secs(870));
        let short = Deadline::new(seconds(0), seconds(5));
        assert_eq!(short.work_left(seconds(0)), Duration::from_secs(3));
        let brief = Deadline::new(seconds(0), seconds(3));
        assert_eq!(brief.work_left(seconds(0)), Duration::from_millis(1_500));
        let tiny = Deadline::new(seconds(0), seconds(1));
        assert_eq!(tiny.work_left(seconds(0)), Duration::from_millis(500));
    }

    #[test]
    fn an_invocation_is_billed_by_its_time_and_its_memory() {
        let deadline = Deadline::new(seconds(10), seconds(900));
        assert!(deadline.billed(seconds(12)).is_empty());
        let billed = deadline.with_memory_mb(1_024).billed(seconds(12));
        assert_eq!(billed[INVOKE], 1);
        assert_eq!(billed[MB_MILLISECOND], 2_000 * 1_024);
    }

    #[test]
    fn what_is_in_flight_gets_half_of_the_reserve() {
        let deadline = Deadline::new(seconds(0), seconds(900));
        assert_eq!(deadline.drain_left(seconds(0)), Duration::from_secs(885));
        assert_eq!(deadline.drain_left(seconds(870)), Duration::from_secs(15));
        assert_eq!(deadline.drain_left(seconds(880)), Duration::from_secs(10));
        assert_eq!(deadline.drain_left(seconds(901)), Duration::ZERO);
    }

    #[test]
    fn no_work_is_taken_within_the_reserve() {
        let deadline = Deadline::new(seconds(0), seconds(100));
        assert!(!deadline.is_near(seconds(79)));
        assert!(deadline.is_near(seconds(80)));
        assert!(deadline.is_near(seconds(200)));
    }
}
