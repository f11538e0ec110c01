//! A range of the key space, and how far its listing got.

use serde::{Deserialize, Serialize};

use super::{
    copy_effort::CopyEffort, list_counts::ListCheckpoint, list_page::ListLooks,
    planned_classes::PlannedClasses,
};
use crate::{
    run::option::ClassChoice,
    value::{
        id::{RangeId, RunId},
        key::{KEY_BYTES_MAX, KeyPrefix, ObjectKey, RelativeKey},
        storage::ObjectStorage,
        tally::Count,
    },
};

/// The keys after `after` (exclusive) up to and including `until`; open where absent.
///
/// Bounds are keys below the prefixes of the pair, so that one range means the same stretch at the source and at the
/// target. The ranges of a run tile the key space at every instant: they only ever change by splits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRange {
    /// The greatest key that lies before the range.
    pub after: Option<RelativeKey>,
    /// The greatest key of the range.
    pub until: Option<RelativeKey>,
}

impl KeyRange {
    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.after.as_ref().is_none_or(|after| key > after.as_str())
            && self
                .until
                .as_ref()
                .is_none_or(|until| key <= until.as_str())
    }

    /// The two ranges that meet at `at`, which becomes the last key of the first; nothing when `at` is not inside.
    #[must_use]
    pub fn split(&self, at: RelativeKey) -> Option<(Self, Self)> {
        let inside = self.contains(at.as_str()) && self.until.as_ref() != Some(&at);
        inside.then(|| {
            (
                Self {
                    after: self.after.clone(),
                    until: Some(at.clone()),
                },
                Self {
                    after: Some(at),
                    until: self.until.clone(),
                },
            )
        })
    }
}

/// The key to list after, to list everything under `prefix` after the relative key `after`; nothing to begin at the first
/// key of the prefix.
///
/// Where prefix and key together are too long for a key, it is the longest key before them. The listing then begins with
/// keys that the caller must leave out.
#[must_use]
pub fn start_after(prefix: &KeyPrefix, after: Option<&str>) -> Option<ObjectKey> {
    let mut joined = format!("{}{}", prefix.as_str(), after?);
    while joined.len() > KEY_BYTES_MAX {
        joined.pop();
    }
    ObjectKey::new(joined).ok()
}

/// The counts of a range up to a key.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListingTally {
    /// Objects of the source that the filters left out.
    pub filtered: Count,
    /// Objects that take part though their keys go on after the source prefix without a slash, as `data2/a` does after
    /// `data`.
    #[serde(default)]
    pub beside_prefix: u64,
    /// Objects that were already the same at the target.
    pub same: Count,
    /// Archived objects that were left out, as the run asks.
    #[serde(default)]
    pub archived: Count,
    /// Objects seen at the target.
    pub at_target: Count,
    /// Those of them that a mirror could delete, because its globs admit them.
    #[serde(default)]
    pub deletable: Count,
    /// Objects planned to be copied.
    pub planned: Count,
    /// Objects planned to be deleted at the target.
    #[serde(default)]
    pub deletes: Count,
    /// In a rerun: undone objects of the earlier run with nothing left to do. They are gone from the source; objects to
    /// delete are gone from the target, or back at the source. In a run from a list: objects that are gone from the source.
    #[serde(default)]
    pub gone: Count,
    /// Folder markers of the source prefix itself, which have no key at the target.
    #[serde(default)]
    pub root_markers: Count,
    /// What copying the planned objects takes.
    #[serde(default)]
    pub effort: CopyEffort,
    /// The classes of their copies.
    #[serde(default, skip_serializing_if = "PlannedClasses::is_empty")]
    pub classes: PlannedClasses,
    /// Where a list in key order names the objects: those that were looked up at the source.
    #[serde(default, skip_serializing_if = "ListLooks::is_empty")]
    pub looks: ListLooks,
}

impl ListingTally {
    /// Counts an object that is planned to be copied.
    pub fn plan_copy(
        &mut self,
        (count, effort): (Count, CopyEffort),
        object: ObjectStorage,
        choice: ClassChoice,
    ) {
        self.planned.add(count);
        self.effort.add(effort);
        self.classes.plan(effort, object, choice);
    }

    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.filtered.add(other.filtered);
        self.beside_prefix += other.beside_prefix;
        self.same.add(other.same);
        self.archived.add(other.archived);
        self.at_target.add(other.at_target);
        self.deletable.add(other.deletable);
        self.planned.add(other.planned);
        self.deletes.add(other.deletes);
        self.gone.add(other.gone);
        self.root_markers.add(other.root_markers);
        self.effort.add(other.effort);
        self.classes.add(&other.classes);
        self.looks.add(&other.looks);
    }
}

/// Everything of the range up to and including `through` is planned: it is in shards, or needs none.
///
/// A rerun lists no ranges, and neither does a run from a list that is not in key order. Each has one that covers all keys,
/// whose checkpoint holds a position in the earlier run or in the list instead of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last planned key; absent when the range was empty.
    pub through: Option<RelativeKey>,
    /// The counts of the range up to there.
    pub tally: ListingTally,
    /// Where the objects come from a list: how far that is planned, in place of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListCheckpoint>,
}

/// Whether a range is still being listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RangeState {
    /// Keys may be left.
    Listing,
    /// Every key is planned.
    Done,
}

/// The ledger's record of a range. It changes in the same transaction that adds its shards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// The run.
    pub run_id: RunId,
    /// The range.
    pub range_id: RangeId,
    /// Its bounds.
    #[serde(flatten)]
    pub bounds: KeyRange,
    /// How far it got.
    pub checkpoint: Option<Checkpoint>,
    /// Whether it is done.
    pub state: RangeState,
    /// When the ledger deletes the record, in seconds since the epoch (DynamoDB's TTL).
    pub expires_at: i64,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}

/// Whether ranges, in key order, tile the key space: the first has no start, each begins where the one before it ends, and
/// the last has no end.
#[must_use]
pub fn tiles(ranges: &[&KeyRange]) -> bool {
    let meets = |two: &[&KeyRange]| two[0].until.is_some() && two[0].until == two[1].after;
    ranges.first().is_some_and(|first| first.after.is_none())
        && ranges.windows(2).all(meets)
        && ranges.last().is_some_and(|last| last.until.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> RelativeKey {
        RelativeKey::new(text).unwrap()
    }

    #[test]
    fn halves_meet_without_gap_or_overlap() {
        let (left, right) = KeyRange::default().split(key("m")).unwrap();
        for text in ["", "a", "m", "m\u{0}", "n", "\u{10ffff}"] {
            assert!(left.contains(text) ^ right.contains(text), "{text:?}");
        }
        assert!(
            left.split(key("m")).is_none(),
            "the right half would be empty"
        );
        assert!(right.split(key("m")).is_none());
        assert!(right.split(key("a")).is_none());
    }

    #[test]
    fn ranges_with_a_gap_an_overlap_or_a_missing_end_do_not_tile() {
        let (left, right) = KeyRange::default().split(key("m")).unwrap();
        let (middle, end) = right.split(key("s")).unwrap();
        assert!(tiles(&[&KeyRange::default()]));
        assert!(tiles(&[&left, &middle, &end]));
        for broken in [
            &[][..],
            &[&left],
            &[&left, &end],
            &[&left, &right, &end],
            &[&left, &middle],
            &[&middle, &end],
            &[&KeyRange::default(), &KeyRange::default()],
        ] {
            assert!(!tiles(broken), "{broken:?}");
        }
    }

    #[test]
    fn a_start_too_long_for_a_key_lists_from_before_it() {
        let prefix = KeyPrefix::new("target/").unwrap();
        let long = key(&"\u{1f680}".repeat(255));
        let start = start_after(&prefix, Some(long.as_str())).unwrap();
        assert!(start.as_str().len() <= KEY_BYTES_MAX);
        assert!(start.as_str() < format!("target/{long}").as_str());
        assert_eq!(start_after(&prefix, None), None);
        assert_eq!(start_after(&prefix, Some("")).unwrap().as_str(), "target/");
    }
}
