//! The names of the log fields that several messages share, used as `tracing::info!({ field::RUN_ID } = %run_id, "…")`.

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
/// The outcome of the object.
pub const OBJECT_OUTCOME: &str = "object.outcome";
/// The number of objects.
pub const OBJECTS: &str = "objects";
/// The number of bytes.
pub const BYTES: &str = "bytes";
/// The AWS operation as IAM names it.
pub const AWS_OPERATION: &str = "aws.operation";
/// The request id of the Lambda invocation.
pub const AWS_REQUEST_ID: &str = "aws.request_id";
/// The failure code.
pub const ERROR_CODE: &str = "error.code";
/// The failure's message.
pub const ERROR_DETAIL: &str = "error.detail";
/// The duration in milliseconds.
pub const DURATION_MS: &str = "duration_ms";
