//! The verdict of a run.

use serde::{Deserialize, Serialize};

/// What a run came to, in one word. Users trust it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Verdict {
    /// Every planned object is at the target, and the requested verification agreed.
    Complete,
    /// Something is missing, different or unproven.
    Incomplete,
    /// A dry run: it planned and copied nothing.
    Planned,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Complete => "COMPLETE",
            Self::Incomplete => "INCOMPLETE",
            Self::Planned => "PLANNED",
        })
    }
}
