//! A mirror's deletions: the objects of the manifest, which names them at the target.

use std::sync::{Mutex, MutexGuard, PoisonError};

use shardlift_core::{
    access::missing_permission::MissingPermission,
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
        let results = self.delete(&objects).await?;
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

    /// Deletes the objects, and returns what became of each. Deleting is idempotent, so it is retried when the response was
    /// lost, and again for the keys alone that fail temporarily in a response that succeeds for others.
    async fn delete(
        &self,
        objects: &[ObjectToDelete],
    ) -> Result<Vec<Result<(), CallFault>>, Failure> {
        let calls = &self.calls;
        let settled = Mutex::new(vec![None; objects.len()]);
        let attempt = || async {
            let is_open = |index: &usize| lock(&settled)[*index].is_none();
            let open: Vec<usize> = (0..objects.len()).filter(is_open).collect();
            let batch: Vec<ObjectToDelete> =
                open.iter().map(|&index| objects[index].clone()).collect();
            let results = calls.target.delete_objects(&batch).await?;
            if results.len() != batch.len() {
                return Ok(Err(Failure::invariant("a deletion returned other objects")));
            }
            let mut temporary = None;
            for (index, result) in open.into_iter().zip(results) {
                match result {
                    Err(fault) if fault.is_transient() => temporary = Some(fault),
                    result => lock(&settled)[index] = Some(result),
                }
            }
            temporary.map_or(Ok(Ok(())), Err)
        };
        let last_fault = match calls.write(attempt).await {
            Ok(taken) => {
                taken?;
                None
            }
            Err(fault) => Some(fault),
        };
        settled
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .into_iter()
            .map(|result| match (result, &last_fault) {
                (Some(result), _) => Ok(result),
                (None, Some(fault)) => Ok(Err(fault.clone())),
                (None, None) => Err(Failure::invariant("a deletion has no result")),
            })
            .collect()
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
        MissingPermission::DeleteObject
            .denial_on(self.calls.spec, &object.key)
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
