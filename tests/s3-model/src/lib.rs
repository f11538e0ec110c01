//! An S3 server in memory that is stricter, larger and nastier than an emulator.
//!
//! It speaks S3's HTTP to unmodified clients. Objects are provenance instead of bytes
//! ([`Rope`]), buckets can be full of computed keys ([`KeySpaceSpec`]), AWS's limits and refusals
//! hold, and the [`Weather`] throttles, delays and breaks what it is told to.
//!
//! ```no_run
//! use shardlift_s3_model::{BucketSpec, KeySpaceSpec, Model, ObjectSpec};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::builder()
//!     .bucket(BucketSpec::new("source").key_space(KeySpaceSpec::flat(1_000_000)))
//!     .bucket(BucketSpec::new("target"))
//!     .build()?;
//! let source = model.bucket("source").expect("just made");
//! source.put("huge", ObjectSpec::synthetic(7, 48 << 40).tag("team", "data"));
//! let server = model.start().await?;
//! // … point an S3 client at server.endpoint_url(), path style, any credentials …
//! let same = model.compare(("source", ""), ("target", "")).expect("both exist");
//! assert!(same.is_same(), "{same:?}");
//! # Ok(()) }
//! ```
//!
//! The server runs until its [`Server`] is dropped. `docs/MODEL.md` says what is enforced.

mod access;
mod annotation;
mod body;
mod bucket;
mod bucket_calls;
mod bucket_view;
mod clock;
mod comparison;
mod completion;
mod conditions;
mod connection;
mod control;
mod copy;
mod counters;
mod delete;
mod digest;
mod error;
mod get;
mod handlers;
mod identity;
mod key_space;
mod listing;
mod lock;
mod model;
mod multipart;
mod multipart_listing;
mod object;
mod operation;
mod partition;
mod policy;
mod put;
mod reply;
mod request;
mod rope;
mod server;
mod sky;
mod tagging;
mod upload_body;
mod version_listing;
mod weather;
mod xml;

pub use bucket::Versioning;
pub use bucket_view::{BucketView, ObjectSpec, ObjectView};
pub use comparison::Comparison;
pub use counters::{Cost, CountersSnapshot};
pub use digest::{ChecksumAlgorithm, ChecksumKind, ETag};
pub use error::ErrorCode;
pub use identity::Principal;
pub use key_space::{InvalidKeySpace, KeySpaceSpec, Shape, Sizes};
pub use model::{BucketSpec, Builder, DEFAULT_ACCOUNT, Model};
pub use object::{StorageClass, VersionId};
pub use operation::Operation;
pub use partition::PartitionLimits;
pub use policy::{Effect, OneOrMany, PolicyDocument, PolicyPrincipal, Statement};
pub use rope::Rope;
pub use server::Server;
pub use weather::{DrawnBy, Fault, Latency, Rule, Weather};
