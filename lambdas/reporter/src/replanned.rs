//! Objects that a rerun answers for although they changed after the listing that it goes back to.

use std::hash::{DefaultHasher, Hash, Hasher};

use futures::{TryStreamExt, future, stream};
use shardlift_core::{
    failure::Failure,
    port::{ControlStore, Ledger},
    run::record::RunRecord,
    value::key::ObjectKey,
};

use crate::{
    manifests::{self, MANIFESTS_AT_ONCE},
    settle,
};

/// The keys of those objects, eight bytes each, and up to 24 at the moment when the list has grown to twice its size: ten
/// million take 80 MB, at worst 240 MB while they are gathered. Of the other objects nothing is kept. An object that is
/// not of them and has the fingerprint of one would be a false alarm, never a gap.
#[derive(Debug, Default)]
pub(crate) struct Replanned(Vec<u64>);

impl Replanned {
    /// Those of a run; none when it is no rerun. It reads every manifest of the rerun, in each invocation of the proof, and
    /// does not look at the deadline (docs/LIMITS.md).
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
            .try_filter(|shard| future::ready(manifests::has_own_objects(shard)))
            .map_ok(|shard| async move { manifests::read(control, &shard).await })
            .try_buffer_unordered(MANIFESTS_AT_ONCE)
            .map_ok(|manifest| {
                let objects = manifest.objects.into_iter();
                let changed = objects.filter(|object| object.modified_at >= rerun.listed_since);
                let fingerprints = changed.map(|object| Ok::<_, Failure>(fingerprint(&object.key)));
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

fn fingerprint(key: &ObjectKey) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
