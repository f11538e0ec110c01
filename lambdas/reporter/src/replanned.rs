//! Objects that a rerun answers for although they changed after the listing that it goes back to.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures::{TryStreamExt, future, stream};
use shardlift_core::{
    control_key,
    failure::Failure,
    key::ObjectKey,
    manifest::Manifest,
    port::{ControlStore, Ledger},
    run::RunRecord,
    shard::{ShardRecord, ShardWork},
};

use crate::settle;

/// How many manifests are read at once.
const MANIFESTS_AT_ONCE: usize = 8;

/// The keys of those objects, eight bytes each, so that ten million take 80 MB. Two keys of one fingerprint would be a
/// false alarm, never a gap.
#[derive(Debug, Default)]
pub(crate) struct Replanned(Vec<u64>);

impl Replanned {
    /// Those of a run; none when it is no rerun.
    ///
    /// # Errors
    /// When a manifest of the run cannot be read.
    pub(crate) async fn read<L: Ledger, C: ControlStore>(
        ledger: &L,
        control: &C,
        run: &RunRecord,
    ) -> Result<Self, Failure> {
        let Some(rerun) = &run.spec.rerun else {
            return Ok(Self::default());
        };
        let fingerprints: Vec<u64> = settle::shards(ledger, &run.run_id)
            .try_filter(|shard| future::ready(copies_objects(shard)))
            .map_ok(|shard| read_manifest(control, shard))
            .try_buffer_unordered(MANIFESTS_AT_ONCE)
            .map_ok(|manifest| {
                let objects = manifest.objects.into_iter();
                let changed = objects.filter(|object| object.modified_at >= rerun.listed_since);
                let fingerprints = changed.map(|object| Ok(fingerprint(&object.key)));
                stream::iter(fingerprints.collect::<Vec<_>>())
            })
            .try_flatten()
            .try_collect()
            .await?;
        Ok(Self::of(fingerprints))
    }

    fn of(mut fingerprints: Vec<u64>) -> Self {
        fingerprints.sort_unstable();
        Self(fingerprints)
    }

    /// Whether the run planned this object, changed as it is.
    pub(crate) fn holds(&self, key: &ObjectKey) -> bool {
        self.0.binary_search(&fingerprint(key)).is_ok()
    }
}

fn copies_objects(shard: &ShardRecord) -> bool {
    matches!(
        shard.work,
        ShardWork::CopyObjects | ShardWork::AssembleObject { .. }
    )
}

async fn read_manifest<C: ControlStore>(
    control: &C,
    shard: ShardRecord,
) -> Result<Manifest, Failure> {
    let key = control_key::manifest(&shard.run_id, &shard.shard_id);
    let body = control.get(&key).await;
    let body = body.map_err(|fault| fault.into_failure().within(format!("reading {key}")))?;
    let body = body.ok_or_else(|| Failure::invariant(format!("{key} does not exist")))?;
    Manifest::decode(&body, &shard.run_id, &shard.shard_id)
}

fn fingerprint(key: &ObjectKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
