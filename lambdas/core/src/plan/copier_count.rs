//! How many copiers a run has at once.

use super::copy_effort::CopyEffort;

/// The processor time that a copier takes for a write, in microseconds: 525 a second with 256 MB, which are 0.145 of a
/// processor (docs/PERFORMANCE.md, At 256 MB).
const PROCESSOR_US_PER_WRITE: u64 = 276;
/// The memory that comes with a whole processor (docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html).
const MB_PER_PROCESSOR: u64 = 1_769;
/// Writes per second that one partition of S3 takes at least. S3 splits it under load, gradually
/// (docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html).
pub(super) const PARTITION_WRITES_PER_SECOND: u64 = 3_500;
/// Twice of it, so that a run gains when S3 splits the partition, and copiers that wait for S3 are few: they are paid for
/// while they wait.
const WRITES_PER_SECOND: u64 = 2 * PARTITION_WRITES_PER_SECOND;
/// S3 splits a partition under load gradually, "over 30 to 60 minutes"
/// (repost.aws/knowledge-center/http-5xx-errors-s3). A run that lasts longer than this at [`WRITES_PER_SECOND`] has so many
/// more copiers for what S3 takes by then.
const SPLIT_SECONDS: u64 = 1_800;
/// Moving large objects takes S3's time and not the copier's, so more copiers cost nothing more: as many as are done within
/// this time, or within that of the writes.
const MOVING_SECONDS: u64 = 60;

/// The processor time of so many writes with this memory, in microseconds.
pub(super) fn processor_us(writes: u64, memory_mb: u32) -> u64 {
    writes.saturating_mul(PROCESSOR_US_PER_WRITE * MB_PER_PROCESSOR) / u64::from(memory_mb.max(1))
}

/// How many copiers of this memory are enough for so many writes: no more than S3 can keep busy, at most `copiers_max`.
pub(super) fn copier_count(
    effort: CopyEffort,
    writes: u64,
    memory_mb: u32,
    copiers_max: u32,
) -> u32 {
    let for_a_partition = processor_us(WRITES_PER_SECOND, memory_mb).div_ceil(1_000_000);
    let splits = writes / (WRITES_PER_SECOND * SPLIT_SECONDS);
    let for_writes = for_a_partition.saturating_mul(1 + splits);
    let seconds = (writes / WRITES_PER_SECOND).max(MOVING_SECONDS);
    let for_moving = (effort.moving_us(writes) / 1_000_000).div_ceil(seconds);
    let copiers = for_writes
        .max(for_moving)
        .clamp(1, u64::from(copiers_max.max(1)));
    u32::try_from(copiers).unwrap_or(copiers_max)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn copiers(objects: u64, size_bytes: u64, memory_mb: u32) -> u32 {
        let one = CopyEffort::of_object(size_bytes, 5 * GIB, 0);
        let effort = CopyEffort {
            parts: one.parts * objects,
            busy_us: one.busy_us * objects,
            ..CopyEffort::default()
        };
        copier_count(effort, objects + effort.parts, memory_mb, 64)
    }

    #[test]
    fn small_objects_have_as_many_as_two_partitions_keep_busy() {
        assert_eq!(copiers(1, 1_024, 1_024), 4);
        assert_eq!(copiers(1_000_000, 65_536, 1_024), 4);
        assert_eq!(copiers(1_000_000, 65_536, 256), 14);
        assert_eq!(copiers(1_000_000, 65_536, 1_769), 2);
    }

    #[test]
    fn a_run_of_hours_has_more_for_partitions_that_are_split() {
        assert_eq!(copiers(30_000_000, 65_536, 1_024), 12);
        assert_eq!(copiers(100_000_000, 65_536, 1_024), 32);
        assert_eq!(copiers(1_000_000_000, 65_536, 1_024), 64);
    }

    #[test]
    fn large_objects_have_as_many_as_move_them_in_a_minute() {
        assert_eq!(copiers(100, 5 * GIB, 1_024), 4);
        assert_eq!(copiers(1_000, 5 * GIB, 1_024), 28);
        assert_eq!(copiers(10_000, 5 * GIB, 1_024), 64);
        assert_eq!(copiers(1_000_000, 10 << 20, 1_024), 24);
    }
}
