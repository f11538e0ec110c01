//! Who calls, and what the caller may do.
//!
//! Read `policy` first (the documents, with each `condition`), then `principal` (who acts), then `signature` and
//! `identities` (from a request to its principal), then `authorization` (IAM's rule).

pub(crate) mod authorization;
pub(crate) mod condition;
pub(crate) mod identities;
pub(crate) mod one_or_many;
pub(crate) mod policy;
pub(crate) mod principal;
mod signature;
