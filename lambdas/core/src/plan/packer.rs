//! Packs chunks of many ranges into shards that are nearly full.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    audit::{self, AuditSums},
    chunk::{Chunk, PlannedWork, ShardBounds},
    range::Checkpoint,
};
use crate::{
    documents::{manifest::encode_lines, receipt::encode_kept},
    failure::Failure,
    port::PLAN_STEP_RECORDS_MAX,
    value::{
        id::{RangeId, RunId, ShardId},
        set_sum::SetSum,
    },
};

/// The most ranges whose chunks are packed together. Their records, those of up to two shards and that of a list of what is
/// kept fit one step of the ledger.
const RANGES_MAX: usize = PLAN_STEP_RECORDS_MAX - 3;

/// The chunks of one step of the ledger: up to one shard of copies, up to one shard of deletions, and how far the ranges
/// are planned with them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackedChunks {
    chunks: Vec<Chunk>,
}

impl PackedChunks {
    /// The objects to copy.
    #[must_use]
    pub fn copy_work(&self) -> PlannedWork {
        sum(&self.chunks, |chunk| chunk.copy_work)
    }

    /// The objects to delete.
    #[must_use]
    pub fn delete_work(&self) -> PlannedWork {
        sum(&self.chunks, |chunk| chunk.delete_work)
    }

    /// The objects to delete, which stand at the target until then.
    #[must_use]
    pub fn deleted(&self) -> SetSum {
        let chunks = self.chunks.iter();
        chunks.fold(SetSum::default(), |sum, chunk| sum.plus(&chunk.deleted))
    }

    /// The manifest of the shard of copies.
    ///
    /// # Errors
    /// As [`encode_lines`].
    pub fn encode_copies(&self, run_id: &RunId, shard_id: &ShardId) -> Result<Vec<u8>, Failure> {
        encode_lines(run_id, shard_id, self.lines(|chunk| &chunk.copies))
    }

    /// The manifest of the shard of deletions.
    ///
    /// # Errors
    /// As [`encode_lines`].
    pub fn encode_deletes(&self, run_id: &RunId, shard_id: &ShardId) -> Result<Vec<u8>, Failure> {
        encode_lines(run_id, shard_id, self.lines(|chunk| &chunk.deletes))
    }

    /// What the target has there and the plan leaves as it stands: the objects that are the same, and those that the run is not
    /// about.
    #[must_use]
    pub fn kept(&self) -> (SetSum, SetSum) {
        let chunks = self.chunks.iter();
        chunks.fold(
            <(SetSum, SetSum)>::default(),
            |(same, beside): (SetSum, SetSum), chunk| {
                let kept = &chunk.kept;
                (same.plus(&kept.same), beside.plus(&kept.beside))
            },
        )
    }

    /// The list of these objects.
    ///
    /// # Errors
    /// As [`encode_kept`].
    pub fn encode_kept(&self) -> Result<Vec<u8>, Failure> {
        encode_kept(self.lines(|chunk| &chunk.kept))
    }

    /// What an audit compared there.
    #[must_use]
    pub fn audited(&self) -> AuditSums {
        let mut sums = AuditSums::default();
        for chunk in &self.chunks {
            sums.add(&chunk.audited.sums);
        }
        sums
    }

    /// The list of the keys that differ in an audit.
    ///
    /// # Errors
    /// As [`encode_kept`].
    pub fn encode_differences(&self) -> Result<Vec<u8>, Failure> {
        audit::encode(self.lines(|chunk| &chunk.audited))
    }

    /// How far each range is planned with these chunks, and whether it ends there.
    #[must_use]
    pub fn ranges(&self) -> BTreeMap<RangeId, (Checkpoint, bool)> {
        // Chunks of a range stand in order, so the last one wins.
        self.chunks
            .iter()
            .map(|chunk| {
                let end = (chunk.checkpoint.clone(), chunk.ends_range);
                (chunk.range_id.clone(), end)
            })
            .collect()
    }

    /// Key order over all ranges: chunks are stretches that do not overlap.
    fn lines<'a, L>(&'a self, of: impl Fn(&'a Chunk) -> &'a L) -> Vec<&'a L> {
        let mut chunks: Vec<&Chunk> = self.chunks.iter().collect();
        chunks.sort_by(|one, other| one.checkpoint.through.cmp(&other.checkpoint.through));
        chunks.into_iter().map(of).collect()
    }
}

fn sum(chunks: &[Chunk], of: impl Fn(&Chunk) -> PlannedWork) -> PlannedWork {
    chunks
        .iter()
        .fold(PlannedWork::default(), |all, chunk| all.plus(of(chunk)))
}

/// Objects and bytes of the lists of what needs no shard.
fn listed(chunks: &[Chunk]) -> (u64, u64) {
    let objects = chunks.iter().map(Chunk::listed).sum();
    (objects, chunks.iter().map(Chunk::listed_bytes).sum())
}

/// Collects chunks until they fill a shard. Less than one shard waits, whatever the number of ranges.
#[derive(Debug)]
pub struct Packer {
    bounds: ShardBounds,
    open: Vec<Chunk>,
}

impl Packer {
    /// An empty packer.
    #[must_use]
    pub fn new(bounds: ShardBounds) -> Self {
        Self {
            bounds,
            open: Vec::new(),
        }
    }

    /// Takes the next chunk of any range. Chunks of one range come in order. Returns what is full.
    pub fn add(&mut self, chunk: Chunk) -> Vec<PackedChunks> {
        let is_solo = chunk.is_solo(self.bounds);
        let mut packed = Vec::new();
        if is_solo || !self.fits(&chunk) {
            packed.extend(self.flush());
        }
        self.open.push(chunk);
        if is_solo || self.is_full() {
            packed.extend(self.flush());
        }
        packed
    }

    /// Returns everything that waits.
    pub fn flush(&mut self) -> Option<PackedChunks> {
        let chunks = std::mem::take(&mut self.open);
        (!chunks.is_empty()).then_some(PackedChunks { chunks })
    }

    fn fits(&self, chunk: &Chunk) -> bool {
        let copies = sum(&self.open, |chunk| chunk.copy_work).plus(chunk.copy_work);
        let deletes = sum(&self.open, |chunk| chunk.delete_work).plus(chunk.delete_work);
        let mut ranges: BTreeSet<&RangeId> = self.open.iter().map(|open| &open.range_id).collect();
        ranges.insert(&chunk.range_id);
        let (listed, bytes) = listed(&self.open);
        self.bounds.hold(&copies)
            && deletes.count.objects <= self.bounds.objects_max
            && listed + chunk.listed() <= self.bounds.kept_max
            && bytes + chunk.listed_bytes() <= self.bounds.kept_bytes_max
            && ranges.len() <= RANGES_MAX
    }

    fn is_full(&self) -> bool {
        let copies = sum(&self.open, |chunk| chunk.copy_work);
        let (listed, bytes) = listed(&self.open);
        copies.count.objects >= self.bounds.objects_max
            || listed >= self.bounds.kept_max
            || bytes >= self.bounds.kept_bytes_max
            || copies.count.bytes >= self.bounds.bytes_max
            || copies.effort.busy_us >= self.bounds.busy_us_max
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        plan::range::ListingTally,
        run::option::ClassChoice,
        value::{
            key::{ObjectKey, RelativeKey},
            object::{ETag, ListedObject},
            storage::ObjectStorage,
            time::Timestamp,
        },
    };

    const BOUNDS: ShardBounds = ShardBounds {
        objects_max: 10,
        bytes_max: 1_000,
        busy_us_max: 1_000_000_000,
        kept_max: 15,
        kept_bytes_max: 800,
    };

    /// A chunk as a walk makes it: some copies of one size, some deletions, the range's next checkpoint.
    fn chunk(range: u32, number: usize, copies: u64, size_bytes: u64, deletes: u64) -> Chunk {
        let through = RelativeKey::new(format!("{range:03}/{number:05}")).unwrap();
        let checkpoint = Checkpoint {
            through: Some(through.clone()),
            tally: ListingTally::default(),
            list: None,
        };
        let mut chunk = Chunk::begin(RangeId::numbered(range), checkpoint);
        let object = ListedObject {
            key: ObjectKey::new(through.as_str()).unwrap(),
            size_bytes,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
            version_id: None,
        };
        for _ in 0..copies {
            chunk.plan_copy(
                &object,
                PlannedWork::copy_of(size_bytes, u64::MAX, u64::MAX),
                ClassChoice::Preserve,
            );
        }
        for _ in 0..deletes {
            chunk.plan_delete(through.as_str(), &object);
        }
        chunk
    }

    fn chunks() -> impl Strategy<Value = Vec<Chunk>> {
        // A chunk keeps to a tenth of the bounds, unless it is one large object.
        let small = (0_u32..120, 0_u64..2, 0_u64..100, 0_u64..2);
        let solo = (0_u32..120, Just(1), 900_u64..2_000, Just(0));
        prop::collection::vec(prop_oneof![4 => small, 1 => solo], 0..400).prop_map(|shapes| {
            let shapes = shapes.into_iter().enumerate();
            shapes
                .map(|(number, (range, copies, size, deletes))| {
                    chunk(range, number, copies, size, deletes)
                })
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_chunk_is_packed_once_in_the_order_of_its_range_and_within_the_bounds(chunks in chunks()) {
            let mut packer = Packer::new(BOUNDS);
            let mut steps: Vec<PackedChunks> = Vec::new();
            for chunk in &chunks {
                steps.extend(packer.add(chunk.clone()));
            }
            steps.extend(packer.flush());
            prop_assert_eq!(packer.flush(), None);
            let packed: Vec<Chunk> = steps.iter().flat_map(|step| step.chunks.clone()).collect();
            prop_assert_eq!(&packed, &chunks, "in the order in which they came, and so of each range");
            for step in &steps {
                let work = step.copy_work();
                let is_solo = work.count.objects == 1 && work.count.bytes >= BOUNDS.bytes_max;
                prop_assert!(BOUNDS.hold(&work) || is_solo, "{work:?}");
                prop_assert!(!is_solo || step.chunks.len() == 1, "a large object is alone");
                prop_assert!(step.delete_work().count.objects <= BOUNDS.objects_max);
                let shards = 2;
                prop_assert!(step.ranges().len() + shards <= PLAN_STEP_RECORDS_MAX);
            }
        }
    }

    #[test]
    fn a_list_of_what_stays_is_bounded_by_objects_and_by_bytes() {
        // A line of such a list takes 47 bytes and the key.
        for (rest, expected) in [("", 15), ("-of-a-long-key", 12)] {
            let mut packer = Packer::new(BOUNDS);
            let full = (0..20).flat_map(|number| {
                let mut chunk = chunk(7, number, 0, 0, 0);
                let object = ListedObject {
                    key: ObjectKey::new("key").unwrap(),
                    size_bytes: 1,
                    etag: ETag::new("e").unwrap(),
                    modified_at: Timestamp::default(),
                    storage: ObjectStorage::default(),
                    version_id: None,
                };
                chunk
                    .kept
                    .push_same(&format!("{number}{rest}"), &object, None);
                packer.add(chunk)
            });
            let first: Vec<PackedChunks> = full.take(1).collect();
            assert_eq!(first[0].kept().0.objects, expected, "{rest:?}");
        }
    }

    #[test]
    fn a_shard_is_bounded_by_objects_by_bytes_and_by_time() {
        let slow = ShardBounds {
            busy_us_max: PlannedWork::copy_of(1, 2, 2).effort.busy_us * 3,
            ..BOUNDS
        };
        for (bounds, size_bytes, expected) in [(BOUNDS, 1, 10), (BOUNDS, 250, 4), (slow, 1, 3)] {
            let mut packer = Packer::new(bounds);
            let full: Vec<PackedChunks> = (0..10)
                .flat_map(|number| packer.add(chunk(7, number, 1, size_bytes, 0)))
                .collect();
            let first = full.first().unwrap().copy_work().count.objects;
            assert_eq!(first, expected, "{bounds:?}");
        }
    }
}
