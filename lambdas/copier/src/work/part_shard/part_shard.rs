//! One part shard, from the common upload to what comes next.

use std::ops::RangeInclusive;

use shardlift_core::{
    access::missing_permission::MissingPermission,
    copy::part_layout::{PartLayout, PartNumber},
    documents::manifest::Manifest,
    failure::{
        Failure, Retry, Scope,
        fault::{CallFault, FaultKind},
    },
    port::{Clock, TargetBucket},
    shard::ShardState,
    value::{
        deadline::Deadline,
        id::{ShardId, UploadId},
    },
};

use super::whole_record::{CommonUpload, WRITES_MAX, WholeRecord};
use shardlift_worker::{
    ports::{Connections, Ports, Target},
    work::{ObjectContext, PlannedObject},
};

use crate::work::multipart::{UploadCreation, UploadParts, UploadSharing};

/// What comes after a part shard has copied.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PartShardEnd {
    /// Nothing: other part shards are under way, or the object has its outcome.
    Finished,
    /// It was the last: the object of this whole can be assembled.
    Assemble(ShardId),
    /// The deadline came first.
    OutOfTime,
}

/// How copying the parts of this shard ended.
enum PartsEnd {
    /// They are all there.
    AllThere,
    /// They cannot be copied, or need not be any more. The whole finds out why, and gives the object its outcome.
    GivenUp,
    /// The deadline came first.
    OutOfTime,
}

/// Copies some parts of one very large object.
pub(crate) struct PartShard<'a, P: Ports> {
    pub(crate) context: ObjectContext<'a, Target<P>>,
    pub(crate) ports: &'a Connections<P>,
    pub(crate) deadline: Deadline,
    /// The manifest of the whole: one object.
    pub(crate) manifest: &'a Manifest,
    /// Its number among the part shards of the whole.
    pub(crate) number: u32,
    /// The numbers of its parts.
    pub(crate) parts: RangeInclusive<u32>,
}

impl<P: Ports> PartShard<'_, P> {
    /// Copies the parts of this shard, and records in the whole that it is finished.
    ///
    /// # Errors
    /// What another invocation or another round may heal, and what concerns more than this object.
    pub(crate) async fn run(&self) -> Result<PartShardEnd, Failure> {
        let record = WholeRecord {
            ledger: &self.ports.ledger,
            run_id: &self.manifest.run_id,
            whole_id: &self.manifest.shard_id,
        };
        let whole = match self.copy_parts(&record).await? {
            PartsEnd::OutOfTime => return Ok(PartShardEnd::OutOfTime),
            PartsEnd::AllThere => record.finish(|_| self.number..self.number + 1).await?,
            PartsEnd::GivenUp => record.finish(|part_shards| 0..part_shards).await?,
        };
        // A copier that holds the whole already may be this one, cut off before it saw the response to its claim. Should it
        // be another, alive, then the later claim wins, and both find the same parts.
        Ok(
            if whole.state == ShardState::Done || !whole.is_ready_to_assemble() {
                PartShardEnd::Finished
            } else {
                PartShardEnd::Assemble(whole.shard_id)
            },
        )
    }

    async fn copy_parts(&self, record: &WholeRecord<'_, P::Ledger>) -> Result<PartsEnd, Failure> {
        let (context, spec) = (&self.context, self.context.calls.spec);
        let [object] = self.manifest.objects.as_slice() else {
            return Err(Failure::invariant("an object in part shards is not alone"));
        };
        // Nothing can be copied, and the whole says why.
        if object.storage.is_archived {
            return Ok(PartsEnd::GivenUp);
        }
        let planned = match PlannedObject::new(spec, 0, object) {
            Ok(planned) => planned,
            Err(failure) => return given_up(failure),
        };
        let layout = PartLayout::new(object.size_bytes, spec.part_bytes)
            .map_err(|error| Failure::invariant(error.to_string()))?;
        let upload_id = match self.common_upload(record, &planned).await {
            Ok(Some(upload_id)) => upload_id,
            Ok(None) => return Ok(PartsEnd::AllThere),
            Err(failure) => return given_up(failure),
        };
        let parts = UploadParts {
            context,
            planned: &planned,
            layout: &layout,
            upload_id: &upload_id,
        };
        let mut there = match parts.list().await {
            Ok(Some(there)) => there,
            Ok(None) => return Ok(PartsEnd::GivenUp),
            Err(failure) => return given_up(failure),
        };
        there.retain(|part| self.parts.contains(&part.number.get()));
        // Near the deadline no more parts are begun, and those in flight end.
        let clock = &self.ports.clock;
        let wanted = self
            .parts
            .clone()
            .take_while(|_| !self.deadline.is_near(clock.now()))
            .filter_map(|number| PartNumber::new(number).ok())
            .filter_map(|number| layout.part(number));
        let time = self.deadline.drain_left(clock.now());
        match tokio::time::timeout(time, parts.copy_missing(wanted, there)).await {
            Ok(Ok(copied)) if copied.len() == self.parts.clone().count() => Ok(PartsEnd::AllThere),
            Ok(Err(fault)) => self.gone_or_given_up(fault, &planned).await,
            Ok(Ok(_)) | Err(_) => Ok(PartsEnd::OutOfTime),
        }
    }

    /// The one upload of the object, created by whichever part shard comes first; nothing when this shard's parts are
    /// not needed any more.
    async fn common_upload(
        &self,
        record: &WholeRecord<'_, P::Ledger>,
        planned: &PlannedObject,
    ) -> Result<Option<UploadId>, Failure> {
        let (context, calls) = (&self.context, &self.context.calls);
        let creation = UploadCreation {
            context,
            planned,
            sharing: UploadSharing::PartShards,
        };
        for _ in 0..WRITES_MAX {
            let whole = match record.common_upload(self.number).await? {
                CommonUpload::Open(upload_id) => return Ok(Some(upload_id)),
                CommonUpload::Unneeded => return Ok(None),
                CommonUpload::Missing(whole) => whole,
            };
            let upload = creation.run().await?;
            let upload_id = upload.upload_id.clone();
            if record.name_upload(&whole, upload).await? {
                return Ok(Some(upload_id));
            }
            calls
                .read(|| calls.target.abort_upload(&planned.target_key, &upload_id))
                .await
                .map_err(|fault| {
                    context.explain_with(MissingPermission::AbortUpload, planned, &fault)
                })?;
        }
        Err(record.contended())
    }

    /// An upload that is gone was completed or given up by another copier, or removed by somebody: the whole finds out.
    async fn gone_or_given_up(
        &self,
        fault: CallFault,
        planned: &PlannedObject,
    ) -> Result<PartsEnd, Failure> {
        if fault.kind == FaultKind::NoSuchUpload {
            return Ok(PartsEnd::GivenUp);
        }
        given_up(self.context.explain(fault, planned).await)
    }
}

/// What a failure means here: one that another attempt may heal is left to another invocation or another round, with every
/// part that is there already; any other is the object's, and the whole reports it.
fn given_up(failure: Failure) -> Result<PartsEnd, Failure> {
    if failure.code.scope() == Scope::Run || failure.code.retry() == Retry::Later {
        Err(failure)
    } else {
        Ok(PartsEnd::GivenUp)
    }
}
