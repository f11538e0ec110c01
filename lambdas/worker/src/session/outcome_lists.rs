//! The lists of a shard in the control bucket: its failed objects, its copied objects with notes, and its receipts.

use std::future::Future;

use futures::try_join;
use shardlift_core::{
    documents::{DocumentError, RunDocuments},
    failure::Failure,
    shard::{
        ShardOutcome, ShardRecord,
        settled_objects::{SettledLists, SettledObjects},
    },
    value::id::{RunId, ShardId},
};

use crate::ports::{Connections, Ports};

/// Writes the lists of a shard under the token of its holder, so that no record ever points to a list that another holder
/// may still write.
pub(super) struct OutcomeLists<'a, P: Ports> {
    control: &'a P::Control,
    run_id: RunId,
    shard_id: ShardId,
    token: u64,
    failures: WrittenList,
    notes: WrittenList,
    receipts: WrittenList,
}

/// What was written of a list.
#[derive(Default)]
struct WrittenList {
    objects: usize,
    key: Option<String>,
}

impl WrittenList {
    /// Writes the list if it has grown to more objects.
    async fn write<F>(&mut self, objects: usize, write: impl FnOnce() -> F) -> Result<(), Failure>
    where
        F: Future<Output = Result<String, DocumentError>>,
    {
        if objects > self.objects {
            self.key = Some(write().await?);
            self.objects = objects;
        }
        Ok(())
    }
}

impl<'a, P: Ports> OutcomeLists<'a, P> {
    /// The lists of the holder of `token`, not written yet.
    pub(super) fn new(ports: &'a Connections<P>, record: &ShardRecord, token: u64) -> Self {
        Self {
            control: &ports.control,
            run_id: record.run_id.clone(),
            shard_id: record.shard_id.clone(),
            token,
            failures: WrittenList::default(),
            notes: WrittenList::default(),
            receipts: WrittenList::default(),
        }
    }

    /// The settled objects of the record, with the lists of the copier that wrote it.
    ///
    /// # Errors
    /// `InvariantViolated` when a list is missing or does not fit, and control bucket faults.
    pub(super) async fn resume(&self, recorded: &ShardOutcome) -> Result<SettledObjects, Failure> {
        let documents = RunDocuments::new(self.control, &self.run_id);
        let lists = SettledLists {
            failed: documents.list(recorded.failures_key.as_deref()).await?,
            noted: documents.list(recorded.notes_key.as_deref()).await?,
            receipts: documents.list(recorded.receipts_key.as_deref()).await?,
        };
        SettledObjects::resume(recorded.clone(), lists)
    }

    /// Writes the lists that have grown, and returns the outcome that points to them.
    ///
    /// # Errors
    /// Control bucket faults.
    pub(super) async fn write(
        &mut self,
        settled: &SettledObjects,
    ) -> Result<ShardOutcome, Failure> {
        let documents = RunDocuments::new(self.control, &self.run_id);
        let (shard_id, token) = (&self.shard_id, self.token);
        let (failures, notes, receipts) = (settled.failures(), settled.notes(), settled.receipts());
        // All at once: the last write of an invocation has little time.
        try_join!(
            self.failures.write(failures.len(), || {
                documents.write_failures(shard_id, token, failures)
            }),
            self.notes.write(notes.len(), || documents
                .write_notes(shard_id, token, notes)),
            self.receipts.write(receipts.len(), || {
                documents.write_receipts(shard_id, token, receipts)
            }),
        )?;
        let mut outcome = settled.outcome().clone();
        outcome.failures_key.clone_from(&self.failures.key);
        outcome.notes_key.clone_from(&self.notes.key);
        outcome.receipts_key.clone_from(&self.receipts.key);
        Ok(outcome)
    }
}
