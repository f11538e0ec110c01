//! The documents while they are written.

use shardlift_core::{
    documents::{RunDocument, RunDocuments, failure_list::FailedObject, receipt_index},
    failure::Failure,
    port::{ControlStore, ControlWriter},
    shard::ShardRecord,
    value::{bucket::BucketName, id::ShardId},
};

use super::{buffered_document::BufferedDocument, csv_row, shard_line::ShardLine};

/// Writes the documents.
pub(super) struct DetailWriter<W> {
    failures_csv: BufferedDocument<W>,
    shards_json: BufferedDocument<W>,
    receipt_index: BufferedDocument<W>,
    control: BucketName,
    has_shards: bool,
    has_failures: bool,
}

impl<W: ControlWriter> DetailWriter<W> {
    /// Begins them.
    ///
    /// # Errors
    /// When the header cannot be written to memory.
    pub(super) fn open<C: ControlStore<Writer = W>>(
        documents: RunDocuments<'_, C>,
    ) -> Result<Self, Failure> {
        let open =
            |document| BufferedDocument::new(documents.open(document), documents.key(document));
        let mut writer = Self {
            failures_csv: open(RunDocument::FailuresCsv),
            shards_json: open(RunDocument::ShardsJson),
            receipt_index: open(RunDocument::ReceiptIndex),
            control: documents.bucket().clone(),
            has_shards: false,
            has_failures: false,
        };
        csv_row::write_header(writer.failures_csv.buffer())?;
        writer.shards_json.buffer().push(b'[');
        Ok(writer)
    }

    /// Adds a shard to `shards.json`.
    ///
    /// # Errors
    /// When the shard has no such form.
    pub(super) fn add_shard(&mut self, shard: &ShardRecord) -> Result<(), Failure> {
        let separator: &[u8] = if self.has_shards { b",\n" } else { b"\n" };
        self.has_shards = true;
        let out = self.shards_json.buffer();
        out.extend_from_slice(separator);
        serde_json::to_writer(out, &ShardLine::of(shard))
            .map_err(|error| Failure::invariant(format!("a shard is no JSON: {error}")))
    }

    /// Adds a list of receipts to the index.
    pub(super) fn add_receipts(&mut self, key: &str) {
        let line = receipt_index::line(&self.control, key);
        self.receipt_index
            .buffer()
            .extend_from_slice(line.as_bytes());
    }

    /// Adds a failed object to `failures.csv`.
    ///
    /// # Errors
    /// When the object has no such form.
    pub(super) fn add_failed(
        &mut self,
        object: &FailedObject,
        shard_id: &ShardId,
    ) -> Result<(), Failure> {
        self.has_failures = true;
        csv_row::write(self.failures_csv.buffer(), object, shard_id)
    }

    /// Sends what has gathered, where it is worth a call.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(super) async fn flush_if_large(&mut self) -> Result<(), Failure> {
        self.failures_csv.flush_if_large().await?;
        self.receipt_index.flush_if_large().await?;
        self.shards_json.flush_if_large().await
    }

    /// Makes the documents appear; `failures.csv` of a run of few events only where it has any.
    ///
    /// # Errors
    /// When the control bucket cannot be used.
    pub(super) async fn finish(mut self, is_light: bool) -> Result<(), Failure> {
        self.shards_json.buffer().extend_from_slice(b"\n]\n");
        if is_light && !self.has_failures {
            self.failures_csv.abandon().await;
        } else {
            self.failures_csv.finish().await?;
        }
        self.receipt_index.finish().await?;
        self.shards_json.finish().await
    }

    /// Frees what was sent of them.
    pub(super) async fn abandon(self) {
        self.failures_csv.abandon().await;
        self.receipt_index.abandon().await;
        self.shards_json.abandon().await;
    }
}
