//! When the record of a shard is written while its objects are copied.

use std::time::Duration;

use shardlift_core::value::time::Timestamp;

/// The first checkpoint of a copier, so that whoever watches a run sees that it goes on.
const FIRST_INTERVAL: Duration = Duration::from_secs(3);
/// Each later one is twice as far from the one before, up to this. A checkpoint writes the record and, before it, the receipts:
/// with 64 copiers that share 3,500 copies a second, the nine of a shard of 10,000 objects cost $0.00005. A copier that is
/// killed loses what it settled since the last one, and its objects are copied again. The write also shows whether this
/// copier still holds the shard.
const INTERVAL_MAX: Duration = Duration::from_secs(30);

/// Writes at once, for uploads that were opened or are being completed, are on average at least so far apart: the record
/// is large while many of them are open, and what it does not name is found by its key, or copied again.
const HASTE_INTERVAL: Duration = Duration::from_millis(250);
/// How many of them may follow each other without a pause: an object in parts makes two.
const HASTE_BURST: u32 = 4;

/// When the next write is due.
pub(super) struct CheckpointSchedule {
    due_at: Timestamp,
    /// From the last write that was not made in haste to the next.
    interval: Duration,
    written_at: Timestamp,
    /// How much of the time between writes at once the writes so far have used up.
    haste: Duration,
}

impl CheckpointSchedule {
    /// The record was just claimed.
    pub(super) fn begin(now: Timestamp) -> Self {
        Self {
            due_at: now.plus(FIRST_INTERVAL),
            interval: FIRST_INTERVAL,
            written_at: now,
            haste: Duration::ZERO,
        }
    }

    /// When the copier writes next.
    pub(super) fn due_at(&self) -> Timestamp {
        self.due_at
    }

    /// Something is to be recorded at once, or as soon as the write before is long enough ago.
    pub(super) fn hasten(&mut self, now: Timestamp) {
        let pause = self
            .haste
            .saturating_sub(HASTE_INTERVAL * (HASTE_BURST - 1));
        let at_once = now.max(self.written_at.plus(pause));
        self.due_at = self.due_at.min(at_once);
    }

    /// The record was written.
    pub(super) fn written(&mut self, now: Timestamp) {
        let since_written = now.since(self.written_at);
        self.haste = self.haste.saturating_sub(since_written) + HASTE_INTERVAL;
        if since_written >= self.interval {
            self.interval = (self.interval * 2).min(INTERVAL_MAX);
        }
        self.written_at = now;
        self.due_at = now.plus(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[test]
    fn checkpoints_become_rarer_and_never_stop() {
        let mut checkpoints = CheckpointSchedule::begin(at(0));
        let mut written = Vec::new();
        for _ in 0..7 {
            let due_at = checkpoints.due_at();
            checkpoints.written(due_at);
            written.push(due_at);
        }
        assert_eq!(written, [3, 9, 21, 45, 75, 105, 135].map(at));
    }

    #[test]
    fn an_opened_upload_is_written_at_once() {
        let mut checkpoints = CheckpointSchedule::begin(at(0));
        for _ in 0..HASTE_BURST {
            checkpoints.hasten(at(1));
            assert_eq!(checkpoints.due_at(), at(1));
            checkpoints.written(at(1));
        }
        checkpoints.hasten(at(1));
        assert_eq!(checkpoints.due_at(), at(1).plus(HASTE_INTERVAL));
        checkpoints.hasten(at(3));
        assert_eq!(checkpoints.due_at(), at(1).plus(HASTE_INTERVAL));
        checkpoints.written(at(3));
        assert_eq!(checkpoints.due_at(), at(6), "writes in haste are not fewer");
    }
}
