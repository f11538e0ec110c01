//! Operations on buckets. They can be read in any order.

pub(super) mod bucket_policy;
pub(super) mod bucket_versioning;
pub(super) mod create_bucket;
pub(super) mod delete_bucket;
pub(super) mod get_bucket_location;
pub(super) mod head_bucket;
pub(super) mod list_buckets;
