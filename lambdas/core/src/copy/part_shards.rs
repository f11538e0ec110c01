//! How a very large object is spread over many copiers: one record for the whole, one for each run of parts.

use crate::{
    copy::part_layout::{LayoutError, PartLayout},
    failure::Failure,
    shard::{ShardRecord, ShardWork},
    value::{
        id::{RunId, ShardId},
        tally::Count,
    },
};

/// Above this size an object gets part shards. One copier with 64 parts in flight copies this much in some minutes
/// (at 50 MB/s a part, which is at the low end of what S3 does: 3.2 GB/s, 170 s).
pub const PART_SHARDED_BYTES_MIN: u64 = 512 * 1024 * 1024 * 1024;
/// The most part shards of one object, so that they and the whole fit one step of the plan.
pub const PART_SHARDS_MAX: u32 = 64;

/// The records of the one very large object whose shard is `whole`: the whole first, then its part shards. Nothing when
/// it is not so large that it needs them.
///
/// # Errors
/// [`LayoutError`] when no number of parts holds the object.
pub fn cut(
    run_id: &RunId,
    whole: &ShardId,
    size_bytes: u64,
    part_bytes: u64,
    expires_at: i64,
) -> Result<Option<Vec<ShardRecord>>, LayoutError> {
    if size_bytes < PART_SHARDED_BYTES_MIN {
        return Ok(None);
    }
    let layout = PartLayout::new(size_bytes, part_bytes)?;
    let wanted = size_bytes.div_ceil(PART_SHARDED_BYTES_MIN / 2);
    let part_shards = u32::try_from(wanted)
        .unwrap_or(PART_SHARDS_MAX)
        .clamp(1, PART_SHARDS_MAX.min(layout.part_count()));
    let planned = Count {
        objects: 1,
        bytes: size_bytes,
    };
    let ready = |id: ShardId, work, planned| {
        ShardRecord::ready(run_id.clone(), id, work, planned, expires_at)
    };
    let mut records = vec![ready(
        whole.clone(),
        ShardWork::AssembleObject { part_shards },
        planned,
    )];
    records.extend((0..part_shards).map(|number| {
        let bounds = share(layout.part_count(), part_shards, number);
        let work = ShardWork::CopyParts {
            first_part: bounds.0,
            last_part: bounds.1,
        };
        ready(whole.part_shard(number), work, Count::default())
    }));
    Ok(Some(records))
}

/// The first and the last part of one of `shards` nearly equal shares.
fn share(parts: u32, shards: u32, number: u32) -> (u32, u32) {
    let end_of = |number: u32| {
        let end = u64::from(parts) * u64::from(number) / u64::from(shards);
        u32::try_from(end).expect("a share is no larger than the whole")
    };
    (end_of(number) + 1, end_of(number + 1))
}

/// The whole of a part shard, and the part shard's number in it.
///
/// # Errors
/// `InvariantViolated` when the id is not one of a part shard.
pub fn whole_of(shard_id: &ShardId) -> Result<(ShardId, u32), Failure> {
    shard_id
        .whole()
        .ok_or_else(|| Failure::invariant(format!("{shard_id} is not the id of a part shard")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::copy::part_layout::{OBJECT_BYTES_MAX, PART_BYTES_DEFAULT};

    fn records(size_bytes: u64) -> Vec<ShardRecord> {
        let (run, whole) = (RunId::new("r").unwrap(), ShardId::new("2-17").unwrap());
        cut(&run, &whole, size_bytes, PART_BYTES_DEFAULT, 0)
            .unwrap()
            .unwrap_or_default()
    }

    #[test]
    fn only_very_large_objects_get_part_shards() {
        assert!(records(PART_SHARDED_BYTES_MIN - 1).is_empty());
        assert_eq!(records(PART_SHARDED_BYTES_MIN).len(), 1 + 2);
        assert_eq!(
            records(OBJECT_BYTES_MAX).len(),
            1 + PART_SHARDS_MAX as usize
        );
    }

    #[test]
    fn part_shards_know_their_whole() {
        let records = records(PART_SHARDED_BYTES_MIN);
        let part = &records[2].shard_id;
        assert_eq!(part.as_str(), "2-17.p1");
        assert_eq!(whole_of(part).unwrap(), (records[0].shard_id.clone(), 1));
        assert!(whole_of(&records[0].shard_id).is_err());
    }

    proptest! {
        #[test]
        fn part_shards_cover_every_part_once_and_the_object_counts_once(
            size_bytes in PART_SHARDED_BYTES_MIN..=OBJECT_BYTES_MAX,
        ) {
            let records = records(size_bytes);
            let mut next = 1;
            let mut planned = Count::default();
            for record in &records {
                planned.add(record.planned);
                if let ShardWork::CopyParts { first_part, last_part } = record.work {
                    prop_assert_eq!(first_part, next);
                    prop_assert!(last_part >= first_part);
                    next = last_part + 1;
                }
            }
            let layout = PartLayout::new(size_bytes, PART_BYTES_DEFAULT).unwrap();
            prop_assert_eq!(next, layout.part_count() + 1);
            prop_assert_eq!(planned, Count { objects: 1, bytes: size_bytes });
        }
    }
}
