//! Why a call was refused, found out by asking and remembered.

use shardlift_aws::telemetry::field;
use shardlift_core::{
    access::missing_permission::MissingPermission,
    failure::fault::{CallFault, FaultKind},
    port::TargetBucket,
    run::option::TagPolicy,
    value::key::ObjectKey,
};
use tokio::sync::Mutex;

use crate::object_copy::ObjectCopy;

/// How many refused objects of a shard are probed; the others are told as the last of these. Policies refuse prefixes
/// and actions, hardly single objects, and 10,000 refused objects must not cost 20,000 probes.
const PROBED_OBJECTS_MAX: u32 = 8;

/// What was found out about refused calls in this shard.
#[derive(Default)]
pub(crate) struct Denials {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    probed: u32,
    last: Option<MissingPermission>,
}

/// A finding about a refused call.
pub(crate) enum Finding {
    /// This permission is missing.
    Missing(MissingPermission),
    /// The source object does not exist (any more): S3 refuses what it may not even deny.
    SourceMissing,
}

impl Denials {
    /// Finds out what a refused copy of `source_key` lacked: AWS's answer says it, or calls that change nothing do. One
    /// object at a time, so that those refused together learn from the first ones.
    pub(crate) async fn find<T: TargetBucket>(
        &self,
        objects: &ObjectCopy<'_, T>,
        source_key: &ObjectKey,
        refusal: &CallFault,
    ) -> Finding {
        let said = refusal.reason.as_ref();
        if let Some(permission) =
            said.and_then(|said| MissingPermission::of_reason(said, objects.spec))
        {
            return Finding::Missing(permission);
        }
        let mut known = self.known.lock().await;
        if let (Some(last), true) = (known.last, known.probed >= PROBED_OBJECTS_MAX) {
            return Finding::Missing(last);
        }
        let finding = probe(objects, source_key).await;
        if let Finding::Missing(permission) = finding {
            known.probed += 1;
            known.last = Some(permission);
        }
        finding
    }
}

/// Reading first, since without it nothing can be copied; what reading does not explain is the writing side's.
async fn probe<T: TargetBucket>(objects: &ObjectCopy<'_, T>, source_key: &ObjectKey) -> Finding {
    let ObjectCopy { target, spec, .. } = objects;
    let mut carries_tags = false;
    match objects.repeat(|| target.head_source(source_key)).await {
        Err(fault) if fault.kind == FaultKind::AccessDenied => {
            return Finding::Missing(MissingPermission::ReadObject);
        }
        Err(fault) if fault.kind == FaultKind::NoSuchKey => return Finding::SourceMissing,
        Err(fault) => log_probe(&fault),
        Ok(_) => {}
    }
    if spec.tags == TagPolicy::Preserve {
        match objects.repeat(|| target.source_tags(source_key)).await {
            Err(fault) if fault.kind == FaultKind::AccessDenied => {
                return Finding::Missing(MissingPermission::ReadTags);
            }
            Err(fault) => log_probe(&fault),
            Ok(tags) => carries_tags = !tags.is_empty(),
        }
    }
    Finding::Missing(MissingPermission::of_write(spec, carries_tags))
}

/// A probe that fails otherwise explains nothing; the refusal itself is reported all the same.
fn log_probe(fault: &CallFault) {
    tracing::warn!({ field::AWS_OPERATION } = fault.operation, { field::ERROR_DETAIL } = %fault, "a probe after a refused call failed");
}
