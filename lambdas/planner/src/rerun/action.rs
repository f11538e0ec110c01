//! What is left to do about undone objects.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use shardlift_core::{
    failure::Failure,
    run::pair::{Pair, Side},
    shard::ShardWork,
    value::{key::ObjectKey, object::ListedObject},
};

use super::undone_object::UndoneObject;
use crate::{
    picked::{ObjectLookup, PickedAction, gone_version},
    ports::{Ports, SourceListingOf, TargetOf},
};

/// How many versions of a group of neighbors are looked up at once; some 30 groups are under way.
const VERSION_LOOKUPS_MAX: usize = 8;

/// Decides on actions by looking up both sides.
pub(super) struct Actions<'a, P: Ports> {
    source: ObjectLookup<'a, SourceListingOf<'a, P>>,
    target: ObjectLookup<'a, TargetOf<P>>,
    pair: &'a Pair,
}

impl<'a, P: Ports> Actions<'a, P> {
    pub(super) fn new(
        source: &'a SourceListingOf<'a, P>,
        target: &'a TargetOf<P>,
        pair: &'a Pair,
    ) -> Self {
        Self {
            source: ObjectLookup::new(source, Side::Source, pair),
            target: ObjectLookup::new(target, Side::Target, pair),
            pair,
        }
    }

    /// One for each object of a shard that did `work`; their keys ascend.
    ///
    /// # Errors
    /// As [`ObjectLookup::present`].
    pub(super) async fn of(
        &self,
        work: ShardWork,
        objects: &[UndoneObject],
    ) -> Result<Vec<PickedAction>, Failure> {
        let keys: Vec<ObjectKey> = objects.iter().map(|object| object.key.clone()).collect();
        let actions = if work == ShardWork::DeleteObjects {
            self.deletions(&keys).await?
        } else {
            self.copies(&keys, objects).await?
        };
        Ok(actions
            .into_iter()
            .zip(objects)
            .map(|(action, undone)| {
                action.unwrap_or(PickedAction::Nothing {
                    size_bytes: undone.size_bytes,
                })
            })
            .collect())
    }

    /// A version that was planned is copied, and no other one. If it is gone, its copier finds that and reports it.
    async fn copies(
        &self,
        keys: &[ObjectKey],
        objects: &[UndoneObject],
    ) -> Result<Vec<Option<PickedAction>>, Failure> {
        if objects.iter().all(|object| object.version_id.is_none()) {
            let present = self.source.present(keys).await?.into_iter();
            return Ok(present
                .map(|object| object.map(PickedAction::Copy))
                .collect());
        }
        let looks: Vec<_> = objects.iter().map(|object| self.copied(object)).collect();
        let looked: Vec<Option<ListedObject>> = stream::iter(looks)
            .buffered(VERSION_LOOKUPS_MAX)
            .try_collect()
            .await?;
        let copies = looked.into_iter();
        Ok(copies
            .map(|object| object.map(PickedAction::Copy))
            .collect())
    }

    /// The object in the version that was planned, or else in the newest.
    async fn copied(&self, object: &UndoneObject) -> Result<Option<ListedObject>, Failure> {
        let Some(version_id) = &object.version_id else {
            return self.source.single(&object.key).await;
        };
        let found = self.source.version(&object.key, version_id).await?;
        let gone = || gone_version(&object.key, version_id, object.size_bytes);
        Ok(Some(found.unwrap_or_else(gone)))
    }

    /// The keys `to_delete` are of the target.
    async fn deletions(
        &self,
        to_delete: &[ObjectKey],
    ) -> Result<Vec<Option<PickedAction>>, Failure> {
        let mut source_keys = Vec::with_capacity(to_delete.len());
        for key in to_delete {
            source_keys.push(self.source_key(key)?);
        }
        let asked: Vec<ObjectKey> = source_keys.iter().flatten().cloned().collect();
        let back = self.source.present(&asked).await?;
        let back: BTreeSet<ObjectKey> = back.into_iter().flatten().map(|back| back.key).collect();
        let is_back = |key: Option<ObjectKey>| key.is_some_and(|key| back.contains(&key));
        let present = self.target.present(to_delete).await?;
        Ok(present
            .into_iter()
            .zip(source_keys)
            .map(|(present, source_key)| {
                present
                    .filter(|_| !is_back(source_key))
                    .map(PickedAction::Delete)
            })
            .collect())
    }

    /// Where the object of a target key would be at the source; nothing when the key would be too long there.
    fn source_key(&self, target_key: &ObjectKey) -> Result<Option<ObjectKey>, Failure> {
        let relative = target_key.relative_to(&self.pair.target.prefix);
        let relative = relative.ok_or_else(|| {
            Failure::invariant(format!(
                "{target_key:?} was to be deleted and lies outside the target prefix"
            ))
        })?;
        Ok(self.pair.source.prefix.join(relative).ok())
    }
}
