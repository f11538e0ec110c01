//! A copier whose processor is too slow for its rate, simulated: one that is slow, and a share of a fast one, as a Lambda
//! has it.

use std::{collections::BTreeMap, time::Duration};

use super::Pacer;

/// From sending a call to its response.
const LATENCY: Duration = Duration::from_millis(40);
/// What a call takes of a whole processor (docs/PERFORMANCE.md measures 186 us): half to send it, half for its response.
const CALL: Duration = Duration::from_micros(186);

enum Job {
    Turn { due: Duration },
    Response,
}

/// A processor that does one thing after the other.
struct Processor {
    /// When it is free again.
    free: Duration,
    /// What sending a call takes, or its response.
    step: Duration,
    quota: Option<Quota>,
}

/// So much of each period, at once, and nothing until the next one: how the kernel gives out a share of a processor.
struct Quota {
    share: Duration,
    period: Duration,
    period_began: Duration,
    left: Duration,
}

impl Quota {
    fn new(share: Duration, period: Duration) -> Self {
        Self {
            share,
            period,
            period_began: Duration::ZERO,
            left: share,
        }
    }

    /// When work of this length that begins at `now` is done.
    fn done(&mut self, mut now: Duration, mut work: Duration) -> Duration {
        loop {
            while now >= self.period_began + self.period {
                self.period_began += self.period;
                self.left = self.share;
            }
            let possible = work.min(self.left);
            self.left -= possible;
            work -= possible;
            now += possible;
            if work.is_zero() {
                return now;
            }
            now = self.period_began + self.period;
        }
    }
}

impl Processor {
    /// One that takes so many calls a second.
    fn of(calls_per_s: f64) -> Self {
        Self {
            free: Duration::ZERO,
            step: Duration::from_secs_f64(0.5 / calls_per_s),
            quota: None,
        }
    }

    /// A share of a whole one.
    fn shared(share: Duration, period: Duration) -> Self {
        Self {
            free: Duration::ZERO,
            step: CALL / 2,
            quota: Some(Quota::new(share, period)),
        }
    }

    fn work(&mut self) {
        self.free = match &mut self.quota {
            Some(quota) => quota.done(self.free, self.step),
            None => self.free + self.step,
        };
    }
}

/// A copier on this processor, at an S3 without a limit. The most calls in flight, and the calls a second, in the second
/// half of the time.
fn short_of_processor(mut processor: Processor, time: Duration) -> (usize, f64) {
    const IN_FLIGHT_MAX: usize = 512;
    let mut pacer = Pacer::new(5_000.0);
    let mut jobs = BTreeMap::from([(
        (Duration::ZERO, 0),
        Job::Turn {
            due: Duration::ZERO,
        },
    )]);
    let mut number = 0;
    let (mut in_flight, mut in_flight_most, mut responses, mut is_full) = (0, 0, 0, false);
    while let Some(((ready, _), job)) = jobs.pop_first() {
        processor.free = processor.free.max(ready);
        if processor.free >= time {
            break;
        }
        let mut add = |at, job| {
            number += 1;
            jobs.insert((at, number), job);
        };
        match job {
            Job::Turn { due } => {
                pacer.came_late(processor.free, processor.free - due);
                let mut delay = Duration::ZERO;
                while delay.is_zero() && in_flight < IN_FLIGHT_MAX {
                    processor.work();
                    in_flight += 1;
                    add(processor.free + LATENCY, Job::Response);
                    delay = pacer.take_turn(processor.free);
                }
                is_full = delay.is_zero();
                if !is_full {
                    let due = processor.free + delay;
                    add(due, Job::Turn { due });
                }
            }
            Job::Response => {
                processor.work();
                in_flight -= 1;
                pacer.responded(processor.free);
                if std::mem::take(&mut is_full) {
                    add(
                        processor.free,
                        Job::Turn {
                            due: processor.free,
                        },
                    );
                }
            }
        }
        if processor.free > time / 2 {
            in_flight_most = in_flight_most.max(in_flight);
            responses += usize::from(matches!(job, Job::Response));
        }
    }
    (in_flight_most, responses as f64 / (time / 2).as_secs_f64())
}

#[test]
fn a_copier_short_of_processor_piles_up_no_calls() {
    for calls_per_s in [100.0, 500.0, 2_000.0] {
        let processor = Processor::of(calls_per_s);
        let (in_flight, reached) = short_of_processor(processor, Duration::from_secs(120));
        println!("{calls_per_s} calls/s: {in_flight} in flight, {reached} reached");
        let needed = calls_per_s * LATENCY.as_secs_f64();
        assert!(in_flight as f64 <= 4.0 * needed, "{in_flight} in flight");
        assert!(
            reached >= 0.8 * calls_per_s,
            "{reached} of {calls_per_s} calls/s"
        );
    }
}

/// 256 MB have 0.145 of a processor (a whole one at 1,769 MB:
/// docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html), whatever the period in which it is given out.
#[test]
fn a_copier_uses_the_share_of_a_processor_that_256_mb_have() {
    for period_ms in [20, 100] {
        let period = Duration::from_millis(period_ms);
        let share = period * 256 / 1_769;
        let processor = Processor::shared(share, period);
        let (in_flight, reached) = short_of_processor(processor, Duration::from_secs(120));
        let possible = share.as_secs_f64() / period.as_secs_f64() / CALL.as_secs_f64();
        println!("{share:?} of {period:?}: {in_flight} in flight, {reached} of {possible} calls/s");
        // The response to a call that was sent just before the processor is taken away is read in the next period.
        let needed = possible * (LATENCY + period).as_secs_f64();
        assert!(in_flight as f64 <= 4.0 * needed, "{in_flight} in flight");
        assert!(reached >= 0.8 * possible, "{reached} of {possible} calls/s");
    }
}
