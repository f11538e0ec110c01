//! Reruns: what an earlier run left undone is planned again, from its ledger and its documents.
//!
//! `settle` checks the earlier run before anything is written. [`Replanning`] then takes the place of the listing: it
//! reads the undone objects shard by shard (`earlier_documents`, `undone_object`), looks up each of them
//! to decide what is left to do (`action`), and writes shards up to a `position` in the earlier run (`picked`).

mod action;
mod earlier_documents;
mod position;
mod replanning;
mod settle;
mod undone_object;

pub(crate) use replanning::Replanning;
