//! Some parts of one very large object: all its part shards copy into one upload, and the last one puts it together.
//!
//! The record of the whole object decides. The upload that it names first is the upload, another one that was created
//! meanwhile is aborted. A part shard that is through is noted there, and whoever finds all of them noted takes the whole
//! as an ordinary shard: goes on with its upload, finds every part in it, and completes it.

use std::{
    ops::{Range, RangeInclusive},
    time::Duration,
};

use shardlift_core::{
    access::diagnosis::MissingPermission,
    copy::{
        part_layout::{PartLayout, PartNumber},
        part_shards,
    },
    failure::{
        Failure, FailureCode, Retry, Scope,
        fault::{CallFault, FaultKind},
    },
    port::{Accounts, Clock, ControlStore, Ledger, PutOutcome, TargetBucket},
    run::event::{CopierEvent, CopierStatus},
    shard::{ShardEvent, ShardRecord, ShardState, ShardWork, settled_objects::SettledObjects},
    value::{
        id::{ShardId, UploadId},
        object::ListedObject,
    },
};

use crate::{
    copier::{Copier, Job},
    denials::Denials,
    held_shard::HeldShard,
    multipart_copy::is_of_layout,
    object_copy::{ObjectCopy, Planned},
    shard_copy::End,
    uploads::Uploads,
};

/// How often a write to the whole's record is tried against the other part shards, of which there are at most 64.
const WRITES_MAX: u32 = 200;
const WRITE_DELAY_MAX: Duration = Duration::from_millis(200);

/// How copying the parts of this shard ended.
enum PartsEnd {
    /// They are all there.
    AllThere,
    /// They cannot be copied, or need not be any more. The whole finds out why, and accounts for it.
    GivenUp,
    /// The deadline came first.
    OutOfTime,
}

impl<A: Accounts, L: Ledger, C: ControlStore, K: Clock> Copier<A, L, C, K> {
    /// Copies the parts of this shard, and puts the object together when they were the last.
    pub(crate) async fn copy_parts<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        held: HeldShard<'_, L, C>,
        account: SettledObjects,
        numbers: RangeInclusive<u32>,
    ) -> Result<CopierStatus, Failure> {
        let end = self.copy_and_assemble(job, numbers).await;
        let notes = self.footnotes(job, Vec::new());
        self.close(job, held, &account, notes, end).await
    }

    async fn copy_and_assemble<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        numbers: RangeInclusive<u32>,
    ) -> Result<End, Failure> {
        let (whole_id, number) = part_shards::whole_of(&job.event.shard_id)?;
        let manifest = self.read_manifest(&job.event.run_id, &whole_id).await?;
        let [object] = manifest.objects.as_slice() else {
            return Err(Failure::invariant("an object in part shards is not alone"));
        };
        let whole = match self
            .copy_own_parts(job, &whole_id, number, object, numbers)
            .await?
        {
            PartsEnd::OutOfTime => return Ok(End::OutOfTime),
            PartsEnd::AllThere => {
                self.note_through(job.event, &whole_id, number..number + 1)
                    .await?
            }
            PartsEnd::GivenUp => {
                let all = 0..self.read_whole(job.event, &whole_id).await?.1;
                self.note_through(job.event, &whole_id, all).await?
            }
        };
        // A copier that holds the whole already may be this one, cut off before it heard that it does. Should it be
        // another, alive, then the later claim wins, and both find the same parts.
        if whole.state == ShardState::Done || !whole.is_ready_to_assemble() {
            return Ok(End::Settled);
        }
        let event = CopierEvent {
            shard_id: whole_id,
            ..job.event.clone()
        };
        match Box::pin(self.work(&event, job.deadline)).await {
            Ok(CopierStatus::Done) => Ok(End::Settled),
            Ok(CopierStatus::Yield) => Ok(End::OutOfTime),
            // Another copier has taken the whole over and answers for it. The parts of this shard are noted.
            Err(failure) if failure.code == FailureCode::LedgerConflict => Ok(End::Settled),
            Err(failure) => Err(failure),
        }
    }

    async fn copy_own_parts<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        whole_id: &ShardId,
        number: u32,
        object: &ListedObject,
        numbers: RangeInclusive<u32>,
    ) -> Result<PartsEnd, Failure> {
        let (denials, uploads) = (Denials::default(), Uploads::resume(&[]));
        let objects = ObjectCopy {
            target: job.target,
            spec: &job.run.spec,
            gate: self.gate(),
            denials: &denials,
            uploads: &uploads,
            is_resumed: false,
            has_part_shards: true,
        };
        let planned = match objects.planned(0, object) {
            Ok(planned) => planned,
            Err(failure) => return given_up(failure),
        };
        let layout = PartLayout::new(object.size_bytes, job.run.spec.part_bytes)
            .map_err(|error| Failure::invariant(error.to_string()))?;
        let upload_id = match self
            .common_upload(job, whole_id, number, &objects, &planned)
            .await
        {
            Ok(Some(upload_id)) => upload_id,
            Ok(None) => return Ok(PartsEnd::AllThere),
            Err(failure) => return given_up(failure),
        };
        let listed = objects
            .repeat(|| job.target.list_parts(&planned.target_key, &upload_id))
            .await;
        let there = match listed {
            Ok(parts) => parts
                .into_iter()
                .filter(|part| numbers.contains(&part.number.get()) && is_of_layout(part, &layout))
                .collect(),
            Err(fault) if fault.kind == FaultKind::AccessDenied => {
                let permission = MissingPermission::ListParts;
                return given_up(objects.lacking(permission, &planned, &fault));
            }
            Err(fault) => return gone_or_given_up(&objects, fault, &planned).await,
        };
        // Near the deadline no more parts are begun, and those in flight end.
        let count = numbers.clone().count();
        let parts = numbers
            .take_while(|_| !self.is_near(job.deadline))
            .filter_map(|number| PartNumber::new(number).ok())
            .filter_map(|number| layout.part(number));
        let copying = objects.copy_missing(&planned, parts, &upload_id, there);
        match tokio::time::timeout(self.drain_left(job.deadline), copying).await {
            Ok(Ok(parts)) if parts.len() == count => Ok(PartsEnd::AllThere),
            Ok(Err(fault)) => gone_or_given_up(&objects, fault, &planned).await,
            Ok(Ok(_)) | Err(_) => Ok(PartsEnd::OutOfTime),
        }
    }

    /// The one upload of the object, created by whichever part shard comes first; nothing when this shard's parts are
    /// not needed any more.
    async fn common_upload<T: TargetBucket>(
        &self,
        job: &Job<'_, T>,
        whole_id: &ShardId,
        number: u32,
        objects: &ObjectCopy<'_, T>,
        planned: &Planned,
    ) -> Result<Option<UploadId>, Failure> {
        for _ in 0..WRITES_MAX {
            let (whole, _) = self.read_whole(job.event, whole_id).await?;
            if whole.state != ShardState::Ready || whole.finished_part_shards.is_settled(number) {
                return Ok(None);
            }
            if let Some(upload) = whole.outcome.uploads.first() {
                return Ok(Some(upload.upload_id.clone()));
            }
            let upload = objects.create_upload(planned).await?;
            let upload_id = upload.upload_id.clone();
            let event = ShardEvent::OpenUpload(upload);
            if self.write_whole(&whole, event).await?.is_some() {
                return Ok(Some(upload_id));
            }
            objects
                .repeat(|| job.target.abort_upload(&planned.target_key, &upload_id))
                .await
                .map_err(|fault| {
                    objects.lacking(MissingPermission::AbortUpload, planned, &fault)
                })?;
        }
        Err(contended(whole_id))
    }

    /// Notes that these part shards are through, and returns the whole as it is then.
    async fn note_through(
        &self,
        event: &CopierEvent,
        whole_id: &ShardId,
        numbers: Range<u32>,
    ) -> Result<ShardRecord, Failure> {
        for _ in 0..WRITES_MAX {
            let (whole, _) = self.read_whole(event, whole_id).await?;
            let is_noted = numbers
                .clone()
                .all(|number| whole.finished_part_shards.is_settled(number));
            if is_noted || whole.state != ShardState::Ready {
                return Ok(whole);
            }
            let through = ShardEvent::FinishPartShards {
                numbers: numbers.clone(),
            };
            if let Some(written) = self.write_whole(&whole, through).await? {
                return Ok(written);
            }
            tokio::time::sleep(WRITE_DELAY_MAX.mul_f64(fastrand::f64())).await;
        }
        Err(contended(whole_id))
    }

    /// The whole's record, and how many part shards it has.
    async fn read_whole(
        &self,
        event: &CopierEvent,
        whole_id: &ShardId,
    ) -> Result<(ShardRecord, u32), Failure> {
        let whole = self
            .ledger
            .read_shard(&event.run_id, whole_id)
            .await
            .map_err(CallFault::into_failure)?;
        match whole {
            Some(record) => match record.work {
                ShardWork::AssembleObject { part_shards } => Ok((record, part_shards)),
                _ => Err(Failure::invariant(format!("{whole_id} has no part shards"))),
            },
            None => Err(Failure::invariant(format!("the whole {whole_id} is gone"))),
        }
    }

    /// The whole as written, or nothing when another part shard wrote it first.
    async fn write_whole(
        &self,
        whole: &ShardRecord,
        event: ShardEvent,
    ) -> Result<Option<ShardRecord>, Failure> {
        let next = whole
            .apply(event)
            .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
        let written = self
            .ledger
            .replace_shard(&next)
            .await
            .map_err(CallFault::into_failure)?;
        Ok((written == PutOutcome::Written).then_some(next))
    }
}

/// What a failure means here: one that time may heal is tried again, by another invocation or in another round, with
/// every part that is there already; any other is the object's, and the whole accounts for it.
fn given_up(failure: Failure) -> Result<PartsEnd, Failure> {
    if failure.code.scope() == Scope::Run || failure.code.retry() == Retry::Later {
        Err(failure)
    } else {
        Ok(PartsEnd::GivenUp)
    }
}

/// An upload that is gone was completed or given up by another copier, or removed by somebody: the whole finds out.
async fn gone_or_given_up<T: TargetBucket>(
    objects: &ObjectCopy<'_, T>,
    fault: CallFault,
    planned: &Planned,
) -> Result<PartsEnd, Failure> {
    if fault.kind == FaultKind::NoSuchUpload {
        return Ok(PartsEnd::GivenUp);
    }
    given_up(objects.explain(fault, planned).await)
}

fn contended(whole_id: &ShardId) -> Failure {
    Failure::new(
        FailureCode::LedgerConflict,
        format!("the record of {whole_id} is written by others without end"),
    )
}
