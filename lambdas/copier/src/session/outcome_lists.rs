//! The lists of a shard in the control bucket: its failed objects, its copied objects with notes, and its receipts.

use shardlift_core::{
    documents::RunDocuments,
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
        let (failures, notes) = (settled.failures(), settled.notes());
        if failures.len() > self.failures.objects {
            self.failures = WrittenList {
                objects: failures.len(),
                key: Some(
                    documents
                        .write_failures(&self.shard_id, self.token, failures)
                        .await?,
                ),
            };
        }
        if notes.len() > self.notes.objects {
            self.notes = WrittenList {
                objects: notes.len(),
                key: Some(
                    documents
                        .write_notes(&self.shard_id, self.token, notes)
                        .await?,
                ),
            };
        }
        let receipts = settled.receipts();
        if receipts.len() > self.receipts.objects {
            self.receipts = WrittenList {
                objects: receipts.len(),
                key: Some(
                    documents
                        .write_receipts(&self.shard_id, self.token, receipts)
                        .await?,
                ),
            };
        }
        let mut outcome = settled.outcome().clone();
        outcome.failures_key.clone_from(&self.failures.key);
        outcome.notes_key.clone_from(&self.notes.key);
        outcome.receipts_key.clone_from(&self.receipts.key);
        Ok(outcome)
    }
}
