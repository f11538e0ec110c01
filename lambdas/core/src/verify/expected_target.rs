//! What a listing of the target should show.

use serde::{Deserialize, Serialize};

use crate::{
    plan::KeptRecord,
    value::{id::RunId, set_sum::SetSum},
};

/// The sums of what stands at the target when a run ends, as far as the run knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ExpectedTarget {
    /// What the run vouches for.
    pub vouched: SetSum,
    /// What else stood there; nothing is known of it where the plan did not list the target.
    pub beside: Option<SetSum>,
}

impl ExpectedTarget {
    /// Begins that of a run whose plan lists the target or does not, a rerun with what it takes over.
    #[must_use]
    pub fn begin(lists_target: bool, carried: Option<&CarriedProof>) -> Self {
        carried.map_or_else(
            || Self {
                vouched: SetSum::default(),
                beside: lists_target.then(SetSum::default),
            },
            |carried| carried.expected,
        )
    }

    /// Adds what the plan left as it stood.
    pub fn add_kept(&mut self, kept: &KeptRecord) {
        self.vouched.add(&kept.same);
        self.add_beside(&kept.beside);
    }

    /// Adds what the shards copied, and what they left undeleted.
    pub fn add_settled(&mut self, vouched: &SetSum, beside: &SetSum) {
        self.vouched.add(vouched);
        self.add_beside(beside);
    }

    fn add_beside(&mut self, added: &SetSum) {
        if let Some(beside) = &mut self.beside {
            beside.add(added);
        }
    }

    /// Whether a listing with this sum shows what is expected, and nothing else.
    #[must_use]
    pub fn is_shown_by(&self, seen: &SetSum) -> bool {
        *seen == self.vouched.plus(&self.beside.unwrap_or_default())
    }
}

/// What a rerun takes over from the runs that it goes back to: it vouches for what they vouched for, too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CarriedProof {
    /// Their sums, without what was to be deleted and was not: the rerun plans that again.
    pub expected: ExpectedTarget,
    /// These runs, the first one first: their receipts are the ones behind the sums.
    pub runs: Vec<RunId>,
}
