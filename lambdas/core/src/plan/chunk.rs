//! Chunks: small stretches of ranges with the planned objects in them. Shards are packed from chunks.

use super::{audit::AuditedStretch, copy_effort::CopyEffort, range::Checkpoint};
use crate::{
    copy::{part_shards::PART_SHARDED_BYTES_MIN, redirect},
    documents::{manifest::ManifestLines, receipt::KeptLines},
    run::{option::ClassChoice, spec::RunSpec},
    value::{id::RangeId, key::RelativeKey, object::ListedObject, set_sum::SetSum, tally::Count},
};

/// How large a shard may become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardBounds {
    /// Objects of a shard.
    pub objects_max: u64,
    /// Bytes of a shard, unless one object alone has more.
    pub bytes_max: u64,
    /// Estimated time of a shard in its copier, in microseconds, unless one object alone takes more.
    pub busy_us_max: u64,
    /// Objects of a list of what the plan leaves as it stands.
    pub kept_max: u64,
    /// Bytes of such a list before it is compressed, unless one chunk alone has more.
    pub kept_bytes_max: u64,
}

/// 512 GiB.
const BYTES_MAX_DEFAULT: u64 = 512 << 30;

impl Default for ShardBounds {
    /// 10,000 objects: a million objects are 100 children of the Map, which starts 100 per second, and a manifest stays
    /// at some 250 KB. 512 GiB and five minutes: a third of an invocation, so that one invocation suffices even if the
    /// estimate is three times too low. 50,000 objects that stay: their lists are some 6 MB, and 1.8 MB when compressed. Each
    /// list ends the shard whose copies lie among its objects, so where a million objects stay, the night's few copies are
    /// some 20 shards. 8 MiB hold this with keys of up to 70 bytes; longer keys make shorter lists, not a larger planner.
    fn default() -> Self {
        Self {
            objects_max: 10_000,
            bytes_max: BYTES_MAX_DEFAULT,
            busy_us_max: 300_000_000,
            kept_max: 50_000,
            kept_bytes_max: 8 << 20,
        }
    }
}

// An object with part shards is never packed with others, because the records would not fit one step of the ledger.
const _: () = assert!(BYTES_MAX_DEFAULT <= PART_SHARDED_BYTES_MIN);

/// How many chunks make a full shard. A shard stays at most one chunk below its bounds.
const CHUNKS_PER_SHARD: u64 = 10;
/// How many chunks make a full list of what stays. More than of a shard, because each range that is listed has a chunk in
/// memory, in which what stays takes 100 bytes and more an object.
const CHUNKS_PER_KEPT_LIST: u64 = 50;

impl ShardBounds {
    /// The bounds of a chunk.
    #[must_use]
    pub fn chunk(self) -> Self {
        Self {
            objects_max: (self.objects_max / CHUNKS_PER_SHARD).max(1),
            bytes_max: (self.bytes_max / CHUNKS_PER_SHARD).max(1),
            busy_us_max: (self.busy_us_max / CHUNKS_PER_SHARD).max(1),
            kept_max: (self.kept_max / CHUNKS_PER_KEPT_LIST).max(1),
            kept_bytes_max: self.kept_bytes_max,
        }
    }

    /// Whether `work` keeps within the bounds.
    #[must_use]
    pub fn hold(&self, work: &PlannedWork) -> bool {
        work.count.objects <= self.objects_max
            && work.count.bytes <= self.bytes_max
            && work.effort.busy_us <= self.busy_us_max
    }
}

/// Planned objects and what copying them takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlannedWork {
    /// Objects and bytes.
    pub count: Count,
    /// What copying them takes.
    pub effort: CopyEffort,
}

impl PlannedWork {
    /// That of copying an object in a run.
    #[must_use]
    pub fn of_object(object: &ListedObject, spec: &RunSpec) -> Self {
        if spec.transform.is_some() {
            return Self {
                count: Count {
                    objects: 1,
                    bytes: object.size_bytes,
                },
                effort: CopyEffort::of_rendition(object.size_bytes),
            };
        }
        let (threshold, part) = (spec.multipart_threshold_bytes, spec.part_bytes);
        let mut work = Self::copy_of(object.size_bytes, threshold, part);
        let is_looked_at = work.effort.uploads == 0
            && redirect::is_looked_for(spec, &object.key, object.size_bytes);
        work.effort = work.effort.looking(u64::from(is_looked_at));
        work
    }

    /// One object copied; in parts above `multipart_threshold_bytes`.
    #[must_use]
    pub fn copy_of(size_bytes: u64, multipart_threshold_bytes: u64, part_bytes: u64) -> Self {
        Self {
            count: Count {
                objects: 1,
                bytes: size_bytes,
            },
            effort: CopyEffort::of_object(size_bytes, multipart_threshold_bytes, part_bytes),
        }
    }

    /// Adds other work.
    pub fn add(&mut self, other: Self) {
        self.count.add(other.count);
        self.effort.add(other.effort);
    }

    /// This work and other work together.
    #[must_use]
    pub fn plus(mut self, other: Self) -> Self {
        self.add(other);
        self
    }
}

/// A stretch of one range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// The range.
    pub range_id: RangeId,
    /// The objects to copy, in key order.
    pub copies: ManifestLines,
    /// Their count and effort.
    pub copy_work: PlannedWork,
    /// The objects to delete at the target, in key order.
    pub deletes: ManifestLines,
    /// Their count and effort.
    pub delete_work: PlannedWork,
    /// The same objects as a set.
    pub deleted: SetSum,
    /// What the target has in this stretch and the plan leaves as it stands, in key order.
    pub kept: KeptLines,
    /// What an audit compared in this stretch.
    pub audited: AuditedStretch,
    /// How far the range is planned with this chunk.
    pub checkpoint: Checkpoint,
    /// Whether the range ends with this chunk.
    pub ends_range: bool,
}

impl Chunk {
    pub(super) fn begin(range_id: RangeId, checkpoint: Checkpoint) -> Self {
        Self {
            range_id,
            copies: ManifestLines::default(),
            copy_work: PlannedWork::default(),
            deletes: ManifestLines::default(),
            delete_work: PlannedWork::default(),
            deleted: SetSum::default(),
            kept: KeptLines::default(),
            audited: AuditedStretch::default(),
            checkpoint,
            ends_range: false,
        }
    }

    pub(super) fn plan_copy(
        &mut self,
        object: &ListedObject,
        work: PlannedWork,
        choice: ClassChoice,
    ) {
        self.copies.push(object);
        self.copy_work.add(work);
        let tally = &mut self.checkpoint.tally;
        tally.plan_copy((work.count, work.effort), object.storage, choice);
    }

    pub(super) fn plan_delete(&mut self, relative: &str, object: &ListedObject) {
        self.deletes.push(object);
        self.deleted
            .add_object(relative, &object.etag, object.size_bytes);
        let count = Count {
            objects: 1,
            bytes: object.size_bytes,
        };
        self.delete_work.count.add(count);
        self.checkpoint.tally.deletes.add(count);
    }

    pub(super) fn pass(&mut self, through: &str) {
        match &mut self.checkpoint.through {
            Some(key) => key.replace(through),
            none => *none = RelativeKey::new(through).ok(),
        }
    }

    /// How many objects it lists that need no shard.
    pub(super) fn listed(&self) -> u64 {
        self.kept.objects() + self.audited.differing()
    }

    /// How many bytes their lists take.
    pub(super) fn listed_bytes(&self) -> u64 {
        (self.kept.len_bytes() + self.audited.len_bytes()) as u64
    }

    /// Whether its one object fills a shard.
    pub(super) fn is_solo(&self, bounds: ShardBounds) -> bool {
        self.copy_work.count.objects == 1 && self.copy_work.count.bytes >= bounds.bytes_max
    }

    /// Whether it plans nothing and only moves the checkpoint.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.copies.is_empty() && self.deletes.is_empty() && self.listed() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        run::input::RunInput,
        value::{key::ObjectKey, object::ETag, storage::ObjectStorage, time::Timestamp},
    };

    fn looks(verify: &str, key: &str, size_bytes: u64) -> u64 {
        let input = serde_json::json!({
            "source": {"bucket": "source"}, "verify": verify,
            "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/Target"},
        });
        let spec = RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap();
        let object = ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
            version_id: None,
        };
        PlannedWork::of_object(&object, &spec).effort.looks
    }

    #[test]
    fn the_source_is_looked_at_for_likely_redirects_and_for_all_where_checksums_are_compared() {
        let in_parts = (5 << 30) + 1;
        for (verify, key, size_bytes, expected) in [
            ("relist", "a", 0, 1),
            ("relist", "a/", 0, 0),
            ("relist", "a", 1, 0),
            ("checksum", "a/", 0, 1),
            ("checksum", "a", 1, 1),
            ("checksum", "a", in_parts, 0),
        ] {
            let found = looks(verify, key, size_bytes);
            assert_eq!(found, expected, "{verify} {key} {size_bytes}");
        }
    }
}
