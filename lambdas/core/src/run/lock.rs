//! The lock over a target prefix.

use serde::{Deserialize, Serialize};

use crate::{
    run::pair::Pair,
    value::{arn::ExecutionArn, bucket::BucketName, id::RunId, key::KeyPrefix},
};

/// What a run writes: everything under a prefix of its target bucket. Two runs that write the same keys must not run at
/// once, wherever they read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LockedPrefix {
    /// The target bucket.
    pub bucket: BucketName,
    /// The target prefix.
    pub prefix: KeyPrefix,
}

impl LockedPrefix {
    /// What runs over this pair write.
    #[must_use]
    pub fn of(pair: &Pair) -> Self {
        Self {
            bucket: pair.target.bucket.clone(),
            prefix: pair.target.prefix.clone(),
        }
    }

    /// Whether there are keys that both write.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let contains = |one: &Self, two: &Self| one.prefix.contains(&two.prefix);
        self.bucket == other.bucket && (contains(self, other) || contains(other, self))
    }
}

/// How far a lock is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum LockState {
    /// Its run does not know yet whether another one holds a lock that overlaps, and writes nothing at the target.
    Claimed,
    /// Since its run claimed it, no other one held a lock that overlaps.
    Held,
    /// Nobody holds it: another run was first, or its execution has ended. A run that was stopped and goes on claims it anew.
    GivenUp,
    /// Its run waits for a run of events to end. As long as it does, no further run of events takes an overlapping lock.
    Waiting,
    /// Its run does not wait any more.
    Served,
}

/// The two records that a target prefix may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockSlot {
    /// Of the run that writes, or claims to.
    Holder,
    /// Of the run that is next: it stands beside the lock of the run of events that it waits for.
    Turn,
}

impl LockState {
    /// Which of the two records of a prefix has this state.
    #[must_use]
    pub const fn slot(self) -> LockSlot {
        match self {
            Self::Claimed | Self::Held | Self::GivenUp => LockSlot::Holder,
            Self::Waiting | Self::Served => LockSlot::Turn,
        }
    }

    /// Whether its run writes, or is about to.
    #[must_use]
    pub const fn is_taken(self) -> bool {
        matches!(self, Self::Claimed | Self::Held)
    }
}

/// A lock of one execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockRecord {
    /// The version of the record.
    pub schema_version: u32,
    /// What is locked.
    #[serde(flatten)]
    pub locked: LockedPrefix,
    /// The run that holds it.
    pub run_id: RunId,
    /// Its execution; when that no longer runs, the lock can be taken over.
    pub execution_arn: ExecutionArn,
    /// How far it is taken.
    pub state: LockState,
    /// The number of writes to this record; each write expects the one before it.
    pub revision: u64,
}

impl LockRecord {
    /// The record that follows this one, in another state or in the same.
    #[must_use]
    pub fn moved(&self, state: LockState) -> Self {
        Self {
            state,
            revision: self.revision + 1,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(bucket: &str, prefix: &str) -> LockedPrefix {
        LockedPrefix {
            bucket: BucketName::new(bucket).unwrap(),
            prefix: KeyPrefix::new(prefix).unwrap(),
        }
    }

    #[test]
    fn prefixes_overlap_if_a_key_lies_under_both() {
        for (one, two, expected) in [
            ("copy/", "copy/x/", true),
            ("copy/x/", "copy/", true),
            ("", "copy/", true),
            ("copy/", "copy/", true),
            ("copy", "copy2/", true),
            ("copy/", "copy2/", false),
            ("a/b/", "a/c/", false),
        ] {
            let overlap = locked("one", one).overlaps(&locked("one", two));
            assert_eq!(overlap, expected, "{one:?} {two:?}");
        }
        assert!(!locked("one", "").overlaps(&locked("two", "")));
    }
}
