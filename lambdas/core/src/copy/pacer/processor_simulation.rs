//! A copier whose processor is too slow for its rate, simulated.

use std::{collections::BTreeMap, time::Duration};

use super::Pacer;

/// From sending a call to its response.
const LATENCY: Duration = Duration::from_millis(40);

enum Job {
    Turn { due: Duration },
    Response,
}

/// A copier whose processor starts, or takes the responses of, `calls_per_s` calls a second, at an S3 without a limit.
/// The most calls in flight, and the calls a second, in the second half of the time.
fn short_of_processor(calls_per_s: f64, time: Duration) -> (usize, f64) {
    const IN_FLIGHT_MAX: usize = 512;
    let step = Duration::from_secs_f64(0.5 / calls_per_s);
    let mut pacer = Pacer::new(5_000.0);
    let mut jobs = BTreeMap::from([(
        (Duration::ZERO, 0),
        Job::Turn {
            due: Duration::ZERO,
        },
    )]);
    let (mut number, mut free) = (0, Duration::ZERO);
    let (mut in_flight, mut in_flight_most, mut responses, mut is_full) = (0, 0, 0, false);
    while let Some(((ready, _), job)) = jobs.pop_first() {
        free = free.max(ready);
        if free >= time {
            break;
        }
        let mut add = |at, job| {
            number += 1;
            jobs.insert((at, number), job);
        };
        match job {
            Job::Turn { due } => {
                pacer.came_late(free, free - due);
                let mut delay = Duration::ZERO;
                while delay.is_zero() && in_flight < IN_FLIGHT_MAX {
                    free += step;
                    in_flight += 1;
                    add(free + LATENCY, Job::Response);
                    delay = pacer.take_turn(free);
                }
                is_full = delay.is_zero();
                if !is_full {
                    let due = free + delay;
                    add(due, Job::Turn { due });
                }
            }
            Job::Response => {
                free += step;
                in_flight -= 1;
                pacer.responded(free);
                if std::mem::take(&mut is_full) {
                    add(free, Job::Turn { due: free });
                }
            }
        }
        if free > time / 2 {
            in_flight_most = in_flight_most.max(in_flight);
            responses += usize::from(matches!(job, Job::Response));
        }
    }
    (in_flight_most, responses as f64 / (time / 2).as_secs_f64())
}

#[test]
fn a_copier_short_of_processor_piles_up_no_calls() {
    for calls_per_s in [100.0, 500.0, 2_000.0] {
        let (in_flight, reached) = short_of_processor(calls_per_s, Duration::from_secs(120));
        println!("{calls_per_s} calls/s: {in_flight} in flight, {reached} reached");
        let needed = calls_per_s * LATENCY.as_secs_f64();
        assert!(in_flight as f64 <= 4.0 * needed, "{in_flight} in flight");
        assert!(
            reached >= 0.8 * calls_per_s,
            "{reached} of {calls_per_s} calls/s"
        );
    }
}
