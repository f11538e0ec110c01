//! Weather: latency, throttling and faults, seeded and adjustable while the server runs.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::ErrorCode;
use crate::lock::{read, write};
use crate::operation::Operation;
use crate::partition::PartitionLimits;
use crate::rope::mix;

/// Everything about the weather. As JSON it is the body of `PUT /_model/weather`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weather {
    /// Determines every draw.
    pub seed: u64,
    /// How many times as fast as real time model time passes. Every duration below, and the
    /// seconds of the partition limits, are model time.
    pub time_scale: f64,
    /// How long each operation takes.
    pub latency: BTreeMap<Operation, Latency>,
    /// How long the other operations take.
    pub latency_otherwise: Latency,
    /// Limits per key partition; none when left out.
    pub partition_limits: Option<PartitionLimits>,
    /// Faults. The first rule that fires decides.
    pub rules: Vec<Rule>,
    /// Seconds that the server's clock is ahead of the wall clock. Beyond 15 minutes either way
    /// S3 refuses every signed request.
    pub clock_skew_s: i64,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            seed: 0,
            time_scale: 1.0,
            latency: BTreeMap::new(),
            latency_otherwise: Latency::default(),
            partition_limits: None,
            rules: Vec::new(),
            clock_skew_s: 0,
        }
    }
}

/// How long a request takes, in model time. The effect happens first, so that a client that
/// gives up waiting finds it done.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Latency {
    /// Every request, in milliseconds.
    pub base_ms: f64,
    /// Up to this much more, evenly drawn, in milliseconds.
    pub jitter_ms: f64,
    /// Per GiB that is copied inside the server, in milliseconds.
    pub per_copied_gib_ms: f64,
}

/// When a fault happens, and which.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// The operations it is about; all when empty.
    #[serde(default)]
    pub operations: Vec<Operation>,
    /// The bucket it is about; all when left out.
    #[serde(default)]
    pub bucket: Option<String>,
    /// The keys it is about, by their beginning.
    #[serde(default)]
    pub key_prefix: String,
    /// Lets so many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// Fires at most so often; without end when left out.
    #[serde(default)]
    pub times: Option<u64>,
    /// The share of the remaining matching requests that it hits.
    #[serde(default = "always")]
    pub share: f64,
    /// What the share is drawn by.
    #[serde(default)]
    pub drawn_by: DrawnBy,
    /// What happens.
    pub fault: Fault,
}

fn always() -> f64 {
    1.0
}

/// What decides whether a rule with a share hits a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawnBy {
    /// Its place in the order of arrival: a retry may succeed.
    #[default]
    Arrival,
    /// Operation, bucket and key: a retry meets the same.
    Key,
}

/// What can happen to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// An error status.
    Refuse {
        /// Which.
        code: ErrorCode,
        /// Whether the effect happened all the same.
        #[serde(default)]
        happened: bool,
    },
    /// Status 200 with an error document, for the operations that do so on S3.
    RefuseIn200 {
        /// Which.
        code: ErrorCode,
        /// Whether the effect happened all the same.
        #[serde(default)]
        happened: bool,
    },
    /// The connection is reset before a byte of the answer.
    Reset {
        /// Whether the effect happened.
        happened: bool,
    },
    /// The body breaks off.
    CutBody {
        /// After this share of it.
        share: f64,
        /// Whether HTTP's framing is right all the same, so that only the document is broken.
        #[serde(default)]
        well_framed: bool,
    },
    /// Status and headers are sent, then nothing for a while, then the body.
    Silence {
        /// For so long, in milliseconds of model time.
        ms: u64,
    },
    /// The whole answer comes later.
    Delay {
        /// By so much, in milliseconds of model time.
        ms: u64,
    },
    /// The caller's session is over.
    ExpireSession,
}

impl Fault {
    /// The name under which it is counted.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Refuse { .. } => "refuse",
            Self::RefuseIn200 { .. } => "refuse_in_200",
            Self::Reset { .. } => "reset",
            Self::CutBody { .. } => "cut_body",
            Self::Silence { .. } => "silence",
            Self::Delay { .. } => "delay",
            Self::ExpireSession => "expire_session",
        }
    }
}

impl Rule {
    /// A rule that hits every request.
    pub fn new(fault: Fault) -> Self {
        Self {
            operations: Vec::new(),
            bucket: None,
            key_prefix: String::new(),
            skip: 0,
            times: None,
            share: 1.0,
            drawn_by: DrawnBy::Arrival,
            fault,
        }
    }

    /// About these operations only.
    #[must_use]
    pub fn operations(mut self, operations: &[Operation]) -> Self {
        self.operations = operations.to_vec();
        self
    }

    /// About this bucket only.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = Some(bucket.into());
        self
    }

    /// About keys that begin so.
    #[must_use]
    pub fn key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.key_prefix = prefix.into();
        self
    }

    /// Lets so many matching requests pass first.
    #[must_use]
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }

    /// Fires at most so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Hits a share of the matching requests.
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = share;
        self
    }

    /// Draws by key, so that a retry meets the same.
    #[must_use]
    pub fn drawn_by_key(mut self) -> Self {
        self.drawn_by = DrawnBy::Key;
        self
    }

    fn matches(&self, operation: Operation, bucket: &str, key: &str) -> bool {
        (self.operations.is_empty() || self.operations.contains(&operation))
            && self.bucket.as_ref().is_none_or(|wanted| wanted == bucket)
            && key.starts_with(&self.key_prefix)
    }
}

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
