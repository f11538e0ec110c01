//! What the server stores: buckets, objects, versions, open uploads.
//!
//! Read `attributes` (with `storage_class`, `encryption` and `kms_keys`) and `object` first, then `version`
//! and `upload`, then `bucket` and `cursor` (a walk over the keys of a bucket). `bucket_spec` and
//! `object_spec` are what a test or the control API asks for. `comparison` compares two buckets.

pub(crate) mod attributes;
pub(crate) mod bucket;
pub(crate) mod bucket_spec;
pub(crate) mod comparison;
pub(crate) mod cursor;
pub(crate) mod encryption;
pub(crate) mod kms_keys;
pub(crate) mod object;
pub(crate) mod object_spec;
pub(crate) mod storage_class;
pub(crate) mod upload;
pub(crate) mod version;
