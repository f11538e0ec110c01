//! The weather in force: what it does to each request, from one seed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use crate::lock::{read, write};
use crate::operation::Operation;
use crate::partition::PartitionLimits;
use crate::rope::mix;
use crate::weather::{DrawnBy, Fault, Rule, Weather};

/// The weather in force, with how often each rule matched and fired.
#[derive(Debug, Default)]
struct Active {
    weather: Weather,
    tallies: Vec<Tally>,
}

#[derive(Debug, Default)]
struct Tally {
    matched: AtomicU64,
    fired: AtomicU64,
}

/// The weather of a server.
#[derive(Debug, Default)]
pub(crate) struct Sky {
    active: RwLock<Arc<Active>>,
    /// Whether nothing is set that a request must look at.
    clouded: AtomicBool,
    arrivals: AtomicU64,
}

impl Sky {
    pub(crate) fn set(&self, weather: Weather) {
        let clouded = weather
            != Weather {
                seed: weather.seed,
                clock_skew_s: weather.clock_skew_s,
                time_scale: weather.time_scale,
                ..Weather::default()
            };
        let tallies = weather.rules.iter().map(|_| Tally::default()).collect();
        *write(&self.active) = Arc::new(Active { weather, tallies });
        self.clouded.store(clouded, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Weather {
        read(&self.active).weather.clone()
    }

    /// How often each rule fired so far.
    pub(crate) fn fired(&self) -> Vec<u64> {
        read(&self.active)
            .tallies
            .iter()
            .map(|tally| tally.fired.load(Ordering::Relaxed))
            .collect()
    }

    pub(crate) fn partition_limits(&self) -> Option<PartitionLimits> {
        if !self.clouded.load(Ordering::Acquire) {
            return None;
        }
        read(&self.active).weather.partition_limits.clone()
    }

    /// The fault that meets a request, if one does.
    pub(crate) fn fault(&self, operation: Operation, bucket: &str, key: &str) -> Option<Fault> {
        if !self.clouded.load(Ordering::Acquire) {
            return None;
        }
        let active = read(&self.active).clone();
        let rules = active.weather.rules.iter().zip(&active.tallies).zip(0u64..);
        for ((rule, tally), index) in rules {
            if !rule.matches(operation, bucket, key) {
                continue;
            }
            let place = tally.matched.fetch_add(1, Ordering::Relaxed);
            if place < rule.skip
                || !draw(
                    active.weather.seed,
                    index,
                    rule,
                    place,
                    (operation, bucket, key),
                )
            {
                continue;
            }
            let times = rule.times.unwrap_or(u64::MAX);
            let fires = tally
                .fired
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |fired| {
                    (fired < times).then_some(fired + 1)
                });
            if fires.is_ok() {
                return Some(rule.fault.clone());
            }
        }
        None
    }

    /// How long a request takes, in model time.
    pub(crate) fn latency(&self, operation: Operation, copied_bytes: u64) -> Duration {
        if !self.clouded.load(Ordering::Acquire) {
            return Duration::ZERO;
        }
        let active = read(&self.active).clone();
        let latency = active
            .weather
            .latency
            .get(&operation)
            .unwrap_or(&active.weather.latency_otherwise);
        let mut ms = latency.base_ms;
        if latency.jitter_ms > 0.0 {
            let arrival = self.arrivals.fetch_add(1, Ordering::Relaxed);
            ms += latency.jitter_ms * share_of(mix(active.weather.seed ^ mix(arrival)));
        }
        if latency.per_copied_gib_ms > 0.0 {
            let mib = u32::try_from(copied_bytes >> 20).unwrap_or(u32::MAX);
            ms += latency.per_copied_gib_ms * f64::from(mib) / 1024.0;
        }
        if ms > 0.0 {
            Duration::from_secs_f64(ms / 1000.0)
        } else {
            Duration::ZERO
        }
    }
}

fn draw(
    seed: u64,
    rule_index: u64,
    rule: &Rule,
    place: u64,
    request: (Operation, &str, &str),
) -> bool {
    if rule.share >= 1.0 {
        return true;
    }
    let what = match rule.drawn_by {
        DrawnBy::Arrival => place,
        DrawnBy::Key => {
            let mut hasher = DefaultHasher::new();
            request.hash(&mut hasher);
            hasher.finish()
        }
    };
    share_of(mix(seed ^ mix(rule_index.wrapping_add(1)) ^ mix(what))) < rule.share
}

/// A random word as a number from 0 to below 1.
fn share_of(random: u64) -> f64 {
    f64::from(u32::try_from(random >> 32).unwrap_or(0)) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(sky: &Sky, requests: usize) -> Vec<bool> {
        (0..requests)
            .map(|n| {
                sky.fault(Operation::CopyObject, "b", &format!("k{n}"))
                    .is_some()
            })
            .collect()
    }

    fn sky(rule: Rule, seed: u64) -> Sky {
        let sky = Sky::default();
        sky.set(Weather {
            seed,
            rules: vec![rule],
            ..Weather::default()
        });
        sky
    }

    #[test]
    fn a_rule_lets_pass_then_fires_so_often() {
        let rule = Rule::new(Fault::ExpireSession).skip(2).times(3);
        assert_eq!(
            fires(&sky(rule, 0), 7),
            [false, false, true, true, true, false, false]
        );
    }

    #[test]
    fn the_same_seed_makes_the_same_weather() {
        let rule = Rule::new(Fault::ExpireSession).share(0.3);
        let first = fires(&sky(rule.clone(), 1), 1000);
        assert_eq!(first, fires(&sky(rule.clone(), 1), 1000));
        assert_ne!(first, fires(&sky(rule, 2), 1000));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!(
            (230..370).contains(&hits),
            "{hits} of 1000 at a share of 0.3"
        );
    }

    #[test]
    fn a_draw_by_key_meets_every_retry() {
        let sky = sky(Rule::new(Fault::ExpireSession).share(0.5).drawn_by_key(), 7);
        let first = fires(&sky, 100);
        assert_eq!(first, fires(&sky, 100));
        assert!(first.contains(&true) && first.contains(&false));
    }

    #[test]
    fn rules_are_about_what_they_name() {
        let rule = Rule::new(Fault::ExpireSession)
            .operations(&[Operation::HeadObject])
            .bucket("b")
            .key_prefix("a/");
        let sky = sky(rule, 0);
        assert!(sky.fault(Operation::HeadObject, "b", "a/x").is_some());
        assert!(sky.fault(Operation::GetObject, "b", "a/x").is_none());
        assert!(sky.fault(Operation::HeadObject, "c", "a/x").is_none());
        assert!(sky.fault(Operation::HeadObject, "b", "b/x").is_none());
    }
}
