//! What a list in key order gives to the walk of a range in place of a page of the source's listing.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::value::{
    key::{KeyPrefix, ObjectKey, RelativeKey},
    object::ListedObject,
};

/// What a look at the source found of an object that a list names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListedLook {
    /// None was needed: the list tells everything.
    None,
    /// The object is there, as the list says it.
    Found,
    /// The object is there, with another ETag or size.
    Changed,
    /// The object is not there.
    Gone,
}

/// How many objects of a list were looked up at the source, and what became of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListLooks {
    /// Objects of which the list does not tell enough.
    pub looked_up: u64,
    /// Those that are not at the source any more.
    pub gone: u64,
    /// Those whose ETag or size at the source are not those of the list.
    pub changed: u64,
}

impl ListLooks {
    /// Whether nothing was looked up.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Counts an object.
    pub fn note(&mut self, look: ListedLook) {
        self.looked_up += u64::from(look != ListedLook::None);
        self.changed += u64::from(look == ListedLook::Changed);
        self.gone += u64::from(look == ListedLook::Gone);
    }

    /// Adds other looks.
    pub fn add(&mut self, other: &Self) {
        self.looked_up += other.looked_up;
        self.gone += other.gone;
        self.changed += other.changed;
    }
}

/// An object of a list that was looked up at the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookedUp {
    /// Its key.
    pub key: ObjectKey,
    /// What was found.
    pub look: ListedLook,
    /// The size of an object that is not planned because it is gone.
    pub unplanned_bytes: Option<u64>,
}

/// The objects that a list in key order names behind a key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ListPage {
    /// Those to plan, in key order.
    pub objects: Vec<ListedObject>,
    /// Those that were looked up, in key order; some of them are not planned.
    pub looks: Vec<LookedUp>,
    /// The last key that the list names here; nothing when it names none.
    pub through: Option<ObjectKey>,
    /// Whether the list names no key after it within the range.
    pub is_last: bool,
}

/// Looks that no checkpoint counts yet.
#[derive(Debug, Default)]
pub(super) struct PendingLooks(VecDeque<LookedUp>);

impl PendingLooks {
    pub(super) fn extend(&mut self, looks: Vec<LookedUp>) {
        self.0.extend(looks);
    }

    /// Leaves out what lies after `until`: another walk counts it.
    pub(super) fn narrow(&mut self, prefix: &KeyPrefix, until: &RelativeKey) {
        let is_past = |look: &LookedUp| {
            let relative = look.key.relative_to(prefix);
            relative.is_some_and(|relative| relative > until.as_str())
        };
        while self.0.back().is_some_and(is_past) {
            self.0.pop_back();
        }
    }

    /// Takes the next look at or before `through`; any where nothing bounds it.
    pub(super) fn pop(&mut self, prefix: &KeyPrefix, through: Option<&str>) -> Option<LookedUp> {
        let next = self.0.front()?.key.relative_to(prefix).unwrap_or_default();
        if through.is_none_or(|through| next <= through) {
            return self.0.pop_front();
        }
        None
    }
}
