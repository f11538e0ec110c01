//! The policy documents in the two accounts that together allow a run, as data.
//!
//! This is their one source: `shardlift policy` prints them, a refused call is explained by the statement that is
//! missing ([`missing`]), the functions' sessions are narrowed by them ([`session`]), and a test holds the templates in
//! `infra/` equal to them.
//!
//! Read `agreement` (what the documents are made from) and `statement` first, then the documents: `execution_role`,
//! `target_role`, `source_bucket`, `target_bucket`, `key_policy`.

mod agreement;
mod event_roles;
mod execution_role;
mod key_policy;
pub mod merge;
mod merge_commands;
pub mod missing;
mod operator;
mod place;
pub mod session;
mod source_bucket;
mod statement;
mod target_bucket;
mod target_role;
#[cfg(test)]
mod tests;

pub use agreement::{Agreement, Extras, Installation};
pub use event_roles::reporter_of_events;
pub use execution_role::{Function, execution_role};
pub use key_policy::{source_key, target_key};
pub use merge_commands::merge_commands;
pub use operator::operator;
pub use source_bucket::source_bucket;
pub use statement::{Condition, Document, PolicyEffect, Principal, Statement};
pub use target_bucket::target_bucket;
pub use target_role::{target_role_permissions, target_role_trust};
