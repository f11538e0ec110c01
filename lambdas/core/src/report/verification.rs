//! What the proof of the target found.

use serde::{Deserialize, Serialize};

use crate::{
    run::option::Verify,
    value::{id::RunId, set_sum::SetSum},
    verify::DifferenceKind,
};

/// What the proof of the target found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// How it was done; [`Verify::None`] also when a problem kept it from being done.
    pub method: Verify,
    /// Objects that the run vouches for and that are missing at the target.
    pub missing: u64,
    /// Objects that the run vouches for, and in whose place the target has others.
    pub different: u64,
    /// Of the different ones: those of the same size, which a sync may take for the same.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub content: u64,
    /// Objects that appeared at the target since the plan listed it, which a mirror should not have; in an audit, those that the source lacks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub foreign: u64,
    /// Whether the differences were not all looked for, because there was no time: the numbers are the least.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_partial: bool,
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
            content: 0,
            foreign: 0,
            is_partial: false,
        }
    }

    /// Counts a difference.
    pub fn add(&mut self, kind: DifferenceKind) {
        match kind {
            DifferenceKind::Missing => self.missing += 1,
            DifferenceKind::Foreign | DifferenceKind::Extra => self.foreign += 1,
            DifferenceKind::Size | DifferenceKind::Content | DifferenceKind::Older => {
                self.different += 1;
                self.content += u64::from(kind == DifferenceKind::Content);
            }
        }
    }

    /// All differences.
    #[must_use]
    pub fn differences(&self) -> u64 {
        self.missing + self.different + self.foreign
    }

    /// Whether the target holds what the run vouches for, whatever else it holds.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.missing == 0 && self.different == 0 && !self.is_partial
    }
}

/// What proves a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProofMethod {
    /// A listing of the target after the last copy.
    Listing,
    /// The listings of the plan: nothing was written or deleted since.
    Plan,
    /// Nothing: the sums are those of what S3 confirmed.
    None,
}

/// The set of objects that the run vouches for, which anybody can compute again from a listing of the target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// What proves it.
    pub method: ProofMethod,
    /// Its sum.
    #[serde(flatten)]
    pub vouched: SetSum,
    /// The sum of what else the target holds under the prefix; absent where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<SetSum>,
    /// In a rerun: the runs that it goes back to, the first one first. It vouches for what they vouched for, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
}
