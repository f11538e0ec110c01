//! The shards of picked objects while they fill.

use shardlift_core::{
    documents::{
        manifest::Manifest,
        receipt::{KeptLines, encode_kept},
    },
    failure::Failure,
    plan::{KeptRecord, PlannedWork, ShardBounds},
    port::PlanStep,
    run::record::RunRecord,
    value::{id::ShardId, key::KeyPrefix, object::ListedObject, set_sum::SetSum},
};

use crate::records::{EncodedList, ListKind, copy_shards, delete_shard};

/// At most one shard of copies, one of deletions, and one list of what stays as it is.
#[derive(Debug)]
pub(super) struct OpenShards {
    bounds: ShardBounds,
    copies: PendingShard,
    deletions: PendingShard,
    kept: Vec<ListedObject>,
}

/// Objects in no particular order.
#[derive(Debug, Default)]
struct PendingShard {
    objects: Vec<ListedObject>,
    work: PlannedWork,
}

impl OpenShards {
    pub(super) fn new(bounds: ShardBounds) -> Self {
        Self {
            bounds,
            copies: PendingShard::default(),
            deletions: PendingShard::default(),
            kept: Vec::new(),
        }
    }

    /// Whether the shard of copies has room for another object. An object that fills a shard stays alone, so that it can be
    /// cut into part shards.
    pub(super) fn has_room_for_copy(&self, work: PlannedWork) -> bool {
        let open = self.copies.work;
        let is_filled_by_one = open.count.bytes >= self.bounds.bytes_max;
        self.copies.objects.is_empty() || (!is_filled_by_one && self.bounds.hold(&open.plus(work)))
    }

    /// Whether the list of what stays has room for another object.
    pub(super) fn has_room_for_kept(&self) -> bool {
        (self.kept.len() as u64) < self.bounds.kept_max
    }

    /// The object of the target stays as it is. Its receipt names the version of the source with which it goes.
    pub(super) fn add_kept(&mut self, target: ListedObject) {
        self.kept.push(target);
    }

    /// Whether the shard of deletions has room for another object.
    pub(super) fn has_room_for_deletion(&self) -> bool {
        self.deletions.work.count.objects < self.bounds.objects_max
    }

    pub(super) fn add_copy(&mut self, object: ListedObject, work: PlannedWork) {
        self.copies.objects.push(object);
        self.copies.work.add(work);
    }

    pub(super) fn add_deletion(&mut self, object: ListedObject) {
        self.deletions.work.count.add_object(object.size_bytes);
        self.deletions.objects.push(object);
    }

    /// Takes the records of the open shards, and the lists that belong to them. `next_id` makes their ids.
    pub(super) fn take(
        &mut self,
        run: &RunRecord,
        mut next_id: impl FnMut() -> Result<ShardId, Failure>,
    ) -> Result<(PlanStep, Vec<EncodedList>), Failure> {
        let (mut step, mut lists) = (PlanStep::default(), Vec::new());
        let copies = std::mem::take(&mut self.copies);
        if !copies.objects.is_empty() {
            let shard_id = next_id()?;
            step.shards
                .extend(copy_shards(run, &shard_id, &copies.work));
            lists.push(copies.into_manifest(run, shard_id)?);
        }
        let deletions = std::mem::take(&mut self.deletions);
        if !deletions.objects.is_empty() {
            let shard_id = next_id()?;
            let standing = deletions.at_target(&run.spec.pair.target.prefix);
            let work = &deletions.work;
            step.shards
                .push(delete_shard(run, &shard_id, work, standing));
            lists.push(deletions.into_manifest(run, shard_id)?);
        }
        let mut kept = std::mem::take(&mut self.kept);
        if !kept.is_empty() {
            kept.sort_by(|one, other| one.key.cmp(&other.key));
            let mut lines = KeptLines::default();
            for target in &kept {
                let relative = target.key.relative_to(&run.spec.pair.target.prefix);
                lines.push_same(
                    relative.unwrap_or_default(),
                    target,
                    target.version_id.as_ref(),
                );
            }
            let (id, sums) = (next_id()?, (lines.same, lines.beside));
            lists.push(EncodedList {
                id: id.clone(),
                kind: ListKind::Kept,
                bytes: encode_kept([&lines])?,
            });
            step.kept.push(KeptRecord::new(
                run.run_id.clone(),
                id,
                sums,
                run.expires_at,
            ));
        }
        Ok((step, lists))
    }
}

impl PendingShard {
    /// The objects as a set, by their keys below the target's prefix.
    fn at_target(&self, prefix: &KeyPrefix) -> SetSum {
        let mut sum = SetSum::default();
        for object in &self.objects {
            let relative = object.key.relative_to(prefix).unwrap_or_default();
            sum.add_object(relative, &object.etag, object.size_bytes);
        }
        sum
    }

    fn into_manifest(mut self, run: &RunRecord, shard_id: ShardId) -> Result<EncodedList, Failure> {
        self.objects.sort_by(|one, other| one.key.cmp(&other.key));
        let manifest = Manifest {
            run_id: run.run_id.clone(),
            shard_id,
            objects: self.objects,
        };
        let bytes = manifest.encode()?;
        Ok(EncodedList::manifest(manifest.shard_id, bytes))
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::{
        key::ObjectKey, object::ETag, storage::ObjectStorage, tally::Count, time::Timestamp,
    };

    use super::*;

    fn work(bytes: u64) -> PlannedWork {
        PlannedWork {
            count: Count { objects: 1, bytes },
            ..PlannedWork::default()
        }
    }

    #[test]
    fn an_object_that_fills_a_shard_stays_alone() {
        let bounds = ShardBounds {
            bytes_max: 100,
            ..ShardBounds::default()
        };
        let solo = || ListedObject {
            key: ObjectKey::new("k").unwrap(),
            size_bytes: 100,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
            version_id: None,
        };
        let mut open = OpenShards::new(bounds);
        assert!(
            open.has_room_for_copy(work(100)),
            "an empty shard holds anything"
        );
        open.add_copy(solo(), work(100));
        assert!(!open.has_room_for_copy(work(0)));
        let mut open = OpenShards::new(bounds);
        open.add_copy(solo(), work(1));
        assert!(open.has_room_for_copy(work(99)));
        assert!(!open.has_room_for_copy(work(100)));
    }
}
