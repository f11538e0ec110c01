//! The record of an object in part shards, which all of them write.

use std::{ops::Range, time::Duration};

use shardlift_core::{
    failure::{Failure, FailureCode},
    port::{Ledger, PutOutcome},
    shard::{OpenUpload, ShardEvent, ShardRecord, ShardState, ShardWork},
    value::id::{RunId, ShardId, UploadId},
};

/// How often a write is attempted against the other part shards, of which there are at most 64.
pub(super) const WRITES_MAX: u32 = 200;
const WRITE_DELAY_MAX: Duration = Duration::from_millis(200);

/// The record of the whole, as one of its part shards reads and writes it.
pub(super) struct WholeRecord<'a, L> {
    pub(super) ledger: &'a L,
    pub(super) run_id: &'a RunId,
    pub(super) whole_id: &'a ShardId,
}

/// Whether a part shard must copy its parts, and into what.
pub(super) enum CommonUpload {
    /// Into this upload.
    Open(UploadId),
    /// Into one that is to be created: the record, before it names one.
    Missing(Box<ShardRecord>),
    /// Its parts are not needed any more.
    Unneeded,
}

impl<L: Ledger> WholeRecord<'_, L> {
    /// The upload that the part shard with this `number` copies into.
    ///
    /// # Errors
    /// `InvariantViolated` when the whole is gone, and ledger faults.
    pub(super) async fn common_upload(&self, number: u32) -> Result<CommonUpload, Failure> {
        let (whole, _) = self.read().await?;
        if whole.state != ShardState::Ready || whole.finished_part_shards.is_settled(number) {
            return Ok(CommonUpload::Unneeded);
        }
        Ok(match whole.outcome.uploads.first() {
            // The source changed, and whoever holds the whole copies its newer version alone: the parts of this shard are of
            // the planned one.
            Some(upload) if upload.newer.is_some() => CommonUpload::Unneeded,
            Some(upload) => CommonUpload::Open(upload.upload_id.clone()),
            None => CommonUpload::Missing(Box::new(whole)),
        })
    }

    /// Names the upload in the record; returns whether it does now, and not because another part shard was faster.
    ///
    /// # Errors
    /// Ledger faults.
    pub(super) async fn name_upload(
        &self,
        whole: &ShardRecord,
        upload: OpenUpload,
    ) -> Result<bool, Failure> {
        let named = self.write(whole, ShardEvent::OpenUpload(upload)).await?;
        Ok(named.is_some())
    }

    /// Records part shards as finished, and returns the record of the whole after that. `numbers` chooses them, given how
    /// many there are.
    ///
    /// # Errors
    /// `LedgerConflict` when others write the record without end, and ledger faults.
    pub(super) async fn finish(
        &self,
        numbers: impl Fn(u32) -> Range<u32>,
    ) -> Result<ShardRecord, Failure> {
        for _ in 0..WRITES_MAX {
            let (whole, part_shards) = self.read().await?;
            let numbers = numbers(part_shards);
            let is_recorded = numbers
                .clone()
                .all(|number| whole.finished_part_shards.is_settled(number));
            if is_recorded || whole.state != ShardState::Ready {
                return Ok(whole);
            }
            let finish = ShardEvent::FinishPartShards { numbers };
            if let Some(written) = self.write(&whole, finish).await? {
                return Ok(written);
            }
            tokio::time::sleep(WRITE_DELAY_MAX.mul_f64(fastrand::f64())).await;
        }
        Err(self.contended())
    }

    /// The failure of a write that others are always faster than.
    pub(super) fn contended(&self) -> Failure {
        Failure::new(
            FailureCode::LedgerConflict,
            format!(
                "the record of {} is written by others without end",
                self.whole_id
            ),
        )
    }

    /// The record, and how many part shards there are.
    async fn read(&self) -> Result<(ShardRecord, u32), Failure> {
        let whole_id = self.whole_id;
        match self.ledger.read_shard(self.run_id, whole_id).await? {
            Some(record) => match record.work {
                ShardWork::AssembleObject { part_shards } => Ok((record, part_shards)),
                _ => Err(Failure::invariant(format!("{whole_id} has no part shards"))),
            },
            None => Err(Failure::invariant(format!("the whole {whole_id} is gone"))),
        }
    }

    /// The record as written, or nothing when another part shard wrote it first.
    async fn write(
        &self,
        whole: &ShardRecord,
        event: ShardEvent,
    ) -> Result<Option<ShardRecord>, Failure> {
        let next = whole
            .apply(event)
            .map_err(|illegal| Failure::invariant(illegal.to_string()))?;
        let written = self.ledger.replace_shard(&next).await?;
        Ok((written == PutOutcome::Written).then_some(next))
    }
}
