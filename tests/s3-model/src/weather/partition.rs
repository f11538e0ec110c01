//! The request rates that S3 grants to each partition of a bucket's keys.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::lock::lock;
use crate::protocol::operation::RateClass;
use crate::splitmix::mix;

/// The number of keys that a partition samples to find the middle of its load.
const SAMPLES_MAX: usize = 512;

/// S3's limits per partition, per second of model time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PartitionLimits {
    /// PUT, COPY, POST and DELETE per second.
    pub writes_per_s: f64,
    /// GET, HEAD and LIST per second.
    pub reads_per_s: f64,
    /// The burst: how many seconds' worth of requests may come at once.
    pub burst_s: f64,
    /// How long a partition must throttle before it splits, in seconds.
    pub split_after_s: f64,
}

impl Default for PartitionLimits {
    /// Returns AWS's documented limits. A split takes 30 to 60 minutes.
    fn default() -> Self {
        Self {
            writes_per_s: 3500.0,
            reads_per_s: 5500.0,
            burst_s: 1.0,
            split_after_s: 30.0 * 60.0,
        }
    }
}

/// A range of a bucket's keys with its own limits.
#[derive(Debug)]
struct Partition {
    write_tokens: f64,
    read_tokens: f64,
    refilled_s: f64,
    /// The first of the throttled requests that followed each other closely.
    hot_since_s: Option<f64>,
    last_refusal_s: f64,
    samples: Vec<Box<[u8]>>,
    sampled: u64,
}

impl Partition {
    fn new(limits: &PartitionLimits, now_s: f64) -> Self {
        Self {
            write_tokens: limits.writes_per_s * limits.burst_s,
            read_tokens: limits.reads_per_s * limits.burst_s,
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
        self.write_tokens = refilled(self.write_tokens, limits.writes_per_s);
        self.read_tokens = refilled(self.read_tokens, limits.reads_per_s);
    }

    /// Keeps an even sample of about 30,000 recent keys. New keys replace old ones over time.
    fn sample(&mut self, key: &[u8]) {
        self.sampled += 1;
        if self.samples.len() < SAMPLES_MAX {
            self.samples.push(key.into());
            return;
        }
        let index = usize::try_from(mix(self.sampled)).unwrap_or(0) % (SAMPLES_MAX * 64);
        if let Some(sample) = self.samples.get_mut(index) {
            *sample = key.into();
        }
    }

    /// Records a throttled request, and returns whether the partition was hot long enough to
    /// split. A pause of a tenth of that time cools it down.
    fn refuse(&mut self, limits: &PartitionLimits, now_s: f64) -> bool {
        if now_s - self.last_refusal_s > limits.split_after_s / 10.0 {
            self.hot_since_s = None;
        }
        self.last_refusal_s = now_s;
        now_s - *self.hot_since_s.get_or_insert(now_s) >= limits.split_after_s
    }

    /// Returns the key that divides the load in half.
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
    /// Takes one request from the limit of the key's partition. `false` means SlowDown.
    pub(crate) fn admit(
        &self,
        limits: &PartitionLimits,
        class: RateClass,
        bucket: &str,
        key: &[u8],
        now: Duration,
    ) -> bool {
        let now_s = now.as_secs_f64();
        let mut buckets = lock(&self.buckets);
        if !buckets.contains_key(bucket) {
            let whole = BTreeMap::from([(Box::default(), Partition::new(limits, now_s))]);
            buckets.insert(bucket.to_owned(), whole);
        }
        let Some(partitions) = buckets.get_mut(bucket) else {
            return true;
        };
        let Some((start, partition)) = partitions
            .range_mut::<[u8], _>((Bound::Unbounded, Bound::Included(key)))
            .next_back()
        else {
            return true;
        };
        partition.refill(limits, now_s);
        partition.sample(key);
        let tokens = match class {
            RateClass::Write => &mut partition.write_tokens,
            RateClass::Read => &mut partition.read_tokens,
            RateClass::Unlimited => return true,
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

    /// Returns the number of partitions of a bucket.
    pub(crate) fn count(&self, bucket: &str) -> usize {
        lock(&self.buckets).get(bucket).map_or(1, BTreeMap::len)
    }

    /// Removes all partitions.
    pub(crate) fn reset(&self) {
        lock(&self.buckets).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends `offered` requests in one second over two prefixes and returns how many are granted.
    fn granted(partitions: &Partitions, second: u64, offered: u32) -> u64 {
        let limits = PartitionLimits::default();
        let mut granted = 0;
        for n in 0..offered {
            let now = Duration::from_secs(second)
                + Duration::from_secs_f64(f64::from(n) / f64::from(offered));
            let key = format!("{}/{n:06}", if n % 2 == 0 { "a" } else { "b" });
            granted +=
                u64::from(partitions.admit(&limits, RateClass::Write, "b", key.as_bytes(), now));
        }
        granted
    }

    #[test]
    fn a_partition_grants_its_rate_and_throttles_the_rest() {
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
    fn reads_and_writes_have_separate_limits() {
        let partitions = Partitions::default();
        let limits = PartitionLimits {
            writes_per_s: 1.0,
            reads_per_s: 2.0,
            ..PartitionLimits::default()
        };
        let admit = |class| partitions.admit(&limits, class, "b", b"k", Duration::ZERO);
        assert_eq!(
            [admit(RateClass::Write), admit(RateClass::Write)],
            [true, false]
        );
        assert_eq!(
            [
                admit(RateClass::Read),
                admit(RateClass::Read),
                admit(RateClass::Read)
            ],
            [true, true, false]
        );
        assert!(admit(RateClass::Unlimited));
    }
}
