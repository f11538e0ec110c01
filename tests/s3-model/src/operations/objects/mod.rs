//! Operations on objects, except tags, annotations and multipart uploads.
//!
//! Read `get_object` (with `byte_range`), `put_object` (with `new_object`) and `copy_object`
//! (with `copy_source` and `copied_attributes`) first. `deletion` is what `delete_object` and
//! `delete_objects` share.

pub(super) mod byte_range;
mod copied_attributes;
pub(super) mod copy_object;
pub(super) mod copy_source;
pub(super) mod delete_object;
pub(super) mod delete_objects;
mod deletion;
pub(super) mod get_object;
pub(super) mod get_object_attributes;
mod new_object;
pub(super) mod put_object;
pub(super) mod restore_object;
