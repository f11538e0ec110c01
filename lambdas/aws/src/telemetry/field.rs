//! The names of the log fields that more than one line has, used as `tracing::info!({ field::RUN_ID } = %run_id, "…")`.

/// The run.
pub const RUN_ID: &str = "run.id";
/// The round.
pub const RUN_ROUND: &str = "run.round";
/// The run's verdict.
pub const RUN_VERDICT: &str = "run.verdict";
/// The shard.
pub const SHARD_ID: &str = "shard.id";
/// The range.
pub const RANGE_ID: &str = "range.id";
/// The object's key at the source.
pub const OBJECT_KEY: &str = "object.key";
/// The object's size in bytes.
pub const OBJECT_SIZE_BYTES: &str = "object.size_bytes";
/// What became of the object.
pub const OBJECT_OUTCOME: &str = "object.outcome";
/// Objects.
pub const OBJECTS: &str = "objects";
/// Bytes.
pub const BYTES: &str = "bytes";
/// The operation at AWS, as IAM names it.
pub const AWS_OPERATION: &str = "aws.operation";
/// The id of the invocation at Lambda.
pub const AWS_REQUEST_ID: &str = "aws.request_id";
/// The failure code.
pub const ERROR_CODE: &str = "error.code";
/// The failure's story.
pub const ERROR_DETAIL: &str = "error.detail";
/// How long it took, in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
