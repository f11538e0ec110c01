//! What is done to each object of a shard.
//!
//! `work_loop` drives one kind of `object_work` over the open objects of a shard, whatever that kind is:
//! `object_copies` copies them, each by a `single_copy` or in parts (`multipart`), and `deletions` deletes them. A
//! new kind of work is another implementation of the trait. `part_shard` copies some parts of one very large object.
//!
//! All of them share what a call needs (`target_calls`); what copies share beyond that is the `copy_context`: which
//! object is copied where (`planned_object`), what a failed call means, and which permission a refused one lacked
//! (`denials`), and what follows when the source changed meanwhile (`source_changes`).

mod copy_context;
mod deletions;
mod denials;
mod multipart;
mod object_copies;
mod object_work;
mod part_shard;
mod planned_object;
mod single_copy;
mod source_changes;
mod target_calls;
mod work_loop;

pub(crate) use copy_context::CopyContext;
pub(crate) use deletions::Deletions;
pub(crate) use multipart::UploadSharing;
pub(crate) use object_copies::ObjectCopies;
pub(crate) use part_shard::{PartShard, PartShardEnd};
pub(crate) use planned_object::PlannedObject;
pub(crate) use target_calls::TargetCalls;
pub(crate) use work_loop::settle_all;
