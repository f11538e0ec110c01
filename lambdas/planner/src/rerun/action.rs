//! What is left to do about undone objects.

use std::collections::BTreeSet;

use shardlift_core::{
    failure::Failure,
    run::pair::{Pair, Side},
    shard::ShardWork,
    value::key::ObjectKey,
};

use super::undone_object::UndoneObject;
use crate::{
    picked::{ObjectLookup, PickedAction},
    ports::{Ports, SourceListingOf, TargetOf},
};

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
            let present = self.source.present(&keys).await?;
            let copies = present.into_iter();
            copies
                .map(|present| present.map(PickedAction::Copy))
                .collect()
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
