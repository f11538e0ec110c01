//! When the record of a shard is written while its objects are copied.

use std::time::Duration;

use shardlift_core::time::Timestamp;

/// A copier that is killed loses what it settled since its last checkpoint, so at most this and a bit.
pub(crate) const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(3);
/// While nothing is settled, for instance while large objects are copied, a write shows whether the shard is still this
/// copier's.
const LEASE_CHECK_INTERVAL: Duration = Duration::from_secs(30);

/// Writes for the sake of new uploads are at least so far apart: the record is large while many of them are open, and
/// what it does not name is found by its key.
const HASTE_INTERVAL: Duration = Duration::from_millis(250);

/// When the next write is due.
pub(crate) struct Checkpoints {
    recorded: u64,
    /// If there is something to record.
    due_at: Timestamp,
    /// Whatever there is.
    lease_check_at: Timestamp,
    /// If it is to be at once.
    haste_at: Timestamp,
}

impl Checkpoints {
    /// The record knows `recorded` settled objects.
    pub(crate) fn begin(now: Timestamp, recorded: u64) -> Self {
        Self {
            recorded,
            due_at: now.plus(CHECKPOINT_INTERVAL),
            lease_check_at: now.plus(LEASE_CHECK_INTERVAL),
            haste_at: now,
        }
    }

    /// When a copier that has settled this many objects writes next.
    pub(crate) fn due_at(&self, settled: u64) -> Timestamp {
        if settled == self.recorded {
            self.lease_check_at
        } else {
            self.due_at
        }
    }

    /// Something is to be recorded at once, or as soon as the write before is long enough ago.
    pub(crate) fn hasten(&mut self, now: Timestamp) {
        self.due_at = now.max(self.haste_at);
        self.lease_check_at = self.due_at;
    }

    /// The record knows `recorded` settled objects now.
    pub(crate) fn written(&mut self, now: Timestamp, recorded: u64) {
        *self = Self {
            haste_at: now.plus(HASTE_INTERVAL),
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
        let mut checkpoints = Checkpoints::begin(at(0), 7);
        assert_eq!(checkpoints.due_at(7), at(30));
        assert_eq!(checkpoints.due_at(8), at(3));
        checkpoints.written(at(4), 8);
        assert_eq!(checkpoints.due_at(8), at(34));
        assert_eq!(checkpoints.due_at(9), at(7));
    }

    #[test]
    fn an_opened_upload_is_written_at_once_although_nothing_is_settled() {
        let mut checkpoints = Checkpoints::begin(at(0), 7);
        checkpoints.hasten(at(1));
        assert_eq!(checkpoints.due_at(7), at(1));
        checkpoints.written(at(1), 7);
        checkpoints.hasten(at(1));
        assert_eq!(checkpoints.due_at(7), at(1).plus(HASTE_INTERVAL));
    }
}
