//! A walk over the keys of a bucket.

use std::collections::btree_map::Range;
use std::iter::Peekable;
use std::ops::Bound;
use std::sync::Arc;

use super::object::Object;
use super::version::{Slot, Slots, Version};
use crate::key_space::space::{KeySpace, SpaceObject};

/// The entry at a cursor.
#[derive(Debug)]
pub(crate) enum Entry<'a> {
    Stored(&'a Arc<Object>),
    Space(SpaceObject),
}

/// Walks the live keys in byte order: the key space, merged with the stored keys over it.
pub(crate) struct Cursor<'a> {
    slots: &'a Slots,
    space: Option<&'a KeySpace>,
    stored: Peekable<Range<'a, Box<[u8]>, Slot>>,
    /// The next key of the space, and its rank. At the end of the space `rank == len`.
    space_key: Vec<u8>,
    rank: u64,
    key: Vec<u8>,
}

impl<'a> Cursor<'a> {
    /// Starts a walk at a key, or after it.
    pub(super) fn new(slots: &'a Slots, space: Option<&'a KeySpace>, start: Bound<&[u8]>) -> Self {
        let mut cursor = Self {
            slots,
            space,
            stored: slots.range::<[u8], _>((start, Bound::Unbounded)).peekable(),
            space_key: Vec::with_capacity(64),
            rank: 0,
            key: Vec::with_capacity(64),
        };
        cursor.seek_space(start);
        cursor
    }

    /// Continues at the first key that is at least `start`.
    pub(crate) fn seek(&mut self, start: &[u8]) {
        let start = Bound::Included(start);
        self.stored = self
            .slots
            .range::<[u8], _>((start, Bound::Unbounded))
            .peekable();
        self.seek_space(start);
    }

    fn seek_space(&mut self, start: Bound<&[u8]>) {
        let Some(space) = self.space else {
            return;
        };
        let (Bound::Included(key) | Bound::Excluded(key)) = start else {
            self.rank = 0;
            self.load_space_key();
            return;
        };
        self.rank = space.lower_bound(key);
        self.load_space_key();
        let excluded = matches!(start, Bound::Excluded(_));
        if excluded && self.rank < space.len() && self.space_key == key {
            self.rank += 1;
            self.load_space_key();
        }
    }

    fn load_space_key(&mut self) {
        if let Some(space) = self.space
            && self.rank < space.len()
        {
            space.key(self.rank, &mut self.space_key);
        }
    }

    /// Returns the key of the entry that [`Cursor::advance`] returned last.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Returns the next live entry.
    pub(crate) fn advance(&mut self) -> Option<Entry<'a>> {
        loop {
            let space = self.space.filter(|space| self.rank < space.len());
            if let Some(space) = space {
                let before_stored = match self.stored.peek() {
                    None => std::cmp::Ordering::Less,
                    Some((stored, _)) => self.space_key.as_slice().cmp(stored),
                };
                if before_stored.is_lt() {
                    let object = space.object(self.rank);
                    std::mem::swap(&mut self.key, &mut self.space_key);
                    self.rank += 1;
                    self.load_space_key();
                    return Some(Entry::Space(object));
                }
                if before_stored.is_eq() {
                    self.rank += 1;
                    self.load_space_key();
                }
            }
            let (key, slot) = self.stored.next()?;
            if let Some(Version::Object(object)) = &slot.current {
                self.key.clear();
                self.key.extend_from_slice(key);
                return Some(Entry::Stored(object));
            }
        }
    }
}

/// Returns the smallest string above every string with this prefix.
pub(crate) fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}
