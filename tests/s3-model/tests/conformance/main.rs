//! One suite of S3's documented behavior, run with the AWS SDK for Rust. It runs against the model,
//! or against another endpoint for the cases that this endpoint claims:
//!
//! ```text
//! CONFORMANCE_ENDPOINT_URL=http://127.0.0.1:4600 cargo nextest run --release -p shardlift-s3-model --test conformance
//! ```
//!
//! The cases of the modules `recorded_…`, and others that name a fact, hold what was recorded from
//! AWS (docs/MODEL.md, "Recorded facts").
//!
//! Each case names the backends that claim it. With `CONFORMANCE_CLAIMS=all` all cases run against
//! the other endpoint, which shows where it differs.

mod annotations;
mod backend;
mod conditional_deletes;
mod conditions;
mod copying;
mod identity;
mod listing;
mod multipart;
mod multipart_checksums;
mod multipart_listings;
mod part_copies;
mod reading;
mod recorded_conditions;
mod recorded_copies;
mod recorded_kms;
mod recorded_listings;
mod recorded_metadata;
mod recorded_reads;
mod recorded_uploads;
mod recorded_versions;
mod signed_request;
mod upload;
mod versions;
mod writing;
