//! What verification found.

use serde::{Deserialize, Serialize};

use crate::run::option::Verify;

/// What verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How it was done; [`Verify::None`] also when a problem kept it from being done.
    pub method: Verify,
    /// Planned objects that are missing at the target.
    pub missing: u64,
    /// Planned objects whose target differs from the plan.
    pub different: u64,
    /// Objects that appeared or changed at the source after the run began and are not at the target yet. The next run
    /// copies them.
    #[serde(default)]
    pub changed_since_start: u64,
    /// Objects that are not at the target as they are at the source, and that are archived, or may be: as many of them as
    /// the run skipped for that reason.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub archived: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Verification {
    /// A verification that found nothing wrong, or that was not done.
    #[must_use]
    pub fn clean(method: Verify) -> Self {
        Self {
            method,
            missing: 0,
            different: 0,
            changed_since_start: 0,
            archived: 0,
        }
    }

    /// The same, for a run that skipped so many archived objects: beyond these, nothing explains that an object is not at
    /// the target.
    #[must_use]
    pub fn with_skipped(self, archived: u64) -> Self {
        Self {
            missing: self.missing + self.archived.saturating_sub(archived),
            archived: self.archived.min(archived),
            ..self
        }
    }

    /// Whether no object that the run is responsible for is missing or different.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.missing == 0 && self.different == 0
    }
}
