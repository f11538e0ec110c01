//! The proof that the target holds what the run vouches for, over as many invocations as it takes.
//!
//! The rules are [`shardlift_core::verify`]'s, and [`shardlift_proof`] drives them. Here `prover` is the part of one
//! invocation, `receipt_lists` finds the receipts of the run and of those that it goes back to in the ledger, and
//! `differences_csv` keeps every key that differs. `audit` adds up what an audit compared.

pub(crate) mod audit;
mod differences_csv;
mod prover;
mod receipt_lists;

pub(crate) use prover::{Outcome, Prover};
