//! Shards of a rerun while they fill.

use shardlift_core::{
    documents::manifest::Manifest,
    failure::Failure,
    plan::{PlannedWork, ShardBounds},
    run::record::RunRecord,
    shard::{ShardRecord, ShardWork},
    value::{id::ShardId, object::ListedObject},
};

use crate::{
    commit::EncodedManifest,
    shard_records::{copy_shards, ready},
};

/// What waits for its shard to fill: at most one shard to copy and one to delete.
#[derive(Debug)]
pub(super) struct Draft {
    bounds: ShardBounds,
    copies: Waiting,
    deletions: Waiting,
}

/// Objects in no particular order.
#[derive(Debug, Default)]
struct Waiting {
    objects: Vec<ListedObject>,
    work: PlannedWork,
}

impl Draft {
    pub(super) fn new(bounds: ShardBounds) -> Self {
        Self {
            bounds,
            copies: Waiting::default(),
            deletions: Waiting::default(),
        }
    }

    /// Whether an object to copy shares a shard with those that wait. One that fills a shard by itself stays alone, so
    /// that it can be cut into part shards.
    pub(super) fn holds_copy(&self, work: PlannedWork) -> bool {
        let waiting = self.copies.work;
        let has_solo = waiting.count.bytes >= self.bounds.bytes_max;
        self.copies.objects.is_empty() || (!has_solo && self.bounds.hold(&waiting.plus(work)))
    }

    /// Whether an object to delete shares a shard with those that wait.
    pub(super) fn holds_deletion(&self) -> bool {
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

    /// The shards of all that waits, with their manifests; nothing waits then. `next_id` names them.
    pub(super) fn take(
        &mut self,
        run: &RunRecord,
        mut next_id: impl FnMut() -> Result<ShardId, Failure>,
    ) -> Result<(Vec<ShardRecord>, Vec<EncodedManifest>), Failure> {
        let (mut shards, mut manifests) = (Vec::new(), Vec::new());
        let copies = std::mem::take(&mut self.copies);
        if !copies.objects.is_empty() {
            let shard_id = next_id()?;
            shards.extend(copy_shards(run, &shard_id, &copies.work));
            manifests.push(copies.into_manifest(run, shard_id)?);
        }
        let deletions = std::mem::take(&mut self.deletions);
        if !deletions.objects.is_empty() {
            let shard_id = next_id()?;
            let work = ShardWork::DeleteObjects;
            shards.push(ready(run, &shard_id, work, &deletions.work));
            manifests.push(deletions.into_manifest(run, shard_id)?);
        }
        Ok((shards, manifests))
    }
}

impl Waiting {
    fn into_manifest(
        mut self,
        run: &RunRecord,
        shard_id: ShardId,
    ) -> Result<EncodedManifest, Failure> {
        self.objects.sort_by(|one, other| one.key.cmp(&other.key));
        let manifest = Manifest {
            run_id: run.run_id.clone(),
            shard_id,
            objects: self.objects,
        };
        let bytes = manifest.encode()?;
        Ok(EncodedManifest {
            shard_id: manifest.shard_id,
            bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::{key::ObjectKey, object::ETag, tally::Count, time::Timestamp};

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
        };
        let mut draft = Draft::new(bounds);
        assert!(draft.holds_copy(work(100)), "an empty shard holds anything");
        draft.add_copy(solo(), work(100));
        assert!(!draft.holds_copy(work(0)));
        let mut draft = Draft::new(bounds);
        draft.add_copy(solo(), work(1));
        assert!(draft.holds_copy(work(99)));
        assert!(!draft.holds_copy(work(100)));
    }
}
