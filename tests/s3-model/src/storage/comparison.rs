//! Whether two prefixes hold the same objects.

use std::cmp::Ordering;

use serde::Serialize;

use super::bucket::Bucket;
use super::cursor::{Cursor, Entry};
use crate::content::rope::Rope;

/// The number of keys that are listed for each kind of difference. Counting continues beyond it.
const LISTED_MAX: usize = 100;

/// The result of a comparison. Keys are given without their prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// Objects with the same key and the same bytes on both sides.
    pub identical: u64,
    /// Bytes of the identical objects.
    pub identical_bytes: u64,
    /// Objects that only the source has.
    pub missing: u64,
    /// Objects with the same key and different bytes.
    pub different: u64,
    /// Objects that only the target has.
    pub extra: u64,
    /// The first hundred missing keys.
    pub missing_keys: Vec<String>,
    /// The first hundred different keys.
    pub different_keys: Vec<String>,
    /// The first hundred extra keys.
    pub extra_keys: Vec<String>,
}

impl Comparison {
    /// Whether the target holds exactly the objects of the source.
    pub fn is_same(&self) -> bool {
        self.missing == 0 && self.different == 0 && self.extra == 0
    }
}

/// One side of a comparison, at one of its keys.
struct Side<'a> {
    cursor: Cursor<'a>,
    prefix: &'a [u8],
    entry: Option<Entry<'a>>,
}

impl<'a> Side<'a> {
    fn new(bucket: &'a Bucket, prefix: &'a str) -> Self {
        let mut side = Self {
            cursor: bucket.cursor_from(prefix.as_bytes()),
            prefix: prefix.as_bytes(),
            entry: None,
        };
        side.step();
        side
    }

    fn step(&mut self) {
        self.entry = self.cursor.advance();
        if !self.cursor.key().starts_with(self.prefix) {
            self.entry = None;
        }
    }

    fn key(&self) -> Option<&[u8]> {
        self.entry
            .as_ref()
            .map(|_| &self.cursor.key()[self.prefix.len()..])
    }

    fn content(&self) -> Option<Rope> {
        self.entry.as_ref().map(|entry| match entry {
            Entry::Stored(object) => object.rope.clone(),
            Entry::Space(object) => object.rope(),
        })
    }

    fn list_key(&self, keys: &mut Vec<String>) {
        if keys.len() < LISTED_MAX {
            keys.push(String::from_utf8_lossy(self.key().unwrap_or_default()).into_owned());
        }
    }
}

/// Compares all objects under a source with those under a target.
pub(crate) fn compare(
    source: &Bucket,
    source_prefix: &str,
    target: &Bucket,
    target_prefix: &str,
) -> Comparison {
    let mut result = Comparison::default();
    let mut source = Side::new(source, source_prefix);
    let mut target = Side::new(target, target_prefix);
    loop {
        let order = match (source.key(), target.key()) {
            (None, None) => return result,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            Ordering::Less => {
                result.missing += 1;
                source.list_key(&mut result.missing_keys);
                source.step();
            }
            Ordering::Greater => {
                result.extra += 1;
                target.list_key(&mut result.extra_keys);
                target.step();
            }
            Ordering::Equal => {
                if let (Some(a), Some(b)) = (source.content(), target.content()) {
                    if a.same_content(&b) {
                        result.identical += 1;
                        result.identical_bytes += a.length();
                    } else {
                        result.different += 1;
                        source.list_key(&mut result.different_keys);
                    }
                }
                source.step();
                target.step();
            }
        }
    }
}
