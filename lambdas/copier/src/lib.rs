//! The copier: takes one shard, copies its objects to the target account, and accounts for every one of them.
//!
//! Read in this order: [`copier`] (one invocation), `held_shard` (the claim on the record, and every write to it),
//! `shard_copy` (many objects in flight until the deadline), `checkpoints` (when the record is written), `object_copy` and `multipart_copy` (one object),
//! `part_shard` (some parts of a very large object), `shard_deletion` (a mirror's deletions), `gate` and `retries` (when a
//! call may be made, and made again), `denials` (why a call was refused), `object_log` (what became of each object).

mod assembled_etag;
mod checkpoints;
pub mod copier;
mod denials;
mod gate;
mod held_shard;
mod multipart_copy;
mod object_copy;
mod object_log;
mod part_shard;
mod request_meter;
mod retries;
mod shard_copy;
mod shard_deletion;
mod upload_completion;
mod upload_creation;
mod uploads;
