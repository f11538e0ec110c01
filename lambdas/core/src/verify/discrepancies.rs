//! What a comparison of both sides can find wrong.

use serde::{Deserialize, Serialize};

/// What is wrong with an object of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Discrepancy {
    /// It was planned, and is not at the target.
    Missing,
    /// It was planned, and another object is at the target.
    Different,
    /// It appeared or changed after the run began, and is not at the target yet: the next run copies it.
    ChangedSinceStart,
    /// It is not at the target, and may be one of the archived objects that the run left out.
    Archived,
}

/// How many objects of each discrepancy there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Discrepancies {
    /// [`Discrepancy::Missing`].
    pub missing: u64,
    /// [`Discrepancy::Different`].
    pub different: u64,
    /// [`Discrepancy::ChangedSinceStart`].
    pub changed_since_start: u64,
    /// [`Discrepancy::Archived`].
    #[serde(default)]
    pub archived: u64,
}

impl Discrepancies {
    /// Counts an object.
    pub fn add(&mut self, discrepancy: Discrepancy) {
        *match discrepancy {
            Discrepancy::Missing => &mut self.missing,
            Discrepancy::Different => &mut self.different,
            Discrepancy::ChangedSinceStart => &mut self.changed_since_start,
            Discrepancy::Archived => &mut self.archived,
        } += 1;
    }
}
