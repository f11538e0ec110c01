//! Object annotations: named texts attached to an object. CopyObject copies them, a multipart copy
//! does not.
//!
//! Read `annotation` (the rules) first, then the two operations.

mod annotation;
pub(super) mod list_object_annotations;
pub(super) mod put_object_annotation;
