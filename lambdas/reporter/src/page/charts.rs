//! What the charts show, gathered shard by shard in bounded memory.

use shardlift_core::{
    shard::ShardRecord,
    value::{tally::Count, time::Timestamp},
};

/// How many stretches of time, and how many groups of shards, are drawn at most: bars a few pixels wide on a phone.
const BARS_MAX: usize = 48;

/// Throughput over time and by shard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Charts {
    begun_at: Timestamp,
    ended_at: Timestamp,
    over_time: Vec<Stretch>,
    by_shard: Vec<ShardGroup>,
    shards_per_group: u64,
    shards_added: u64,
    is_sampled: bool,
}

/// What was copied in a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Stretch {
    /// Objects.
    pub(crate) objects: f64,
    /// Bytes.
    pub(crate) bytes: f64,
}

/// Some neighboring shards.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ShardGroup {
    /// The first shard's id.
    pub(crate) first: String,
    /// How many shards.
    pub(crate) shards: u64,
    /// Objects copied.
    pub(crate) objects: u64,
    /// Bytes copied.
    pub(crate) bytes: u64,
    /// Objects that failed or have no outcome.
    pub(crate) failed: u64,
    /// From claim to end, summed over the shards, in milliseconds.
    pub(crate) busy_ms: u64,
}

impl Charts {
    /// Empty charts of a run that lasted from `begun_at` to `ended_at` and has `shards` shards.
    pub(crate) fn new(begun_at: Timestamp, ended_at: Timestamp, shards: u64) -> Self {
        Self {
            begun_at,
            ended_at: ended_at.max(Timestamp::from_millis(begun_at.as_millis() + 1)),
            over_time: vec![Stretch::default(); BARS_MAX],
            by_shard: Vec::new(),
            shards_per_group: shards.div_ceil(BARS_MAX as u64).max(1),
            shards_added: 0,
            is_sampled: false,
        }
    }

    /// Adds a shard. What it copied between two checkpoints is spread evenly over the time between them.
    pub(crate) fn add(&mut self, shard: &ShardRecord) {
        let copied = shard.outcome.tally.copied;
        let busy = shard
            .begun_at
            .map(|begun_at| (begun_at, shard.ended_at.unwrap_or(self.ended_at)));
        if self.shards_added.is_multiple_of(self.shards_per_group) {
            self.by_shard.push(ShardGroup {
                first: shard.shard_id.to_string(),
                ..ShardGroup::default()
            });
        }
        self.shards_added += 1;
        self.is_sampled |= !shard.samples.is_empty();
        if let Some(group) = self.by_shard.last_mut() {
            group.shards += 1;
            group.objects += copied.objects;
            group.bytes += copied.bytes;
            let settled = copied.objects
                + shard.outcome.tally.skipped.objects
                + shard.outcome.tally.deleted.objects;
            group.failed += shard.planned.objects.saturating_sub(settled);
            group.busy_ms += busy.map_or(0, |(begun_at, ended_at)| {
                u64::try_from(ended_at.since(begun_at).as_millis()).unwrap_or(u64::MAX)
            });
        }
        if let Some((begun_at, ended_at)) = busy {
            let samples = shard.samples.since(begun_at);
            // What a later round copied comes after the end of an earlier one.
            let samples = samples.filter(|&(at, _)| at < ended_at);
            let (mut from, mut before) = (begun_at, Count::default());
            for (at, sampled) in samples.chain([(ended_at, copied)]) {
                let objects = sampled.objects.saturating_sub(before.objects);
                let bytes = sampled.bytes.saturating_sub(before.bytes);
                self.spread((from, at), to_f64(objects), to_f64(bytes));
                (from, before) = (at, sampled);
            }
        }
    }

    /// Whether it is known what a shard copied before its end. One that was copied before its first checkpoint is a flat line.
    pub(crate) fn is_sampled(&self) -> bool {
        self.is_sampled
    }

    /// Equal stretches from the start of the run to its end.
    pub(crate) fn over_time(&self) -> &[Stretch] {
        &self.over_time
    }

    /// The length of one of the stretches, in milliseconds.
    pub(crate) fn stretch_ms(&self) -> f64 {
        (to_ms(self.ended_at) - to_ms(self.begun_at)) / self.over_time.len() as f64
    }

    /// Groups of shards in the ledger's order.
    pub(crate) fn by_shard(&self) -> &[ShardGroup] {
        &self.by_shard
    }

    fn spread(&mut self, (begun_at, ended_at): (Timestamp, Timestamp), objects: f64, bytes: f64) {
        let origin = to_ms(self.begun_at);
        let length = self.stretch_ms();
        let begin = (to_ms(begun_at) - origin).max(0.0);
        // A shard that began and ended in the same millisecond took some of it.
        let end = (to_ms(ended_at) - origin).max(begin + 1.0);
        for (number, stretch) in self.over_time.iter_mut().enumerate() {
            let from = number as f64 * length;
            let overlap = (end.min(from + length) - begin.max(from)).max(0.0);
            let share = overlap / (end - begin);
            stretch.objects += objects * share;
            stretch.bytes += bytes * share;
        }
    }
}

fn to_ms(instant: Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a chart shows three digits")]
    {
        instant.as_millis() as f64
    }
}

fn to_f64(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a chart shows three digits")]
    {
        count as f64
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::{
        shard::ShardWork,
        value::id::{RunId, ShardId},
    };

    use super::*;

    fn shard(number: u32, begun_ms: i64, ended_ms: i64) -> ShardRecord {
        let mut shard = ShardRecord::ready(
            RunId::new("r").unwrap(),
            ShardId::new(format!("1-{number}")).unwrap(),
            ShardWork::CopyObjects,
            Count {
                objects: 12,
                bytes: 1_200,
            },
            0,
        );
        shard.begun_at = Some(Timestamp::from_millis(begun_ms));
        shard.ended_at = Some(Timestamp::from_millis(ended_ms));
        shard.outcome.tally.copied = Count {
            objects: 10,
            bytes: 1_000,
        };
        shard
    }

    #[test]
    fn what_was_copied_is_spread_over_its_time_and_nothing_is_lost() {
        let mut charts = Charts::new(Timestamp::from_millis(0), Timestamp::from_millis(48_000), 3);
        charts.add(&shard(0, 500, 47_000));
        charts.add(&shard(1, 3_000, 3_000));
        charts.add(&shard(2, 10_000, 20_000));
        let objects: f64 = charts
            .over_time()
            .iter()
            .map(|stretch| stretch.objects)
            .sum();
        assert!((objects - 30.0).abs() < 1e-6, "{objects}");
        assert!((charts.stretch_ms() - 1_000.0).abs() < 1e-6);
        assert!(charts.over_time()[15].objects > charts.over_time()[25].objects);
    }

    #[test]
    fn what_was_copied_between_two_checkpoints_is_drawn_between_them() {
        let mut charts = Charts::new(Timestamp::from_millis(0), Timestamp::from_millis(48_000), 1);
        let mut slow_then_fast = shard(0, 0, 48_000);
        let copied = Count {
            objects: 1,
            bytes: 100,
        };
        let begun_at = Timestamp::from_millis(0);
        let at = Timestamp::from_millis(24_000);
        slow_then_fast.samples.note(begun_at, at, copied);
        charts.add(&slow_then_fast);
        let objects: Vec<f64> = charts.over_time().iter().map(|it| it.objects).collect();
        let (first, second) = objects.split_at(24);
        assert!((first.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{first:?}");
        assert!(
            (second.iter().sum::<f64>() - 9.0).abs() < 1e-6,
            "{second:?}"
        );
    }

    #[test]
    fn a_million_shards_are_drawn_in_as_many_bars_as_fit() {
        let mut charts = Charts::new(
            Timestamp::from_millis(0),
            Timestamp::from_millis(9),
            100_000,
        );
        for number in 0..100_000 {
            charts.add(&shard(number, 0, 9));
        }
        assert_eq!(charts.by_shard().len(), BARS_MAX);
        let failed: u64 = charts.by_shard().iter().map(|group| group.failed).sum();
        assert_eq!(failed, 200_000);
    }
}
