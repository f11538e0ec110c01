//! How an object is copied.
//!
//! `copies` chooses the way of each object, which the work loop of `shardlift_worker` drives: a `single_copy`, or in parts
//! (`multipart`). `part_shard` copies some parts of one very large object. `review` says what is noted of a copy.

mod copies;
mod multipart;
mod part_shard;
mod review;
mod single_copy;

pub(crate) use copies::Copies;
pub(crate) use multipart::UploadSharing;
pub(crate) use part_shard::{PartShard, PartShardEnd};
