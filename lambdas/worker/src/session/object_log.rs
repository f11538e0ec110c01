//! A line for each object at DEBUG; the summary of the shard is at INFO.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    documents::manifest::Manifest,
    shard::settled_objects::ObjectOutcome,
    value::{object::ListedObject, skips::SkipReason},
};

/// Logs the outcome of an object of `shard`: its key and size, never its bytes (P10).
pub(super) fn log(shard: &Manifest, object: &ListedObject, outcome: &ObjectOutcome) {
    let (name, failure) = match outcome {
        ObjectOutcome::Copied(_, copy) if copy.newer.is_some() => ("copied_newer", None),
        ObjectOutcome::Copied(..) => ("copied", None),
        ObjectOutcome::Deleted => ("deleted", None),
        ObjectOutcome::Skipped(SkipReason::BackAtSource) => ("back_at_source", None),
        ObjectOutcome::Skipped(SkipReason::Archived) => ("archived", None),
        ObjectOutcome::Skipped(_) => ("skipped", None),
        ObjectOutcome::Failed(failure) => ("failed", Some(failure)),
    };
    tracing::debug!(
        { field::RUN_ID } = %shard.run_id,
        { field::SHARD_ID } = %shard.shard_id,
        { field::OBJECT_KEY } = object.key.as_str(),
        { field::OBJECT_SIZE_BYTES } = object.size_bytes,
        { field::OBJECT_OUTCOME } = name,
        { field::ERROR_CODE } = failure.map(|failure| failure.code.name()),
        { field::ERROR_DETAIL } = failure.map(|failure| failure.detail.as_str()),
        "object settled"
    );
}
