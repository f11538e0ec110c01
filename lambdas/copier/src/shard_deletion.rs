//! A mirror's deletions: the objects of the manifest, which names them at the target.

use shardlift_core::{
    access::denial::Denial,
    documents::manifest::Manifest,
    failure::{
        Failure, FailureCode, Scope,
        fault::{CallFault, FaultKind},
    },
    port::{Clock, ControlStore, DELETE_OBJECTS_MAX, Ledger, ObjectToDelete, TargetBucket},
    run::spec::RunSpec,
    shard::settled_objects::{ObjectOutcome, SettledObjects},
    value::{deadline::Deadline, object::ListedObject},
};

use crate::{
    checkpoints::CHECKPOINT_INTERVAL,
    gate::Gate,
    held_shard::{Footnotes, HeldShard},
    object_log,
    retries::{self, Retries},
    shard_copy::End,
};

/// Deletes the open objects of one shard.
pub(crate) struct ShardDeletion<'a, T, K> {
    pub(crate) target: &'a T,
    pub(crate) spec: &'a RunSpec,
    pub(crate) gate: &'a Gate,
    pub(crate) manifest: &'a Manifest,
    pub(crate) clock: &'a K,
    pub(crate) deadline: Deadline,
}

impl<T: TargetBucket, K: Clock> ShardDeletion<'_, T, K> {
    /// Deletes until every object is settled or no time is left; notes progress every few seconds.
    ///
    /// # Errors
    /// What concerns more than one object: the account holds what was settled before.
    pub(crate) async fn run<L: Ledger, C: ControlStore>(
        &self,
        held: &mut HeldShard<'_, L, C>,
        account: &mut SettledObjects,
        footnotes: &(impl Fn() -> Footnotes + Sync),
    ) -> Result<End, Failure> {
        let count = u32::try_from(self.manifest.objects.len())
            .map_err(|_| Failure::invariant("a manifest holds more than 2^32 objects"))?;
        let open: Vec<u32> = account.outcome().progress.open(count).collect();
        let mut checkpoint_due = self.clock.now().plus(CHECKPOINT_INTERVAL);
        for batch in open.chunks(DELETE_OBJECTS_MAX) {
            let time = self.deadline.work_left(self.clock.now());
            let Ok(outcomes) = tokio::time::timeout(time, self.delete(batch)).await else {
                return Ok(End::OutOfTime);
            };
            for (&index, outcome) in batch.iter().zip(outcomes?) {
                let object = self.object(index);
                object_log::log(self.manifest, object, &outcome);
                account.settle(index, object, outcome);
            }
            if self.clock.now() >= checkpoint_due {
                held.checkpoint(account, footnotes()).await?;
                checkpoint_due = self.clock.now().plus(CHECKPOINT_INTERVAL);
            }
        }
        Ok(End::Settled)
    }

    fn object(&self, index: u32) -> &ListedObject {
        &self.manifest.objects[index as usize]
    }

    /// The outcomes of a batch, in its order.
    async fn delete(&self, batch: &[u32]) -> Result<Vec<ObjectOutcome>, Failure> {
        let doomed: Vec<ObjectToDelete> = batch
            .iter()
            .map(|&index| self.doomed(index))
            .collect::<Result<_, _>>()?;
        let results = match self.call(&doomed).await {
            Ok(results) if results.len() == doomed.len() => results,
            Ok(_) => return Err(Failure::invariant("a deletion answered for other objects")),
            Err(fault) => vec![Err(fault); doomed.len()],
        };
        let mut outcomes = Vec::with_capacity(results.len());
        for (doomed, result) in doomed.iter().zip(results) {
            outcomes.push(self.outcome(doomed, result).await?);
        }
        Ok(outcomes)
    }

    /// Nothing outside the target prefix is touched (P2), whatever the manifest says.
    fn doomed(&self, index: u32) -> Result<ObjectToDelete, Failure> {
        let object = self.object(index);
        let prefix = &self.spec.pair.target.prefix;
        if object.key.relative_to(prefix).is_none() {
            return Err(Failure::invariant(format!(
                "{:?} is to be deleted and lies outside the target prefix {:?}",
                object.key.as_str(),
                prefix.as_str()
            )));
        }
        Ok(ObjectToDelete {
            key: object.key.clone(),
            etag: object.etag.clone(),
        })
    }

    /// Deleting is idempotent, so a lost answer is answered by asking again.
    async fn call(
        &self,
        doomed: &[ObjectToDelete],
    ) -> Result<Vec<Result<(), CallFault>>, CallFault> {
        let mut retries = Retries::new(self.gate);
        loop {
            let fault = match self.gate.write(self.target.delete_objects(doomed)).await {
                Ok(results) => return Ok(results),
                Err(fault) => fault,
            };
            match retries.delay_after(&fault) {
                Some(delay) => tokio::time::sleep(delay).await,
                None => return Err(fault),
            }
        }
    }

    async fn outcome(
        &self,
        doomed: &ObjectToDelete,
        result: Result<(), CallFault>,
    ) -> Result<ObjectOutcome, Failure> {
        let failure = match result {
            Ok(()) => return Ok(ObjectOutcome::Deleted),
            Err(fault) if fault.kind == FaultKind::NoSuchKey => return Ok(ObjectOutcome::Deleted),
            Err(fault) if fault.kind == FaultKind::ConditionFailed => {
                match retries::repeat(self.gate, || self.target.head_target(&doomed.key)).await {
                    Err(read) if read.kind == FaultKind::NoSuchKey => {
                        return Ok(ObjectOutcome::Deleted);
                    }
                    _ => written_since(doomed, &fault),
                }
            }
            Err(fault) if fault.kind == FaultKind::AccessDenied => self.denial(doomed, &fault),
            Err(fault) => fault.into_failure(),
        };
        if failure.code.scope() == Scope::Run {
            return Err(failure);
        }
        Ok(ObjectOutcome::Failed(failure))
    }

    fn denial(&self, doomed: &ObjectToDelete, fault: &CallFault) -> Failure {
        let target = &self.spec.pair.target;
        let partition = target.role_arn.partition();
        let resource = format!("arn:{partition}:s3:::{}/{}", target.bucket, doomed.key);
        Denial::at_target(target.role_arn.to_string(), "s3:DeleteObject", resource)
            .into_failure(fault)
    }
}

fn written_since(doomed: &ObjectToDelete, fault: &CallFault) -> Failure {
    Failure::new(
        FailureCode::TargetConflict,
        format!(
            "it was planned for deletion with ETag {} and written since; it was left as it is: {fault}",
            doomed.etag
        ),
    )
}
