//! Objects that a rerun planned although they changed after the listing that it goes back to.

use std::hash::{DefaultHasher, Hash, Hasher};

use crate::value::{key::ObjectKey, object::ListedObject, time::Timestamp};

/// Stands for a key in eight bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyFingerprint(u64);

impl KeyFingerprint {
    fn of(key: &ObjectKey) -> Self {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The planned objects that changed since `listed_since`.
#[must_use]
pub fn changed_since(planned: &[ListedObject], listed_since: Timestamp) -> Vec<KeyFingerprint> {
    let changed = planned
        .iter()
        .filter(|object| object.modified_at >= listed_since);
    changed
        .map(|object| KeyFingerprint::of(&object.key))
        .collect()
}

/// The keys of those objects, eight bytes each. Of the other objects nothing is kept. An object that is not one of them
/// and has the fingerprint of one would be a false alarm, never a gap.
#[derive(Debug, Default)]
pub struct ReplannedObjects(Vec<KeyFingerprint>);

impl ReplannedObjects {
    /// Those of these fingerprints, in any order.
    #[must_use]
    pub fn new(mut fingerprints: Vec<KeyFingerprint>) -> Self {
        fingerprints.sort_unstable();
        Self(fingerprints)
    }

    /// Whether the rerun planned this object.
    #[must_use]
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.0.binary_search(&KeyFingerprint::of(key)).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{object::ETag, storage::ObjectStorage};

    #[test]
    fn only_what_changed_since_the_listing_is_kept() {
        let object = |key: &str, second: i64| ListedObject {
            key: ObjectKey::new(key).unwrap(),
            size_bytes: 1,
            etag: ETag::new("e").unwrap(),
            modified_at: Timestamp::from_millis(second * 1_000),
            storage: ObjectStorage::default(),
        };
        let planned = [object("late", 9), object("same", 5), object("early", 4)];
        let replanned =
            ReplannedObjects::new(changed_since(&planned, Timestamp::from_millis(5_000)));
        assert!(replanned.contains(&planned[0].key) && replanned.contains(&planned[1].key));
        assert!(!replanned.contains(&planned[2].key));
    }
}
