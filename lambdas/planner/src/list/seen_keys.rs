//! Which keys a list has named.

use std::{
    collections::{HashSet, hash_map::RandomState},
    hash::BuildHasher,
};

use shardlift_core::value::key::ObjectKey;

/// How many keys are remembered: some 300 MB. A list in key order needs no memory of them.
pub(super) const SEEN_MAX: usize = 14_000_000;

/// Remembers keys by two hashes under secrets of its own: 128 bits, so that two keys are taken for one in no list that fits,
/// whoever made it.
pub(super) struct SeenKeys {
    hashers: [RandomState; 2],
    seen: HashSet<(u64, u64)>,
    max: usize,
}

impl SeenKeys {
    /// Remembers up to `max` keys.
    pub(super) fn new(max: usize) -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            seen: HashSet::new(),
            max,
        }
    }

    /// Whether the key is new.
    pub(super) fn insert(&mut self, key: &ObjectKey) -> bool {
        let [one, other] = &self.hashers;
        let hash = |hasher: &RandomState| hasher.hash_one(key.as_str());
        self.seen.insert((hash(one), hash(other)))
    }

    /// Whether another key would be too many.
    pub(super) fn is_full(&self) -> bool {
        self.seen.len() >= self.max
    }
}
