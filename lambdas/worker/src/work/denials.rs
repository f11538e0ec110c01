//! Why a call was refused, as probes found out and as this shard remembers.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::missing_permission::MissingPermission,
    failure::fault::{CallFault, FaultKind},
    port::{ObjectRef, TargetBucket},
    run::option::TagPolicy,
};
use tokio::sync::Mutex;

use super::target_calls::TargetCalls;

/// How many refused objects of a shard are probed; the others are reported like the last of these. Policies refuse prefixes
/// and actions, hardly single objects, and 10,000 refused objects must not cost 20,000 probes.
const PROBED_OBJECTS_MAX: u32 = 8;

/// What was found out about refused calls in this shard.
#[derive(Default)]
pub(super) struct Denials {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    probed: u32,
    last: Option<MissingPermission>,
}

/// A finding about a refused call.
pub(super) enum Finding {
    /// This permission is missing.
    Missing(MissingPermission),
    /// The source object does not exist (any more): S3 refuses what it may not even deny.
    SourceMissing,
}

impl Denials {
    /// Finds out what a refused copy of `source` lacked: the response says it, or calls that change nothing show it. One
    /// object at a time, so that those refused together learn from the first ones.
    pub(super) async fn find<T: TargetBucket>(
        &self,
        calls: &TargetCalls<'_, T>,
        source: ObjectRef<'_>,
        refusal: &CallFault,
    ) -> Finding {
        let reason = refusal.reason.as_ref();
        if let Some(permission) =
            reason.and_then(|reason| MissingPermission::of_reason(reason, calls.spec))
        {
            return Finding::Missing(permission);
        }
        let mut known = self.known.lock().await;
        if let (Some(last), true) = (known.last, known.probed >= PROBED_OBJECTS_MAX) {
            return Finding::Missing(last);
        }
        let finding = probe(calls, source).await;
        if let Finding::Missing(permission) = finding {
            known.probed += 1;
            known.last = Some(permission);
        }
        finding
    }
}

/// Reading first, since nothing can be copied without it; what reading does not explain is a matter of writing.
async fn probe<T: TargetBucket>(calls: &TargetCalls<'_, T>, source: ObjectRef<'_>) -> Finding {
    let TargetCalls { target, spec, .. } = calls;
    let mut carries_tags = false;
    match calls.read(|| target.head_source(source)).await {
        Err(fault) if fault.kind == FaultKind::AccessDenied => {
            return Finding::Missing(MissingPermission::of_reading(source));
        }
        Err(fault) if fault.kind == FaultKind::NoSuchKey => return Finding::SourceMissing,
        Err(fault) => log_probe(&fault),
        Ok(_) => {}
    }
    if spec.tags == TagPolicy::Preserve {
        match calls.read(|| target.source_tags(source)).await {
            Err(fault) if fault.kind == FaultKind::AccessDenied => {
                return Finding::Missing(MissingPermission::of_reading_tags(source));
            }
            Err(fault) => log_probe(&fault),
            Ok(tags) => carries_tags = !tags.is_empty(),
        }
    }
    Finding::Missing(MissingPermission::of_write(spec, carries_tags))
}

/// A probe that fails otherwise explains nothing; the refusal itself is reported anyway.
fn log_probe(fault: &CallFault) {
    tracing::warn!({ field::AWS_OPERATION } = fault.operation, { field::ERROR_DETAIL } = %fault, "a probe after a refused call failed");
}
