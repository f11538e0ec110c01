//! A claimed shard, from the claim to the last write of its record.
//!
//! Read `shard_session` first: it owns everything else here. `claimed_record` is the record under its fencing token,
//! `outcome_lists` the lists of failed and of noted objects in the control bucket, `open_uploads` the multipart uploads
//! under way, `checkpoint_schedule` decides when the record is written, `shard_requests` counts requests, and `object_log`
//! writes a log line for each object.

mod checkpoint_schedule;
mod claimed_record;
mod object_log;
mod open_uploads;
mod outcome_lists;
mod shard_requests;
mod shard_session;

pub use open_uploads::OpenUploads;
pub use shard_requests::ShardRequests;
pub use shard_session::{SessionEnd, ShardSession};
