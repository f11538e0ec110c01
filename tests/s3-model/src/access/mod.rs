//! Who calls, and what the caller may do.
//!
//! Read `policy` first (the documents), then `principal` (who acts), then `signature` and
//! `identities` (from a request to its principal), then `authorization` (IAM's rule).

pub(crate) mod authorization;
pub(crate) mod identities;
pub(crate) mod policy;
pub(crate) mod principal;
mod signature;
