//! The versions of the objects of a bucket.

use std::{collections::BTreeMap, sync::Arc};

use shardlift_core::value::time::Timestamp;
use shardlift_testkit::StoredObject;

/// An object as it stood, or nothing.
pub type Version = Option<Arc<StoredObject>>;

/// Who changed an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// It stood there before the story.
    Before,
    /// Somebody who is not of this project.
    Other,
    /// An invocation, by its number.
    Invocation(usize),
}

/// A change of one key.
#[derive(Debug, Clone)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub who: Who,
    /// What stands there since.
    pub version: Version,
}

/// Every version of every key of a bucket.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    keys: BTreeMap<String, Vec<Change>>,
}

impl Timeline {
    /// Notes a change.
    pub fn note(&mut self, key: &str, change: Change) {
        self.keys.entry(key.to_owned()).or_default().push(change);
    }

    /// Every key that ever stood there.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.keys().map(String::as_str)
    }

    /// The changes of a key, in order.
    #[must_use]
    pub fn changes(&self, key: &str) -> &[Change] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }

    /// What stands under a key at an instant, changes at that very instant included.
    #[must_use]
    pub fn at(&self, key: &str, instant: Timestamp) -> Version {
        let mut changes = self.changes(key).iter().rev();
        let last = changes.find(|change| change.at <= instant);
        last.and_then(|change| change.version.clone())
    }

    /// What stood under a key at any time from one instant to another.
    #[must_use]
    pub fn between(&self, key: &str, from: Timestamp, until: Timestamp) -> Vec<Version> {
        let changes = self.changes(key);
        let before = changes.iter().rev().find(|change| change.at < from);
        let mut versions = vec![before.and_then(|change| change.version.clone())];
        let within = |change: &&Change| from <= change.at && change.at <= until;
        versions.extend(
            changes
                .iter()
                .filter(within)
                .map(|change| change.version.clone()),
        );
        versions
    }
}
