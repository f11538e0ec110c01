//! The objects of the source that stand for all of them in the checks.

use std::collections::BTreeSet;

use shardlift_aws::retry::LISTING;
use shardlift_core::{
    failure::fault::CallFault,
    port::{BucketListing, ListRequest},
    run::filter::ObjectFilter,
    value::{
        key::{KeyPrefix, ObjectKey},
        object::ListedObject,
    },
};

/// How many objects are looked at: a call or two for each, so well below a second.
pub(super) const SAMPLES_MAX: usize = 10;
/// How many pages are read to spread the samples.
const SPREAD_PAGES: usize = 3;
/// How many pages are read to find enough objects that take part.
const PAGES_MAX: usize = 10;
/// No key is greater than a prefix and this, unless it holds this last character of Unicode itself.
const LAST_CHARACTER: char = char::MAX;

/// Up to ten objects that take part in the run.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// The objects, in key order.
    pub(super) objects: Vec<ListedObject>,
    /// Whether the source holds anything at all.
    is_source_empty: bool,
}

impl Samples {
    /// Finds them, by some listing requests: the first page, and others behind the folder of the last key of the page
    /// before, so that a large first folder does not stand for the whole source. Of the objects that the filters admit,
    /// every tenth of a page, and then every tenth of what the pages gave, gives its smallest that has any bytes: no more
    /// than one page is held.
    pub(super) async fn find(
        source: &impl BucketListing,
        prefix: &KeyPrefix,
        filter: &ObjectFilter,
    ) -> Result<Self, CallFault> {
        let mut request = ListRequest {
            prefix: prefix.clone(),
            after: None,
        };
        let mut page = LISTING.run(|| source.list_page(&request)).await?;
        let mut pages = 1;
        let mut found = Self {
            objects: Vec::new(),
            is_source_empty: page.objects.is_empty(),
        };
        loop {
            // An archived object is not copied, whatever the permissions.
            let is_admitted = |object: &ListedObject| {
                let relative = object.key.relative_to(prefix);
                !object.storage.is_archived
                    && relative.is_some_and(|key| filter.admits(key, object))
            };
            let last = page.last_key().cloned();
            let is_truncated = page.is_truncated;
            let admitted = page.objects.into_iter().filter(is_admitted);
            found.objects.extend(spread(admitted.collect()));
            let is_enough = found.objects.len() >= SAMPLES_MAX && pages >= SPREAD_PAGES;
            let Some(last) = last.filter(|_| is_truncated && !is_enough) else {
                break;
            };
            let mut next = None;
            for after in leaps(prefix, &last) {
                if pages == PAGES_MAX || next.is_some() {
                    break;
                }
                pages += 1;
                request.after = Some(after);
                // A page that cannot be listed is the plan's to judge: here it only means fewer samples.
                let behind = source.list_page(&request).await.ok();
                next = behind.filter(|page| !page.objects.is_empty());
            }
            let Some(next) = next else { break };
            page = next;
        }
        found.objects = spread(found.objects);
        Ok(found)
    }

    /// Leaves out objects that nothing more can be found out about.
    pub(super) fn leave_out(&mut self, keys: &BTreeSet<ObjectKey>) {
        self.objects.retain(|object| !keys.contains(&object.key));
    }

    /// The objects, the smallest first; those without bytes last.
    pub(super) fn smallest_first(&self) -> Vec<&ListedObject> {
        let mut objects: Vec<&ListedObject> = self.objects.iter().collect();
        objects.sort_by_key(|object| size_order(object));
        objects
    }

    /// Why there are none.
    pub(super) fn reason_for_none(&self) -> &'static str {
        if self.is_source_empty {
            "the source holds no object"
        } else {
            "none of the objects that were looked at takes part in the run and can be read as it is"
        }
    }
}

/// Where to read on after a page that ends with `last`: behind its folders, the outermost first, and then right behind it.
fn leaps(prefix: &KeyPrefix, last: &ObjectKey) -> Vec<ObjectKey> {
    let relative = last.relative_to(prefix).unwrap_or_default();
    let behind = relative.match_indices('/').filter_map(|(at, _)| {
        let folder = &relative[..=at];
        prefix.join(&format!("{folder}{LAST_CHARACTER}")).ok()
    });
    behind
        .filter(|after| after > last)
        .chain([last.clone()])
        .collect()
}

/// The smallest with any bytes of each tenth of a list.
fn spread(objects: Vec<ListedObject>) -> Vec<ListedObject> {
    let count = objects.len();
    let mut chosen: Vec<Option<ListedObject>> = vec![None; SAMPLES_MAX.min(count)];
    for (index, object) in objects.into_iter().enumerate() {
        let slot = &mut chosen[index * SAMPLES_MAX.min(count) / count];
        if slot
            .as_ref()
            .is_none_or(|smallest| size_order(&object) < size_order(smallest))
        {
            *slot = Some(object);
        }
    }
    chosen.into_iter().flatten().collect()
}

fn size_order(object: &ListedObject) -> (bool, u64) {
    (object.size_bytes == 0, object.size_bytes)
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::{object::ETag, storage::ObjectStorage, time::Timestamp};

    use super::*;

    fn object(key: &str, size_bytes: u64) -> ListedObject {
        ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::default(),
            storage: ObjectStorage::default(),
            version_id: None,
        }
    }

    #[test]
    fn each_tenth_of_the_list_gives_its_smallest_with_bytes() {
        let objects = (0..100).map(|index| object(&format!("{index:02}"), index % 10));
        let chosen = spread(objects.collect());
        let keys: Vec<&str> = chosen.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(
            keys,
            ["01", "11", "21", "31", "41", "51", "61", "71", "81", "91"]
        );
        assert_eq!(spread(vec![object("a", 0), object("b", 9)]).len(), 2);
        assert!(spread(Vec::new()).is_empty());
    }

    #[test]
    fn reading_goes_on_behind_the_outermost_folder_first() {
        let prefix = KeyPrefix::new("p/").unwrap();
        let after = leaps(&prefix, &ObjectKey::new("p/a/b/k").unwrap());
        let keys: Vec<&str> = after.iter().map(ObjectKey::as_str).collect();
        assert_eq!(keys, ["p/a/\u{10ffff}", "p/a/b/\u{10ffff}", "p/a/b/k"]);
    }
}
