//! Some parts of one very large object: all of its part shards copy into one upload, and the last one has it assembled.
//!
//! Read `part_shard` first; `whole_record` is the record of the whole object, which decides. The upload that it names
//! first is the upload, and another one that was created meanwhile is aborted. A part shard that is finished is recorded
//! there, and the copier that finds all of them finished takes the whole as an ordinary shard: it continues with the upload,
//! finds every part in it, and completes it.

#[expect(
    clippy::module_inception,
    reason = "the file is named after the type that it owns"
)]
mod part_shard;
mod whole_record;

pub(crate) use part_shard::{PartShard, PartShardEnd};
