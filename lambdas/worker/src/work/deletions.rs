//! A mirror's deletions: the objects of the manifest, which names them at the target.
//!
//! The source was listed before the copies were made, perhaps hours ago. So each key is looked for once more right before
//! the request that deletes it: what is back at the source stays.

use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future;
use shardlift_core::{
    access::missing_permission::MissingPermission,
    documents::manifest::Manifest,
    failure::{
        Failure, FailureCode, Scope,
        fault::{CallFault, FaultKind},
    },
    port::{DELETE_OBJECTS_MAX, ObjectToDelete, TargetBucket},
    shard::settled_objects::ObjectOutcome,
    value::{object::ListedObject, skips::SkipReason},
};

use super::{object_work::ObjectWork, target_calls::TargetCalls};

/// Deletes the objects of a manifest.
pub struct Deletions<'a, T> {
    /// The calls.
    pub calls: TargetCalls<'a, T>,
    /// The objects.
    pub manifest: &'a Manifest,
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
        // The gate bounds how many are in flight.
        let looks = future::try_join_all(objects.iter().map(|object| self.look(object))).await?;
        let mut outcomes = Vec::with_capacity(objects.len());
        let (mut gone_indices, mut gone) = (Vec::new(), Vec::new());
        for ((&index, object), look) in indices.iter().zip(objects).zip(looks) {
            match look {
                Some(outcome) => outcomes.push((index, outcome)),
                None => {
                    gone_indices.push(index);
                    gone.push(object);
                }
            }
        }
        if gone.is_empty() {
            return Ok(outcomes);
        }
        let results = self.delete(&gone).await?;
        for ((index, object), result) in gone_indices.into_iter().zip(&gone).zip(results) {
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

    /// Looks for the key at the source, and returns the outcome of an object that is not to be deleted: the source has it
    /// again, or does not say whether it does.
    async fn look(&self, object: &ObjectToDelete) -> Result<Option<ObjectOutcome>, Failure> {
        let calls = &self.calls;
        // The source cannot have a key that would be too long.
        let Some(Ok(key)) = calls.spec.pair.source_key(&object.key) else {
            return Ok(None);
        };
        let failure = match calls.read(|| calls.target.head_source((&key).into())).await {
            Ok(_) => return Ok(Some(ObjectOutcome::Skipped(SkipReason::BackAtSource))),
            Err(fault) if fault.kind == FaultKind::NoSuchKey => return Ok(None),
            Err(fault) if fault.kind == FaultKind::AccessDenied => MissingPermission::ReadObject
                .denial_on(calls.spec, &key)
                .into_failure(&fault),
            Err(fault) => fault.into(),
        };
        failed(failure.within("looking for it at the source, before deleting it")).map(Some)
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
        failed(failure)
    }

    fn denied(&self, object: &ObjectToDelete, fault: &CallFault) -> Failure {
        MissingPermission::DeleteObject
            .denial_on(self.calls.spec, &object.key)
            .into_failure(fault)
    }
}

/// The outcome of an object that failed, unless the failure concerns the run.
fn failed(failure: Failure) -> Result<ObjectOutcome, Failure> {
    if failure.code.scope() == Scope::Run {
        return Err(failure);
    }
    Ok(ObjectOutcome::Failed(failure))
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
