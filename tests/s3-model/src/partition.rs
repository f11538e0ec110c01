//! The request rates that S3 grants per partition of a bucket's key space.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lock::hold;
use crate::operation::RateClass;
use crate::rope::mix;

/// Keys that a hot partition remembers to find the middle of its load.
const SAMPLES_MAX: usize = 512;

/// S3's limits per partition, per second of model time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionLimits {
    /// PUT, COPY, POST and DELETE a second.
    pub changes_per_s: f64,
    /// GET, HEAD and LIST a second.
    pub looks_per_s: f64,
    /// How many seconds' worth may come at once.
    pub burst_s: f64,
    /// How long a partition must have been refusing requests before it splits, in seconds.
    pub split_after_s: f64,
}

impl Default for PartitionLimits {
    /// AWS's documented limits; a split takes 30 to 60 minutes.
    fn default() -> Self {
        Self {
            changes_per_s: 3500.0,
            looks_per_s: 5500.0,
            burst_s: 1.0,
            split_after_s: 30.0 * 60.0,
        }
    }
}

/// A stretch of a bucket's keys that has its own limits.
#[derive(Debug)]
struct Partition {
    changes: f64,
    looks: f64,
    refilled_s: f64,
    /// Since when it refused requests again and again.
    hot_since_s: Option<f64>,
    last_refusal_s: f64,
    samples: Vec<Box<[u8]>>,
    sampled: u64,
}

impl Partition {
    fn new(limits: &PartitionLimits, now_s: f64) -> Self {
        Self {
            changes: limits.changes_per_s * limits.burst_s,
            looks: limits.looks_per_s * limits.burst_s,
            refilled_s: now_s,
            hot_since_s: None,
            last_refusal_s: f64::NEG_INFINITY,
            samples: Vec::new(),
            sampled: 0,
        }
    }

    fn refill(&mut self, limits: &PartitionLimits, now_s: f64) {
        let elapsed_s = (now_s - self.refilled_s).max(0.0);
        self.refilled_s = now_s;
        let refilled =
            |tokens: f64, rate: f64| (tokens + rate * elapsed_s).min(rate * limits.burst_s);
        self.changes = refilled(self.changes, limits.changes_per_s);
        self.looks = refilled(self.looks, limits.looks_per_s);
    }

    /// Keeps an even sample of some 30,000 recent keys: an older one is forgotten with time.
    fn sample(&mut self, key: &[u8]) {
        self.sampled += 1;
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(key.into());
            return;
        }
        let place = usize::try_from(mix(self.sampled)).unwrap_or(0) % (SAMPLES_MAX * 64);
        if let Some(sample) = self.samples.get_mut(place) {
            *sample = key.into();
        }
    }

    /// Notes a refusal and says whether the partition was hot for long enough to split. A pause
    /// of a tenth of that time cools it down.
    fn refuse(&mut self, limits: &PartitionLimits, now_s: f64) -> bool {
        if now_s - self.last_refusal_s > limits.split_after_s / 10.0 {
            self.hot_since_s = None;
        }
        self.last_refusal_s = now_s;
        now_s - *self.hot_since_s.get_or_insert(now_s) >= limits.split_after_s
    }

    /// Where to split so that each side gets half of the load.
    fn middle(&self, start: &[u8]) -> Option<Box<[u8]>> {
        let mut sorted = self.samples.clone();
        sorted.sort_unstable();
        let middle = sorted.get(sorted.len() / 2)?;
        (&**middle > start).then(|| middle.clone())
    }
}

/// The partitions of one bucket, by their first key.
type ByFirstKey = BTreeMap<Box<[u8]>, Partition>;

/// The partitions of all buckets. A bucket starts with one.
#[derive(Debug, Default)]
pub(crate) struct Partitions {
    buckets: Mutex<HashMap<String, ByFirstKey>>,
}

impl Partitions {
    /// Takes one request's worth from the partition of `key`; `false` means SlowDown.
    pub(crate) fn admit(
        &self,
        limits: &PartitionLimits,
        class: RateClass,
        bucket: &str,
        key: &[u8],
        now: Duration,
    ) -> bool {
        let now_s = now.as_secs_f64();
        let mut buckets = hold(&self.buckets);
        if !buckets.contains_key(bucket) {
            let whole = BTreeMap::from([(Box::default(), Partition::new(limits, now_s))]);
            buckets.insert(bucket.to_owned(), whole);
        }
        let Some(partitions) = buckets.get_mut(bucket) else {
            return true;
        };
        let Some((start, partition)) = partitions
            .range_mut::<[u8], _>((std::ops::Bound::Unbounded, std::ops::Bound::Included(key)))
            .next_back()
        else {
            return true;
        };
        partition.refill(limits, now_s);
        partition.sample(key);
        let tokens = match class {
            RateClass::Change => &mut partition.changes,
            RateClass::Look => &mut partition.looks,
            RateClass::Aside => return true,
        };
        if *tokens >= 1.0 {
            *tokens -= 1.0;
            return true;
        }
        if partition.refuse(limits, now_s)
            && let Some(middle) = partition.middle(start)
        {
            let start = start.clone();
            partitions.insert(start, Partition::new(limits, now_s));
            partitions.insert(middle, Partition::new(limits, now_s));
        }
        false
    }

    /// The number of partitions of a bucket.
    pub(crate) fn count(&self, bucket: &str) -> usize {
        hold(&self.buckets).get(bucket).map_or(1, BTreeMap::len)
    }

    /// Forgets all partitions.
    pub(crate) fn reset(&self) {
        hold(&self.buckets).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests granted in one second, evenly offered at `offered` a second over two prefixes.
    fn granted(partitions: &Partitions, second: u64, offered: u32) -> u64 {
        let limits = PartitionLimits::default();
        let mut granted = 0;
        for n in 0..offered {
            let now = Duration::from_secs(second)
                + Duration::from_secs_f64(f64::from(n) / f64::from(offered));
            let key = format!("{}/{n:06}", if n % 2 == 0 { "a" } else { "b" });
            granted +=
                u64::from(partitions.admit(&limits, RateClass::Change, "b", key.as_bytes(), now));
        }
        granted
    }

    #[test]
    fn a_partition_grants_its_rate_and_refuses_the_rest() {
        let partitions = Partitions::default();
        granted(&partitions, 0, 7000);
        let second = granted(&partitions, 1, 7000);
        assert!((3490..=3510).contains(&second), "{second}");
        assert_eq!(granted(&partitions, 100, 3000), 3000);
    }

    #[test]
    fn a_partition_that_stays_hot_splits_and_grants_more() {
        let partitions = Partitions::default();
        for second in 0..1799 {
            granted(&partitions, second, 3600);
        }
        assert_eq!(partitions.count("b"), 1);
        // The burst allowance delays the first refusal by 35 s.
        for second in 1799..1840 {
            granted(&partitions, second, 7000);
        }
        assert_eq!(partitions.count("b"), 2);
        granted(&partitions, 1840, 7000);
        let both = granted(&partitions, 1841, 7000);
        assert!(both > 6000, "{both}");
    }

    #[test]
    fn looks_and_changes_have_limits_of_their_own() {
        let partitions = Partitions::default();
        let limits = PartitionLimits {
            changes_per_s: 1.0,
            looks_per_s: 2.0,
            ..PartitionLimits::default()
        };
        let ask = |class| partitions.admit(&limits, class, "b", b"k", Duration::ZERO);
        assert_eq!(
            [ask(RateClass::Change), ask(RateClass::Change)],
            [true, false]
        );
        assert_eq!(
            [
                ask(RateClass::Look),
                ask(RateClass::Look),
                ask(RateClass::Look)
            ],
            [true, true, false]
        );
        assert!(ask(RateClass::Aside));
    }
}
