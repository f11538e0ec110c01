//! When the record of a shard is written while its objects are copied.

use std::time::Duration;

use shardlift_core::value::time::Timestamp;

/// A copier that is killed loses what it settled since its last checkpoint: at most what it settles in a little more than this.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(3);
/// While nothing is settled, for instance while large objects are copied, a write shows whether this copier still holds the
/// shard.
const LEASE_CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Writes at once, for uploads that were opened or are being completed, are on average at least so far apart: the record
/// is large while many of them are open, and what it does not name is found by its key, or copied again.
const HASTE_INTERVAL: Duration = Duration::from_millis(250);
/// How many of them may follow each other without a pause: an object in parts makes two.
const HASTE_BURST: u32 = 4;

/// When the next write is due.
pub(super) struct CheckpointSchedule {
    recorded: u64,
    /// If there is something to record.
    due_at: Timestamp,
    /// Whatever there is.
    lease_check_at: Timestamp,
    written_at: Timestamp,
    /// How much of the time between writes at once the writes so far have used up.
    haste: Duration,
}

impl CheckpointSchedule {
    /// The record knows `recorded` settled objects.
    pub(super) fn begin(now: Timestamp, recorded: u64) -> Self {
        Self {
            recorded,
            due_at: now.plus(CHECKPOINT_INTERVAL),
            lease_check_at: now.plus(LEASE_CHECK_INTERVAL),
            written_at: now,
            haste: Duration::ZERO,
        }
    }

    /// When a copier that has settled this many objects writes next.
    pub(super) fn due_at(&self, settled: u64) -> Timestamp {
        if settled == self.recorded {
            self.lease_check_at
        } else {
            self.due_at
        }
    }

    /// Something is to be recorded at once, or as soon as the write before is long enough ago.
    pub(super) fn hasten(&mut self, now: Timestamp) {
        let pause = self
            .haste
            .saturating_sub(HASTE_INTERVAL * (HASTE_BURST - 1));
        self.due_at = now.max(self.written_at.plus(pause));
        self.lease_check_at = self.due_at;
    }

    /// The record knows `recorded` settled objects now.
    pub(super) fn written(&mut self, now: Timestamp, recorded: u64) {
        *self = Self {
            haste: self.haste.saturating_sub(now.since(self.written_at)) + HASTE_INTERVAL,
            ..Self::begin(now, recorded)
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn what_is_settled_is_written_within_seconds_and_a_lease_is_checked_within_a_minute() {
        let mut checkpoints = CheckpointSchedule::begin(at(0), 7);
        assert_eq!(checkpoints.due_at(7), at(30));
        assert_eq!(checkpoints.due_at(8), at(3));
        checkpoints.written(at(4), 8);
        assert_eq!(checkpoints.due_at(8), at(34));
        assert_eq!(checkpoints.due_at(9), at(7));
    }

    #[test]
    fn an_opened_upload_is_written_at_once_although_nothing_is_settled() {
        let mut checkpoints = CheckpointSchedule::begin(at(0), 7);
        for _ in 0..HASTE_BURST {
            checkpoints.hasten(at(1));
            assert_eq!(checkpoints.due_at(7), at(1));
            checkpoints.written(at(1), 7);
        }
        checkpoints.hasten(at(1));
        assert_eq!(checkpoints.due_at(7), at(1).plus(HASTE_INTERVAL));
        checkpoints.hasten(at(3));
        assert_eq!(checkpoints.due_at(7), at(3));
    }
}
