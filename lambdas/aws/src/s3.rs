//! The two buckets of a pair, through S3.

mod answer_date;
pub(crate) mod bucket_facts;
mod checksums;
mod copy_source;
mod deletion;
mod encryption;
mod error_document;
mod listing;
mod listing_document;
mod listing_reader;
mod multipart;
mod object_attributes;
mod probe;
mod source_bucket;
pub(crate) mod spoken_key;
mod tagging;
mod target_bucket;
pub(crate) mod whole_document;

pub use source_bucket::AwsSourceBucket;
pub use target_bucket::AwsTargetBucket;
pub(crate) use target_bucket::TargetClients;
