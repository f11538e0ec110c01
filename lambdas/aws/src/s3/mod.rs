//! The two buckets of a run, through S3.
//!
//! [`source_bucket`] and [`target_bucket`] implement the ports and only delegate. Each operation of S3 has a file (or a
//! folder) with S3's name for it, which builds the request, reads the response, and holds the tests of both.
//! [`owned_bucket`] is the bucket as all of them take it, and [`wire`] holds the encodings that they share.

mod abort_multipart_upload;
mod complete_multipart_upload;
mod copy_object;
mod create_multipart_upload;
mod delete_object;
mod delete_objects;
mod get_bucket_versioning;
mod get_object;
mod get_object_tagging;
mod head_bucket;
mod head_object;
mod list_multipart_uploads;
mod list_object_annotations;
mod list_object_versions;
mod list_objects_v2;
mod list_parts;
mod owned_bucket;
mod permission_probe;
mod put_object;
mod put_object_tagging;
mod source_bucket;
mod target_bucket;
mod upload_part_copy;
mod wire;

pub(crate) use head_bucket::find_bucket_facts;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use list_object_versions::read_version_page;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use list_objects_v2::read_page_twice;
pub(crate) use owned_bucket::{BucketPair, OwnedBucket};
pub use source_bucket::AwsSourceBucket;
pub use target_bucket::AwsTargetBucket;
pub(crate) use target_bucket::TargetClients;
pub(crate) use wire::{
    complete_document::CompleteDocuments, escaped_key::UnescapeKeys,
    stored_headers::ReadableResponses,
};
