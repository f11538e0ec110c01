//! What a shard had copied at some of its checkpoints.

use serde::{Deserialize, Serialize};

use crate::value::{tally::Count, time::Timestamp};

/// How many samples are kept: some 200 bytes of the record, which only the shards have that take longer than their first
/// checkpoint.
const SAMPLES_MAX: usize = 8;

/// Samples of the objects and bytes that are copied, over the time since the shard was first claimed. There are few, whatever
/// its number of checkpoints: once they are too many, every second one is left out, and those to come are as far apart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CopySamples {
    /// Milliseconds since the first claim, objects, bytes.
    samples: Vec<[u64; 3]>,
}

impl CopySamples {
    /// Notes what is copied at an instant.
    pub fn note(&mut self, begun_at: Timestamp, now: Timestamp, copied: Count) {
        let after_ms = u64::try_from(now.since(begun_at).as_millis()).unwrap_or(u64::MAX);
        let (mut last_ms, mut widest_gap_ms) = (0, 0);
        for &[sampled_ms, ..] in &self.samples {
            widest_gap_ms = widest_gap_ms.max(sampled_ms - last_ms);
            last_ms = sampled_ms;
        }
        // Clocks of two copiers may differ; samples stay in order.
        if after_ms <= last_ms || (after_ms - last_ms) < widest_gap_ms / 4 * 3 {
            return;
        }
        self.samples.push([after_ms, copied.objects, copied.bytes]);
        if self.samples.len() > SAMPLES_MAX {
            let mut number = 0;
            self.samples.retain(|_| {
                number += 1;
                number % 2 == 0
            });
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The instants, and what was copied until each, of a shard that was first claimed at `begun_at`.
    pub fn since(&self, begun_at: Timestamp) -> impl Iterator<Item = (Timestamp, Count)> {
        self.samples.iter().map(move |&[after_ms, objects, bytes]| {
            let at = begun_at.plus(std::time::Duration::from_millis(after_ms));
            (at, Count { objects, bytes })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn noted(after_ms: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let begun_at = Timestamp::from_millis(1_000);
        let mut samples = CopySamples::default();
        for (number, after) in after_ms.into_iter().enumerate() {
            let copied = Count {
                objects: number as u64,
                bytes: 1,
            };
            samples.note(begun_at, Timestamp::from_millis(1_000 + after), copied);
        }
        samples
            .since(begun_at)
            .map(|(at, _)| at.as_millis() - 1_000)
            .collect()
    }

    #[test]
    fn many_checkpoints_leave_few_samples_over_the_whole_time() {
        assert_eq!(noted([3, 9, 21]), [3, 9, 21]);
        let many = noted((1..=1_000).map(|step| step * 30_000));
        assert!((4..=SAMPLES_MAX).contains(&many.len()), "{many:?}");
        let end = 1_000 * 30_000;
        assert!(
            many[0] <= end / 3 && many[many.len() - 1] >= end / 2,
            "{many:?}"
        );
    }

    #[test]
    fn writes_in_quick_succession_do_not_push_out_the_earlier_ones() {
        let slow = (1..=6).map(|step| step * 30_000);
        let quick = (1..=1_000).map(|step| 180_000 + step * 250);
        let found = noted(slow.chain(quick));
        assert_eq!(found[0], 60_000, "{found:?}");
    }

    #[test]
    fn a_clock_that_goes_back_leaves_no_sample() {
        assert_eq!(noted([5, 4, 5, 10]), [5, 10]);
    }

    proptest! {
        #[test]
        fn samples_are_few_and_in_order(steps in prop::collection::vec(0_i64..60_000, 0..200)) {
            let found = noted(steps);
            prop_assert!(found.len() <= SAMPLES_MAX);
            prop_assert!(found.windows(2).all(|two| two[0] < two[1]));
        }
    }
}
