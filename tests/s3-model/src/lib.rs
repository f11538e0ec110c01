//! An S3 server in memory that is stricter and nastier than an emulator, and holds larger objects.
//!
//! It speaks S3's HTTP to unmodified clients. Objects are provenance instead of bytes ([`Rope`]),
//! buckets can be full of computed keys ([`KeySpaceSpec`]), AWS's limits and errors apply, and the
//! [`Weather`] (a fault injection profile) throttles, delays and breaks requests on demand.
//!
//! ```no_run
//! use shardlift_s3_model::{BucketSpec, KeySpaceSpec, Model, ObjectSpec};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let model = Model::builder()
//!     .bucket(BucketSpec::new("source").key_space(KeySpaceSpec::flat(1_000_000)))
//!     .bucket(BucketSpec::new("target"))
//!     .build()?;
//! let source = model.bucket("source").expect("created above");
//! source.put("huge", ObjectSpec::synthetic(7, 48 << 40).tag("team", "data"));
//! let server = model.start().await?;
//! // … point an S3 client at server.endpoint_url(), path style, any credentials …
//! let same = model.compare(("source", ""), ("target", "")).expect("both exist");
//! assert!(same.is_same(), "{same:?}");
//! # Ok(()) }
//! ```
//!
//! The server runs until its [`Server`] is dropped. `docs/MODEL.md` lists what it enforces.
//!
//! # How to read the crate
//!
//! Each chapter (folder) uses only those above it:
//!
//! 1. `content`: what an object contains, and its digests
//! 2. `key_space`: buckets of computed keys
//! 3. `protocol`: operations, error codes, requests, responses, XML
//! 4. `access`: identities and policies
//! 5. `storage`: buckets, objects, versions, uploads
//! 6. `weather`: latency, throttling, faults
//! 7. `metering`: counters and cost
//! 8. `operations`: one file for each S3 operation
//! 9. `control`: the control API
//! 10. `http`: the server
//! 11. `library`: what a test uses
//!
//! `state` is what the chapters from `operations` on share. `clock`, `date`, `lock`, `number` and
//! `splitmix` serve all of them.

mod access;
mod clock;
mod content;
mod control;
mod date;
mod http;
mod key_space;
mod library;
mod lock;
mod metering;
mod number;
mod operations;
mod protocol;
mod splitmix;
mod state;
mod storage;
mod weather;

pub use access::condition::Conditions;
pub use access::one_or_many::OneOrMany;
pub use access::policy::{Effect, PolicyDocument, PolicyPrincipal, Statement};
pub use access::principal::Principal;
pub use content::checksum::{ChecksumAlgorithm, ChecksumKind};
pub use content::etag::ETag;
pub use content::rope::Rope;
pub use http::server::Server;
pub use key_space::keys::InvalidKeySpace;
pub use key_space::spec::{KeySpaceSpec, Shape, Sizes};
pub use library::bucket_view::BucketView;
pub use library::model::{Builder, Model};
pub use library::object_view::ObjectView;
pub use metering::cost::Cost;
pub use metering::snapshot::CountersSnapshot;
pub use protocol::error_code::ErrorCode;
pub use protocol::operation::Operation;
pub use storage::bucket_spec::{BucketSpec, DEFAULT_ACCOUNT};
pub use storage::comparison::Comparison;
pub use storage::kms_keys::KmsKeyState;
pub use storage::object::VersionId;
pub use storage::object_spec::ObjectSpec;
pub use storage::storage_class::StorageClass;
pub use storage::version::Versioning;
pub use weather::fault::Fault;
pub use weather::partition::PartitionLimits;
pub use weather::profile::{Latency, Weather};
pub use weather::rule::{DrawnBy, Rule};
