//! One suite of S3's documented behaviour, run by the AWS Rust SDK against the model, and against
//! another endpoint where that claims the point:
//!
//! ```text
//! CONFORMANCE_ENDPOINT_URL=http://127.0.0.1:4600 cargo nextest run --release -p shardlift-s3-model --test conformance
//! ```
//!
//! Every case names the backends that claim it. With `CONFORMANCE_CLAIMS=all` the other endpoint
//! must answer all cases, which shows where it differs.

mod annotations;
mod conditional_deletes;
mod conditions;
mod copying;
mod identity;
mod listing;
mod multipart;
mod part_copies;
mod reading;
mod stage;
mod versions;
mod writing;
