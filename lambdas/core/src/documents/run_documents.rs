//! The documents of one run, read and written by what they are.

use serde::{Serialize, de::DeserializeOwned};

use crate::{
    access::preflight::PREFLIGHT_DOCUMENT,
    documents::{
        control_key,
        document_error::DocumentError,
        failed_objects::FailureDocuments,
        failure_list::{self, FailedObject},
        json_lines,
        manifest::Manifest,
        receipt::Receipt,
    },
    port::ControlStore,
    run::event::IndexLocation,
    shard::{ShardRecord, note::NotedObject},
    value::{
        bucket::BucketName,
        id::{RunId, ShardId},
    },
};

/// The content type of manifests and lists, which are JSON lines under zstd.
const LIST_TYPE: &str = "application/zstd";

/// A document that a run has once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunDocument {
    /// The table of the permission checks before the run.
    Preflight,
    /// How far the reporter has swept uploads and verified the target, for its next invocation.
    Verification,
    /// Every failed object.
    FailuresCsv,
    /// Every key in which the target differs, where any does.
    DifferencesCsv,
    /// Where the receipts of the run lie, for Athena.
    ReceiptIndex,
    /// Every shard.
    ShardsJson,
    /// The report as a page.
    ReportPage,
    /// The report.
    Report,
}

impl RunDocument {
    /// The file name below the run's folder.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Preflight => PREFLIGHT_DOCUMENT,
            Self::Verification => "proof.json",
            Self::FailuresCsv => "failures.csv",
            Self::DifferencesCsv => "differences.csv",
            Self::ReceiptIndex => "receipts-index/symlink.txt",
            Self::ShardsJson => "shards.json",
            Self::ReportPage => "report.html",
            Self::Report => "report.json",
        }
    }

    const fn content_type(self) -> &'static str {
        match self {
            Self::FailuresCsv | Self::DifferencesCsv => "text/csv; charset=utf-8",
            Self::ReceiptIndex => "text/plain; charset=utf-8",
            Self::ReportPage => "text/html; charset=utf-8",
            Self::Preflight | Self::Verification | Self::ShardsJson | Self::Report => {
                "application/json"
            }
        }
    }
}

/// The documents of one run in the control bucket.
#[derive(Debug)]
pub struct RunDocuments<'a, C> {
    control: &'a C,
    pub(super) run_id: &'a RunId,
}

impl<C> Clone for RunDocuments<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for RunDocuments<'_, C> {}

impl<'a, C: ControlStore> RunDocuments<'a, C> {
    /// Those of `run_id`.
    #[must_use]
    pub fn new(control: &'a C, run_id: &'a RunId) -> Self {
        Self { control, run_id }
    }

    /// The control bucket.
    #[must_use]
    pub fn bucket(&self) -> &'a BucketName {
        self.control.bucket()
    }

    /// The manifest of a shard.
    ///
    /// # Errors
    /// [`DocumentError`], also when it is of another shard.
    pub async fn manifest(&self, shard_id: &ShardId) -> Result<Manifest, DocumentError> {
        let body = self
            .existing(control_key::manifest(self.run_id, shard_id))
            .await?;
        Ok(Manifest::decode(&body, self.run_id, shard_id)?)
    }

    /// Writes the manifest of a shard. One without a record is never read, and writing it again changes nothing.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn write_manifest(
        &self,
        shard_id: &ShardId,
        encoded: Vec<u8>,
    ) -> Result<(), DocumentError> {
        let key = control_key::manifest(self.run_id, shard_id);
        self.put(&key, LIST_TYPE, encoded).await
    }

    /// What the control bucket holds about the failed objects of a shard: its failure list where objects failed, its
    /// manifest where objects have no outcome.
    ///
    /// # Errors
    /// [`DocumentError`], also when one of the two is missing.
    pub async fn failures(
        &self,
        shard: &ShardRecord,
    ) -> Result<FailureDocuments<Vec<u8>>, DocumentError> {
        let keys = FailureDocuments::of(shard);
        Ok(FailureDocuments {
            list: self.existing_if_named(keys.list).await?,
            manifest: self.existing_if_named(keys.manifest).await?,
        })
    }

    /// Writes the failed objects of a shard under `token`, and gives the key for the shard's record.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn write_failures<'o>(
        &self,
        shard_id: &ShardId,
        token: u64,
        objects: impl IntoIterator<Item = &'o FailedObject>,
    ) -> Result<String, DocumentError> {
        let key = control_key::failures(self.run_id, shard_id, token);
        let body = failure_list::encode(objects)?;
        self.put(&key, LIST_TYPE, body).await?;
        Ok(key)
    }

    /// Writes the copied objects of a shard that have notes under `token`, and gives the key for the shard's record.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn write_notes<'o>(
        &self,
        shard_id: &ShardId,
        token: u64,
        objects: impl IntoIterator<Item = &'o NotedObject>,
    ) -> Result<String, DocumentError> {
        let key = control_key::notes(self.run_id, shard_id, token);
        let body = json_lines::encode(objects)?;
        self.put(&key, LIST_TYPE, body).await?;
        Ok(key)
    }

    /// Writes the receipts of a shard's objects under `token`, and gives the key for the shard's record.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn write_receipts<'o>(
        &self,
        shard_id: &ShardId,
        token: u64,
        receipts: impl IntoIterator<Item = &'o Receipt>,
    ) -> Result<String, DocumentError> {
        let key = control_key::receipts(self.run_id, shard_id, token);
        let body = json_lines::encode(receipts)?;
        self.put(&key, LIST_TYPE, body).await?;
        Ok(key)
    }

    /// Writes those receipts of a shard's objects that its record counts, and gives their key.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn write_counted_receipts<'o>(
        &self,
        shard_id: &ShardId,
        receipts: impl IntoIterator<Item = &'o Receipt>,
    ) -> Result<String, DocumentError> {
        let key = control_key::counted_receipts(self.run_id, shard_id);
        let body = json_lines::encode(receipts)?;
        self.put(&key, LIST_TYPE, body).await?;
        Ok(key)
    }

    /// Writes a list of what the plan leaves as it stands. One without a record is never read, and writing it again changes
    /// nothing.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn write_kept(
        &self,
        list_id: &ShardId,
        encoded: Vec<u8>,
    ) -> Result<(), DocumentError> {
        let key = control_key::kept(self.run_id, list_id);
        self.put(&key, LIST_TYPE, encoded).await
    }

    /// Writes a list of keys that differ in an audit. One without a record is never read, and writing it again changes nothing.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn write_differences(
        &self,
        list_id: &ShardId,
        encoded: Vec<u8>,
    ) -> Result<(), DocumentError> {
        let key = control_key::differences(self.run_id, list_id);
        self.put(&key, LIST_TYPE, encoded).await
    }

    /// The list that a shard's record names; empty when it names none.
    ///
    /// # Errors
    /// [`DocumentError`], also when the list is missing.
    pub async fn list<T: DeserializeOwned>(
        &self,
        key: Option<&str>,
    ) -> Result<Vec<T>, DocumentError> {
        let Some(body) = self.existing_if_named(key.map(str::to_owned)).await? else {
            return Ok(Vec::new());
        };
        Ok(json_lines::decode(&body)?.collect::<Result<_, _>>()?)
    }

    /// Writes the index of a round, which the Map reads. The same shards always give the same index.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn write_index(
        &self,
        round: u32,
        shards: &[ShardId],
    ) -> Result<IndexLocation, DocumentError> {
        let key = control_key::index(self.run_id, round);
        let body =
            serde_json::to_vec(shards).map_err(|error| DocumentError::unwritable(&key, &error))?;
        self.put(&key, "application/json", body).await?;
        Ok(self.index(round))
    }

    /// Where the index of a round is.
    #[must_use]
    pub fn index(&self, round: u32) -> IndexLocation {
        IndexLocation {
            bucket: self.control.bucket().clone(),
            key: control_key::index(self.run_id, round),
        }
    }

    /// A document as bytes; nothing when it does not exist.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn bytes(&self, document: RunDocument) -> Result<Option<Vec<u8>>, DocumentError> {
        self.get(&self.key(document)).await
    }

    /// A JSON document; nothing when it does not exist.
    ///
    /// # Errors
    /// [`DocumentError::Malformed`] when it is no such document, [`DocumentError::Call`].
    pub async fn json<T: DeserializeOwned>(
        &self,
        document: RunDocument,
    ) -> Result<Option<T>, DocumentError> {
        let Some(body) = self.bytes(document).await? else {
            return Ok(None);
        };
        serde_json::from_slice(&body)
            .map(Some)
            .map_err(|error| DocumentError::unreadable(&self.key(document), &error))
    }

    /// As [`json`](Self::json), and nothing when it cannot be read, which one of another release may not be.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn json_if_readable<T: DeserializeOwned>(
        &self,
        document: RunDocument,
    ) -> Result<Option<T>, DocumentError> {
        match self.json(document).await {
            Err(DocumentError::Malformed(_)) => Ok(None),
            read => read,
        }
    }

    /// Writes a document.
    ///
    /// # Errors
    /// [`DocumentError::Call`].
    pub async fn write(&self, document: RunDocument, body: Vec<u8>) -> Result<(), DocumentError> {
        self.put(&self.key(document), document.content_type(), body)
            .await
    }

    /// Writes a JSON document.
    ///
    /// # Errors
    /// [`DocumentError`].
    pub async fn write_json<T: Serialize + Sync>(
        &self,
        document: RunDocument,
        value: &T,
    ) -> Result<(), DocumentError> {
        let body = serde_json::to_vec(value)
            .map_err(|error| DocumentError::unwritable(&self.key(document), &error))?;
        self.write(document, body).await
    }

    /// Opens a document that is written piece by piece.
    #[must_use]
    pub fn open(&self, document: RunDocument) -> C::Writer {
        self.control
            .open(&self.key(document), document.content_type())
    }

    /// The key of a document in the control bucket.
    #[must_use]
    pub fn key(&self, document: RunDocument) -> String {
        control_key::report_document(self.run_id, document.file_name())
    }

    async fn existing_if_named(
        &self,
        key: Option<String>,
    ) -> Result<Option<Vec<u8>>, DocumentError> {
        match key {
            Some(key) => self.existing(key).await.map(Some),
            None => Ok(None),
        }
    }

    async fn existing(&self, key: String) -> Result<Vec<u8>, DocumentError> {
        match self.get(&key).await? {
            Some(body) => Ok(body),
            None => Err(DocumentError::Missing { key }),
        }
    }

    pub(super) async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, DocumentError> {
        let body = self.control.get(key).await;
        body.map_err(|fault| DocumentError::reading(key, fault))
    }

    pub(super) async fn put(
        &self,
        key: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<(), DocumentError> {
        let written = self.control.put(key, content_type, body).await;
        written.map_err(|fault| DocumentError::writing(key, fault))
    }
}
