//! A mirror's deletions: the objects of the manifest, which names them at the target.

use shardlift_core::{
    access::denial::Denial,
    documents::manifest::Manifest,
    failure::{
        Failure, FailureCode, Scope,
        fault::{CallFault, FaultKind},
    },
    port::{DELETE_OBJECTS_MAX, ObjectToDelete, TargetBucket},
    shard::settled_objects::ObjectOutcome,
    value::object::ListedObject,
};

use super::{object_work::ObjectWork, target_calls::TargetCalls};

/// Deletes the objects of a manifest.
pub(crate) struct Deletions<'a, T> {
    pub(crate) calls: TargetCalls<'a, T>,
    pub(crate) manifest: &'a Manifest,
}

impl<T: TargetBucket> ObjectWork for Deletions<'_, T> {
    const OBJECTS_PER_STEP: usize = DELETE_OBJECTS_MAX;
    const STEPS_IN_FLIGHT_MAX: usize = 1;
    type Outcomes = Vec<(u32, ObjectOutcome)>;

    async fn take_step(&self, indices: &[u32]) -> Result<Self::Outcomes, Failure> {
        let objects: Vec<ObjectToDelete> = indices
            .iter()
            .map(|&index| self.to_delete(&self.manifest.objects[index as usize]))
            .collect::<Result<_, _>>()?;
        let calls = &self.calls;
        // Deleting is idempotent, so it is retried when the response was lost.
        let results = match calls.write(|| calls.target.delete_objects(&objects)).await {
            Ok(results) if results.len() == objects.len() => results,
            Ok(_) => return Err(Failure::invariant("a deletion returned other objects")),
            Err(fault) => vec![Err(fault); objects.len()],
        };
        let mut outcomes = Vec::with_capacity(results.len());
        for ((&index, object), result) in indices.iter().zip(&objects).zip(results) {
            outcomes.push((index, self.outcome(object, result).await?));
        }
        Ok(outcomes)
    }
}

impl<T: TargetBucket> Deletions<'_, T> {
    /// Nothing outside the target prefix is touched (P2), whatever the manifest says.
    fn to_delete(&self, object: &ListedObject) -> Result<ObjectToDelete, Failure> {
        let prefix = &self.calls.spec.pair.target.prefix;
        if object.key.relative_to(prefix).is_none() {
            return Err(Failure::invariant(format!(
                "{:?} is planned for deletion and lies outside the target prefix {:?}",
                object.key.as_str(),
                prefix.as_str()
            )));
        }
        Ok(ObjectToDelete {
            key: object.key.clone(),
            etag: object.etag.clone(),
        })
    }

    async fn outcome(
        &self,
        object: &ObjectToDelete,
        result: Result<(), CallFault>,
    ) -> Result<ObjectOutcome, Failure> {
        let calls = &self.calls;
        let failure = match result {
            Ok(()) => return Ok(ObjectOutcome::Deleted),
            Err(fault) if fault.kind == FaultKind::NoSuchKey => return Ok(ObjectOutcome::Deleted),
            Err(fault) if fault.kind == FaultKind::ConditionFailed => {
                match calls.read(|| calls.target.head_target(&object.key)).await {
                    Err(read) if read.kind == FaultKind::NoSuchKey => {
                        return Ok(ObjectOutcome::Deleted);
                    }
                    _ => written_since(object, &fault),
                }
            }
            Err(fault) if fault.kind == FaultKind::AccessDenied => self.denied(object, &fault),
            Err(fault) => fault.into(),
        };
        if failure.code.scope() == Scope::Run {
            return Err(failure);
        }
        Ok(ObjectOutcome::Failed(failure))
    }

    fn denied(&self, object: &ObjectToDelete, fault: &CallFault) -> Failure {
        let target = &self.calls.spec.pair.target;
        let partition = target.role_arn.partition();
        let resource = format!("arn:{partition}:s3:::{}/{}", target.bucket, object.key);
        Denial::at_target(target.role_arn.to_string(), "s3:DeleteObject", resource)
            .into_failure(fault)
    }
}

fn written_since(object: &ObjectToDelete, fault: &CallFault) -> Failure {
    Failure::new(
        FailureCode::TargetConflict,
        format!(
            "it was planned for deletion with ETag {} and written since; it was not deleted: {fault}",
            object.etag
        ),
    )
}
