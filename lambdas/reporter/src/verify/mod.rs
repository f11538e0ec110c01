//! Verification: both sides are listed again, over as many invocations as it takes.
//!
//! The rules are [`shardlift_core::verify`]'s. Here they are driven: `verifier` is the part of one invocation, `relisting`
//! walks the ranges, `replanned` reads what a rerun planned, `planned_versions` what a run
//! planned of objects that its listings alone cannot judge.

mod planned_versions;
mod relisting;
mod replanned;
mod verifier;

pub(crate) use verifier::{Outcome, verify};
