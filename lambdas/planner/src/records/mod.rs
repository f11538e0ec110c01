//! What a plan consists of: manifests in the control bucket, and shards and ranges in the ledger.
//!
//! `range_records` and `shard_records` make new records, `plan_commit` writes them after their manifests.

mod plan_commit;
mod range_records;
mod shard_records;

pub(crate) use plan_commit::{CommittedStep, EncodedList, ListKind, commit, put_lists};
pub(crate) use range_records::{first_range, load_or_create, new_range};
pub(crate) use shard_records::{copy_shards, delete_shard};
