//! The lists of a shard in the control bucket: its failed objects, and its copied objects with notes.

use serde::de::DeserializeOwned;
use shardlift_core::{
    documents::{control_key, failure_list, json_lines},
    failure::Failure,
    port::ControlStore,
    shard::{ShardOutcome, ShardRecord, settled_objects::SettledObjects},
};

use crate::ports::{Connections, Ports};

/// Writes the lists of a shard under the token of its holder, so that no record ever points to a list that another holder
/// may still write.
pub(super) struct OutcomeLists<'a, P: Ports> {
    control: &'a P::Control,
    failures_key: String,
    notes_key: String,
    failures_written: usize,
    notes_written: usize,
}

impl<'a, P: Ports> OutcomeLists<'a, P> {
    /// The lists of the holder of `token`, not written yet.
    pub(super) fn new(ports: &'a Connections<P>, record: &ShardRecord, token: u64) -> Self {
        let (run_id, shard_id) = (&record.run_id, &record.shard_id);
        Self {
            control: &ports.control,
            failures_key: control_key::failures(run_id, shard_id, token),
            notes_key: control_key::notes(run_id, shard_id, token),
            failures_written: 0,
            notes_written: 0,
        }
    }

    /// The settled objects of the record, with the lists of the copier that wrote it.
    ///
    /// # Errors
    /// `InvariantViolated` when a list is missing or does not fit, and control bucket faults.
    pub(super) async fn resume(&self, recorded: &ShardOutcome) -> Result<SettledObjects, Failure> {
        let failed = self.read(recorded.failures_key.as_deref()).await?;
        let noted = self.read(recorded.notes_key.as_deref()).await?;
        SettledObjects::resume(recorded.clone(), failed, noted)
    }

    /// Writes the lists that have grown, and returns the outcome that points to them.
    ///
    /// # Errors
    /// Control bucket faults.
    pub(super) async fn write(
        &mut self,
        settled: &SettledObjects,
    ) -> Result<ShardOutcome, Failure> {
        let (failed, noted) = (settled.failures().len(), settled.notes().len());
        if failed > self.failures_written {
            let list = failure_list::encode(settled.failures())?;
            self.put(&self.failures_key, list).await?;
            self.failures_written = failed;
        }
        if noted > self.notes_written {
            let list = json_lines::encode(settled.notes())?;
            self.put(&self.notes_key, list).await?;
            self.notes_written = noted;
        }
        let mut outcome = settled.outcome().clone();
        outcome.failures_key = (failed > 0).then(|| self.failures_key.clone());
        outcome.notes_key = (noted > 0).then(|| self.notes_key.clone());
        Ok(outcome)
    }

    async fn read<T: DeserializeOwned>(&self, key: Option<&str>) -> Result<Vec<T>, Failure> {
        let Some(key) = key else {
            return Ok(Vec::new());
        };
        let bytes = self
            .control
            .get(key)
            .await?
            .ok_or_else(|| Failure::invariant(format!("the list {key} is gone")))?;
        json_lines::decode(&bytes)?.collect()
    }

    async fn put(&self, key: &str, list: Vec<u8>) -> Result<(), Failure> {
        Ok(self.control.put(key, "application/zstd", list).await?)
    }
}
