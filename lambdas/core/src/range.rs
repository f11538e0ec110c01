//! A slice of the key space that one lister walks, and how far it got.

use serde::{Deserialize, Serialize};

use crate::{
    id::{RangeId, RunId},
    key::ObjectKey,
    tally::Count,
};

/// The keys after `after` (exclusive) up to and including `until`; open where absent. Full source keys.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeyRange {
    /// The greatest key that lies before the range.
    pub after: Option<ObjectKey>,
    /// The greatest key of the range.
    pub until: Option<ObjectKey>,
}

impl KeyRange {
    /// Whether `key` lies in the range.
    #[must_use]
    pub fn contains(&self, key: &ObjectKey) -> bool {
        self.after.as_ref().is_none_or(|after| key > after)
            && self.until.as_ref().is_none_or(|until| key <= until)
    }
}

/// What the listing of a range met up to a point, planned objects aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ListingTally {
    /// Objects of the source that the filters left out.
    pub filtered: Count,
    /// Objects that were already the same at the target.
    pub same: Count,
    /// Objects seen at the target within the range.
    pub at_target: Count,
    /// Objects planned so far.
    pub planned: Count,
}

/// Everything of the range up to and including `through` is accounted for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The last key that is accounted for.
    pub through: ObjectKey,
    /// The counts of the range up to there.
    pub tally: ListingTally,
    /// How many shards began in this range up to there.
    pub shards: u32,
}

/// Whether a range is still being walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RangeState {
    /// Keys may be left.
    Listing,
    /// Every key is accounted for.
    Done,
}

/// The ledger's record of a range.
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
    /// How far it got without a shard; a shard's segment may be further.
    pub checkpoint: Option<Checkpoint>,
    /// Whether it is done.
    pub state: RangeState,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_meet_without_gap_or_overlap() {
        let key = |text: &str| ObjectKey::new(text).unwrap();
        let left = KeyRange {
            after: None,
            until: Some(key("m")),
        };
        let right = KeyRange {
            after: Some(key("m")),
            until: None,
        };
        for text in ["a", "m", "m\u{0}", "n", "\u{10ffff}"] {
            assert!(
                left.contains(&key(text)) ^ right.contains(&key(text)),
                "{text:?}"
            );
        }
    }
}
