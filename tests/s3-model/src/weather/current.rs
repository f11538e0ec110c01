//! The weather in force: what it does to each request, from one seed.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use super::fault::Fault;
use super::partition::PartitionLimits;
use super::profile::Weather;
use super::rule::{DrawnBy, Rule};
use crate::lock::{read, write};
use crate::protocol::operation::Operation;
use crate::splitmix::{mix, unit_interval};

/// A profile, and how often each of its rules matched and fired.
#[derive(Debug, Default)]
struct Profile {
    weather: Weather,
    counts: Vec<RuleCount>,
}

#[derive(Debug, Default)]
struct RuleCount {
    matched: AtomicU64,
    fired: AtomicU64,
}

/// The weather of a server. A new profile replaces the old one as a whole.
#[derive(Debug, Default)]
pub(crate) struct CurrentWeather {
    profile: RwLock<Arc<Profile>>,
    /// Whether a request must look at the profile.
    affects_requests: AtomicBool,
    arrivals: AtomicU64,
}

impl CurrentWeather {
    pub(crate) fn set(&self, weather: Weather) {
        let affects_requests = !weather.is_calm();
        let counts = weather.rules.iter().map(|_| RuleCount::default()).collect();
        *write(&self.profile) = Arc::new(Profile { weather, counts });
        self.affects_requests
            .store(affects_requests, Ordering::Release);
    }

    pub(crate) fn get(&self) -> Weather {
        read(&self.profile).weather.clone()
    }

    /// Returns how often each rule has fired.
    pub(crate) fn fired(&self) -> Vec<u64> {
        read(&self.profile)
            .counts
            .iter()
            .map(|count| count.fired.load(Ordering::Relaxed))
            .collect()
    }

    /// Returns the profile if it affects requests.
    fn profile(&self) -> Option<Arc<Profile>> {
        self.affects_requests
            .load(Ordering::Acquire)
            .then(|| read(&self.profile).clone())
    }

    pub(crate) fn partition_limits(&self) -> Option<PartitionLimits> {
        self.profile()?.weather.partition_limits.clone()
    }

    /// Returns the fault that happens to a request, if any.
    pub(crate) fn fault(&self, operation: Operation, bucket: &str, key: &str) -> Option<Fault> {
        let profile = self.profile()?;
        let seed = profile.weather.seed;
        let rules = profile
            .weather
            .rules
            .iter()
            .zip(&profile.counts)
            .zip(0u64..);
        for ((rule, count), index) in rules {
            if !rule.matches(operation, bucket, key) {
                continue;
            }
            let place = count.matched.fetch_add(1, Ordering::Relaxed);
            if place < rule.skip || !draw(seed, index, rule, place, (operation, bucket, key)) {
                continue;
            }
            let times = rule.times.unwrap_or(u64::MAX);
            let fires = count
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

    /// Returns how long a request takes, in model time.
    pub(crate) fn latency(&self, operation: Operation, copied_bytes: u64) -> Duration {
        let Some(profile) = self.profile() else {
            return Duration::ZERO;
        };
        let latency = profile
            .weather
            .latency
            .get(&operation)
            .unwrap_or(&profile.weather.latency_default);
        let mut ms = latency.base_ms;
        if latency.jitter_ms > 0.0 {
            let arrival = self.arrivals.fetch_add(1, Ordering::Relaxed);
            let random = mix(profile.weather.seed ^ mix(arrival));
            ms += latency.jitter_ms * unit_interval(random);
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

/// Whether a rule hits the request at this place in the order of arrival.
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
    unit_interval(mix(seed ^ mix(rule_index.wrapping_add(1)) ^ mix(what))) < rule.share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fires(current: &CurrentWeather, requests: usize) -> Vec<bool> {
        (0..requests)
            .map(|n| {
                current
                    .fault(Operation::CopyObject, "b", &format!("k{n}"))
                    .is_some()
            })
            .collect()
    }

    fn with_rule(rule: Rule, seed: u64) -> CurrentWeather {
        let current = CurrentWeather::default();
        current.set(Weather {
            seed,
            rules: vec![rule],
            ..Weather::default()
        });
        current
    }

    #[test]
    fn a_rule_skips_requests_then_fires_a_number_of_times() {
        let rule = Rule::new(Fault::ExpireSession).skip(2).times(3);
        assert_eq!(
            fires(&with_rule(rule, 0), 7),
            [false, false, true, true, true, false, false]
        );
    }

    #[test]
    fn the_same_seed_draws_the_same_faults() {
        let rule = Rule::new(Fault::ExpireSession).share(0.3);
        let first = fires(&with_rule(rule.clone(), 1), 1000);
        assert_eq!(first, fires(&with_rule(rule.clone(), 1), 1000));
        assert_ne!(first, fires(&with_rule(rule, 2), 1000));
        let hits = first.iter().filter(|hit| **hit).count();
        assert!(
            (230..370).contains(&hits),
            "{hits} of 1000 at a share of 0.3"
        );
    }

    #[test]
    fn a_draw_by_key_hits_every_retry() {
        let current = with_rule(Rule::new(Fault::ExpireSession).share(0.5).drawn_by_key(), 7);
        let first = fires(&current, 100);
        assert_eq!(first, fires(&current, 100));
        assert!(first.contains(&true) && first.contains(&false));
    }

    #[test]
    fn a_rule_hits_only_matching_requests() {
        let rule = Rule::new(Fault::ExpireSession)
            .operations(&[Operation::HeadObject])
            .bucket("b")
            .key_prefix("a/");
        let current = with_rule(rule, 0);
        assert!(current.fault(Operation::HeadObject, "b", "a/x").is_some());
        assert!(current.fault(Operation::GetObject, "b", "a/x").is_none());
        assert!(current.fault(Operation::HeadObject, "c", "a/x").is_none());
        assert!(current.fault(Operation::HeadObject, "b", "b/x").is_none());
    }
}
