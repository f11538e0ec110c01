//! Whether two prefixes hold the same objects.

use serde::Serialize;

use crate::bucket::{Bucket, Cursor, Entry};
use crate::rope::Rope;

/// Keys named per kind of difference; the counts go on.
const NAMED_MAX: usize = 100;

/// What a comparison found. Keys are given without their prefix.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// Objects with the same key and the same bytes on both sides.
    pub identical: u64,
    /// Bytes in them.
    pub identical_bytes: u64,
    /// Objects that only the source has.
    pub missing: u64,
    /// Objects with the same key and other bytes.
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
    /// Whether the target holds exactly what the source holds.
    pub fn is_same(&self) -> bool {
        self.missing == 0 && self.different == 0 && self.extra == 0
    }
}

/// A side of the comparison, standing on one of its keys.
struct Side<'a> {
    cursor: Cursor<'a>,
    prefix: &'a [u8],
    entry: Option<Entry<'a>>,
}

impl<'a> Side<'a> {
    fn new(bucket: &'a Bucket, prefix: &'a str) -> Self {
        let mut side = Self {
            cursor: bucket.cursor(prefix.as_bytes(), true),
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
}

fn rope(entry: &Entry<'_>) -> Rope {
    match entry {
        Entry::Stored(object) => object.rope.clone(),
        Entry::Space(object) => object.rope(),
    }
}

fn name(names: &mut Vec<String>, key: &[u8]) {
    if names.len() < NAMED_MAX {
        names.push(String::from_utf8_lossy(key).into_owned());
    }
}

/// Walks both sides in step.
pub(crate) fn compare(
    source: &Bucket,
    source_prefix: &str,
    target: &Bucket,
    target_prefix: &str,
) -> Comparison {
    let mut result = Comparison::default();
    let (mut left, mut right) = (
        Side::new(source, source_prefix),
        Side::new(target, target_prefix),
    );
    loop {
        let order = match (left.key(), right.key()) {
            (None, None) => return result,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            std::cmp::Ordering::Less => {
                result.missing += 1;
                name(&mut result.missing_keys, left.key().unwrap_or_default());
                left.step();
            }
            std::cmp::Ordering::Greater => {
                result.extra += 1;
                name(&mut result.extra_keys, right.key().unwrap_or_default());
                right.step();
            }
            std::cmp::Ordering::Equal => {
                if let (Some(a), Some(b)) = (&left.entry, &right.entry) {
                    let (a, b) = (rope(a), rope(b));
                    if a.same_content(&b) {
                        result.identical += 1;
                        result.identical_bytes += a.length();
                    } else {
                        result.different += 1;
                        name(&mut result.different_keys, left.key().unwrap_or_default());
                    }
                }
                left.step();
                right.step();
            }
        }
    }
}
