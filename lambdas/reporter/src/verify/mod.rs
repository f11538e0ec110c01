//! The proof that the target holds what the run vouches for, over as many invocations as it takes.
//!
//! The rules are [`shardlift_core::verify`]'s. Here they are driven: `prover` is the part of one invocation, `target_listing`
//! lists the target, `receipt_lists` finds the receipts of the run and of those that it goes back to, and `explanation`
//! names every key that differs. `audit` adds up what an audit compared.

pub(crate) mod audit;
mod differences_csv;
mod explanation;
mod prover;
mod receipt_lists;
mod target_listing;

pub(crate) use prover::{Outcome, Prover};
