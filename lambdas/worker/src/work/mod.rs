//! What is done to each object of a shard.
//!
//! `work_loop` drives one kind of `object_work` over the open objects of a shard, whatever that kind is: `object_versions`
//! makes something of each object at the target, a copy or a rendition, and `deletions` deletes them.
//!
//! All of them share what a call needs (`target_calls`); what is made of objects shares the `object_context` beyond that:
//! which object goes where (`planned_object`), what a failed call means, which permission a refused one lacked (`denials`),
//! which tags are carried, and what follows when the source changed meanwhile (`source_changes`).

mod deletions;
mod denials;
mod object_context;
mod object_versions;
mod object_work;
mod planned_object;
mod source_changes;
mod target_calls;
mod work_loop;

pub use deletions::Deletions;
pub use object_context::{ObjectContext, source_changed};
pub use object_versions::{ObjectVersions, VersionEnd, VersionWork};
pub use object_work::ObjectWork;
pub use planned_object::PlannedObject;
pub use target_calls::TargetCalls;
pub use work_loop::settle_all;
