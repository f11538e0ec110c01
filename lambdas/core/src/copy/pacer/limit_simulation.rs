//! Copiers that share a limit, simulated.

use std::{cmp::Reverse, collections::BinaryHeap, time::Duration};

use super::Pacer;

/// From sending a call to its response.
const LATENCY: Duration = Duration::from_millis(40);

/// A limit like that of a partition of S3: tokens that come at a rate, up to a second's worth at once.
struct Limit {
    rate: f64,
    tokens: f64,
    refilled: Duration,
}

impl Limit {
    fn admits(&mut self, now: Duration) -> bool {
        let gained = (now - self.refilled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + gained).min(self.rate);
        self.refilled = now;
        let admitted = self.tokens >= 1.0;
        if admitted {
            self.tokens -= 1.0;
        }
        admitted
    }
}

#[derive(Default)]
struct Seen {
    admitted: u64,
    throttled: u64,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum SimulatedEvent {
    Response { admitted: bool },
    Turn,
}

/// Copiers at one limit, each with more to do than it may.
struct Simulation {
    limit: Limit,
    pacers: Vec<Pacer>,
    steps: BinaryHeap<Reverse<(Duration, usize, SimulatedEvent)>>,
}

impl Simulation {
    fn new(copiers: usize, rate: f64) -> Self {
        let begin = (0..copiers).map(|copier| {
            Reverse((
                Duration::from_millis(7 * copier as u64),
                copier,
                SimulatedEvent::Turn,
            ))
        });
        Self {
            limit: Limit {
                rate,
                tokens: rate,
                refilled: Duration::ZERO,
            },
            pacers: vec![Pacer::new(4_000.0); copiers],
            steps: begin.collect(),
        }
    }

    fn run_until(&mut self, end: Duration) -> Vec<Seen> {
        let mut seen: Vec<Seen> = self.pacers.iter().map(|_| Seen::default()).collect();
        while let Some(Reverse((now, copier, step))) = self.steps.pop() {
            if now >= end {
                self.steps.push(Reverse((now, copier, step)));
                break;
            }
            let pacer = &mut self.pacers[copier];
            match step {
                SimulatedEvent::Response { admitted: true } => pacer.responded(now),
                SimulatedEvent::Response { admitted: false } => pacer.throttled(now),
                SimulatedEvent::Turn => {
                    let sent = now + pacer.take_turn(now);
                    let admitted = self.limit.admits(sent.max(self.limit.refilled));
                    seen[copier].admitted += u64::from(admitted);
                    seen[copier].throttled += u64::from(!admitted);
                    let response = SimulatedEvent::Response { admitted };
                    self.steps.push(Reverse((sent + LATENCY, copier, response)));
                    self.steps
                        .push(Reverse((sent, copier, SimulatedEvent::Turn)));
                }
            }
        }
        seen
    }
}

fn shares(seen: &[Seen], rate: f64, time: Duration) -> (f64, f64) {
    let admitted: u64 = seen.iter().map(|seen| seen.admitted).sum();
    let throttled: u64 = seen.iter().map(|seen| seen.throttled).sum();
    (
        admitted as f64 / (rate * time.as_secs_f64()),
        throttled as f64 / (admitted + throttled) as f64,
    )
}

#[test]
fn one_copier_or_fifty_sustain_the_limit_and_are_hardly_throttled() {
    for copiers in [1, 2, 10, 50] {
        let mut simulation = Simulation::new(copiers, 3_500.0);
        let ramp = Duration::from_secs(20);
        let time = Duration::from_secs(120);
        simulation.run_until(ramp);
        let seen = simulation.run_until(ramp + time);
        let (sustained, throttled) = shares(&seen, 3_500.0, time);
        println!("{copiers} copiers: {sustained:.4} sustained, {throttled:.4} throttled");
        assert!(sustained >= 0.95, "{copiers} copiers sustain {sustained}");
        assert!(
            throttled <= 0.01,
            "{copiers} copiers: {throttled} throttled"
        );
    }
}

#[test]
fn the_last_copier_takes_over_what_the_others_leave() {
    let mut simulation = Simulation::new(50, 3_500.0);
    simulation.run_until(Duration::from_secs(60));
    simulation.pacers.truncate(1);
    simulation
        .steps
        .retain(|Reverse((_, copier, _))| *copier == 0);
    simulation.run_until(Duration::from_secs(120));
    let seen = simulation.run_until(Duration::from_secs(130));
    let (sustained, _) = shares(&seen, 3_500.0, Duration::from_secs(10));
    assert!(sustained >= 0.95, "{sustained}");
}

#[test]
fn copiers_that_came_late_get_their_share() {
    let mut simulation = Simulation::new(10, 3_500.0);
    for (copier, pacer) in simulation.pacers.iter_mut().enumerate() {
        pacer.rate = if copier == 0 { 3_000.0 } else { 10.0 };
        pacer.is_starting = false;
    }
    simulation.run_until(Duration::from_secs(240));
    let seen = simulation.run_until(Duration::from_secs(300));
    let counts: Vec<u64> = seen.iter().map(|seen| seen.admitted).collect();
    let (least, most) = (counts.iter().min(), counts.iter().max());
    println!("fair shares: {counts:?}");
    assert!(most.unwrap() < &(3 * least.unwrap()), "{counts:?}");
}

#[test]
fn a_limit_that_doubles_is_used_within_a_minute() {
    let mut simulation = Simulation::new(1, 3_500.0);
    simulation.run_until(Duration::from_secs(60));
    simulation.limit.rate = 7_000.0;
    simulation.pacers[0].rate_max = 8_000.0;
    simulation.run_until(Duration::from_secs(110));
    let seen = simulation.run_until(Duration::from_secs(120));
    let (sustained, _) = shares(&seen, 7_000.0, Duration::from_secs(10));
    assert!(sustained >= 0.95, "{sustained}");
}
