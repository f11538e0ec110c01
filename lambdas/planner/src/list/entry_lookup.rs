//! What is to be done about the objects of a list.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};
use shardlift_core::{
    failure::Failure,
    plan::{ListedLook, WalkRules},
    port::BucketListing,
    run::{
        option::{Mode, OnChange},
        pair::Side,
        record::RunRecord,
    },
    value::{key::ObjectKey, object::ListedObject, storage::ObjectStorage},
};
use shardlift_lists::ListEntry;

use crate::{
    picked::{ObjectLookup, PickedAction, gone_version, no_etag},
    ports::{Ports, SourceListingOf, TargetOf},
};

/// How many lookups are in flight at once: 64 in 40 ms are 1,600 a second, far below the 5,500 of a partition.
const LOOKUPS_IN_FLIGHT_MAX: usize = 64;
/// How many neighbors in key order are looked up together at least: where they follow each other closely, one page has all.
const TOGETHER_MIN: usize = 64;

/// What becomes of an object of a list.
pub(super) struct EntryAction {
    pub(super) action: PickedAction,
    /// What was found out about it.
    pub(super) look: ListedLook,
}

/// Decides on objects of a list by looking up what the list does not tell.
pub(super) struct EntryLookup<'a, P: Ports> {
    source: ObjectLookup<'a, SourceListingOf<'a, P>>,
    target: ObjectLookup<'a, TargetOf<P>>,
    rules: &'a WalkRules,
    run: &'a RunRecord,
}

impl<'a, P: Ports> EntryLookup<'a, P> {
    pub(super) fn new(
        source: &'a SourceListingOf<'a, P>,
        target: &'a TargetOf<P>,
        rules: &'a WalkRules,
        run: &'a RunRecord,
    ) -> Self {
        let pair = &run.spec.pair;
        Self {
            source: ObjectLookup::new(source, Side::Source, pair),
            target: ObjectLookup::new(target, Side::Target, pair),
            rules,
            run,
        }
    }

    /// What becomes of each, in their order. No key comes twice.
    ///
    /// # Errors
    /// Those of a listing. Then no object counts as gone (P11).
    pub(super) async fn actions(
        &self,
        entries: &[&ListEntry],
    ) -> Result<Vec<EntryAction>, Failure> {
        let found = self.found(entries).await?;
        let mut at_target = self.at_target(entries, &found).await?;
        let decide =
            |((source, look), entry): ((Option<ListedObject>, ListedLook), &&ListEntry)| {
                let target = self.target_key(&entry.key);
                let target = target.and_then(|key| at_target.remove(&key));
                let Some(source) = source else {
                    let size_bytes = entry.size_bytes.unwrap_or(0);
                    let nothing = PickedAction::Nothing { size_bytes };
                    let action = target.map_or(nothing, PickedAction::Delete);
                    return EntryAction { action, look };
                };
                let is_same = self.rules.difference(&source, target.as_ref()).is_none();
                let action = match target {
                    Some(target) if is_same => PickedAction::Keep { source, target },
                    _ => PickedAction::Copy(source),
                };
                EntryAction { action, look }
            };
        Ok(found.into_iter().zip(entries).map(decide).collect())
    }

    /// What the source has of each, in their order, as far as the list does not tell; an object that is gone is not planned.
    /// No key comes twice.
    ///
    /// # Errors
    /// Those of a listing.
    pub(super) async fn found(
        &self,
        entries: &[&ListEntry],
    ) -> Result<Vec<(Option<ListedObject>, ListedLook)>, Failure> {
        let stated: Vec<Option<ListedObject>> = entries
            .iter()
            .map(|entry| is_stated(entry).then(|| stated((*entry).clone()))?)
            .collect();
        let unknown = entries.iter().zip(&stated);
        let unknown = unknown.filter(|(_, stated)| stated.is_none());
        let mut looked = self.looked_up(unknown.map(|(entry, _)| *entry)).await?;
        let judge = |(entry, stated): (&&ListEntry, Option<ListedObject>)| match stated {
            Some(object) => (Some(object), ListedLook::None),
            None => self.judged(entry, looked.remove(&entry.key)),
        };
        Ok(entries.iter().zip(stated).map(judge).collect())
    }

    /// The objects of the source that these entries name, as far as they are there: the newest version of each, or the one
    /// that the list names.
    async fn looked_up(
        &self,
        entries: impl Iterator<Item = &ListEntry>,
    ) -> Result<BTreeMap<ObjectKey, ListedObject>, Failure> {
        let (versions, newest): (Vec<&ListEntry>, Vec<_>) =
            entries.partition(|entry| entry.version_id.is_some());
        let newest = newest.into_iter().map(|entry| entry.key.clone()).collect();
        let mut found = present(&self.source, newest).await?;
        let looks = versions.into_iter().filter_map(|entry| {
            let version_id = entry.version_id.as_ref()?;
            Some(self.source.version(&entry.key, version_id))
        });
        let looks: Vec<_> = looks.collect();
        let versions: Vec<Option<ListedObject>> = stream::iter(looks)
            .buffer_unordered(LOOKUPS_IN_FLIGHT_MAX)
            .try_collect()
            .await?;
        let versions = versions.into_iter().flatten();
        found.extend(versions.map(|object| (object.key.clone(), object)));
        Ok(found)
    }

    /// What is planned for an entry of which this was found. An object that changed or is gone is planned as one that is not
    /// there any more, so that its copier finds that, as of an object of which the list tells everything: it copies the newer
    /// version or reports the change, as `on_change` says, and its receipt names the key.
    fn judged(
        &self,
        entry: &ListEntry,
        found: Option<ListedObject>,
    ) -> (Option<ListedObject>, ListedLook) {
        // What events told of may be gone, and is deleted in a mirror then; an audit has no copier that would report it.
        let spec = &self.run.spec;
        let fails = spec.on_change == OnChange::Fail;
        let is_left_out = spec.events.is_some() || (!spec.mode.writes() && !fails);
        match found {
            Some(found) => {
                let is_listed = entry.etag.as_ref().is_none_or(|etag| *etag == found.etag)
                    && entry.size_bytes.is_none_or(|size| size == found.size_bytes);
                if is_listed {
                    return (Some(found), ListedLook::Found);
                }
                // Under an ETag that it has, the object would be copied as if it were the listed one.
                let planned = ListedObject {
                    etag: no_etag(),
                    ..found
                };
                (Some(planned), ListedLook::Changed)
            }
            None if entry.version_id.is_some() => {
                let size_bytes = entry.size_bytes.unwrap_or(0);
                let version_id = entry.version_id.as_ref();
                let planned = version_id.map(|id| gone_version(&entry.key, id, size_bytes));
                (planned, ListedLook::Gone)
            }
            None if is_left_out => (None, ListedLook::Gone),
            None => {
                let planned = ListedObject {
                    key: entry.key.clone(),
                    size_bytes: entry.size_bytes.unwrap_or(0),
                    etag: entry.etag.clone().unwrap_or_else(no_etag),
                    modified_at: entry.modified_at.unwrap_or(self.run.started_at),
                    storage: ObjectStorage::default(),
                    version_id: None,
                };
                (Some(planned), ListedLook::Gone)
            }
        }
    }

    /// What the target has of these objects, where that decides.
    async fn at_target(
        &self,
        entries: &[&ListEntry],
        found: &[(Option<ListedObject>, ListedLook)],
    ) -> Result<BTreeMap<ObjectKey, ListedObject>, Failure> {
        if self.run.spec.mode == Mode::Copy {
            return Ok(BTreeMap::new());
        }
        let decides = |source: &Option<ListedObject>, entry: &ListEntry| {
            source.is_some() || self.may_delete(&entry.key)
        };
        let pairs = found.iter().zip(entries);
        let keys = pairs.filter(|((source, _), entry)| decides(source, entry));
        let keys = keys.filter_map(|(_, entry)| self.target_key(&entry.key));
        present(&self.target, keys.collect()).await
    }

    /// Whether an object that the source lacks is deleted at the target: in a mirror of what events told of.
    fn may_delete(&self, source_key: &ObjectKey) -> bool {
        let relative = source_key.relative_to(&self.run.spec.pair.source.prefix);
        relative.is_some_and(|relative| self.rules.may_delete(relative))
    }

    /// Nothing when the key would be too long there: its copier reports that.
    fn target_key(&self, source_key: &ObjectKey) -> Option<ObjectKey> {
        let pair = &self.run.spec.pair;
        let relative = source_key.relative_to(&pair.source.prefix)?;
        pair.target.prefix.join(relative).ok()
    }
}

/// Whether the list tells everything. No list tells whether an archived object is restored.
pub(super) fn is_stated(entry: &ListEntry) -> bool {
    entry.size_bytes.is_some()
        && entry.etag.is_some()
        && entry.modified_at.is_some()
        && entry.storage.is_some_and(|storage| !storage.is_archived)
}

/// The object as the list states it; nothing where it does not tell everything.
pub(super) fn stated(entry: ListEntry) -> Option<ListedObject> {
    let storage = entry.storage.filter(|storage| !storage.is_archived)?;
    Some(ListedObject {
        key: entry.key,
        size_bytes: entry.size_bytes?,
        etag: entry.etag?,
        modified_at: entry.modified_at?,
        storage,
        version_id: entry.version_id,
    })
}

/// Looks keys up in parallel, in any order. Where the first page has many of them, as many are looked up together after it:
/// a dense list takes few more requests than a listing.
async fn present<B: BucketListing>(
    lookup: &ObjectLookup<'_, B>,
    mut keys: Vec<ObjectKey>,
) -> Result<BTreeMap<ObjectKey, ListedObject>, Failure> {
    keys.sort_unstable();
    let (first, _) = lookup.first_page(&keys, None).await?;
    let together = first.len().max(TOGETHER_MIN);
    let groups: Vec<Vec<ObjectKey>> = keys[first.len()..]
        .chunks(together)
        .map(<[_]>::to_vec)
        .collect();
    let lookups = groups
        .into_iter()
        .map(|keys| async move { lookup.present(&keys).await });
    let found: Vec<Vec<Option<ListedObject>>> = stream::iter(lookups)
        .buffer_unordered(LOOKUPS_IN_FLIGHT_MAX)
        .try_collect()
        .await?;
    let found = found.into_iter().flatten().chain(first).flatten();
    Ok(found.map(|object| (object.key.clone(), object)).collect())
}
