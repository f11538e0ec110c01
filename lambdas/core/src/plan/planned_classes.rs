//! The storage classes of planned copies.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::copy_effort::CopyEffort;
use crate::{
    run::option::ClassChoice,
    value::storage::{ObjectStorage, StorageClass},
};

/// What is planned of one class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClassWork {
    /// Copies.
    pub objects: u64,
    /// Those of them that are made in parts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub uploads: u64,
    /// Their parts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub parts: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The storage classes of planned copies: what they cost depends on them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlannedClasses {
    /// The copies by their class.
    pub copies: BTreeMap<StorageClass, ClassWork>,
    /// Copies whose class is not that of their source.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub changed: u64,
}

impl PlannedClasses {
    /// Whether nothing is planned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.copies.is_empty()
    }

    /// Counts one copy.
    pub(super) fn plan(&mut self, effort: CopyEffort, object: ObjectStorage, choice: ClassChoice) {
        let work = self.copies.entry(choice.written(object)).or_default();
        work.objects += 1;
        work.uploads += effort.uploads;
        work.parts += effort.parts;
        self.changed += u64::from(choice.changes(object));
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        for (&class, more) in &other.copies {
            let work = self.copies.entry(class).or_default();
            work.objects += more.objects;
            work.uploads += more.uploads;
            work.parts += more.parts;
        }
        self.changed += other.changed;
    }
}
