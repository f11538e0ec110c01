//! The multipart uploads that a shard has open.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard},
};

use shardlift_core::{
    shard::{OpenUpload, ShardRecord},
    value::{id::UploadId, object::ETag},
};
use tokio::sync::Notify;

/// How many uploads may be open before those of failed objects are aborted: some 400 bytes each in the record, 50 KB, of
/// the 400 KB that DynamoDB takes (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const OPEN_MAX: usize = 128;

/// The open uploads, by the object's position in the manifest. The record names them, so that whoever continues or
/// settles the shard finds them (P8).
pub struct OpenUploads {
    open: Mutex<BTreeMap<u32, OpenUpload>>,
    changed: Notify,
    /// Those that were open already when the shard was claimed.
    resumed: BTreeSet<UploadId>,
    may_lack_some: bool,
}

impl OpenUploads {
    /// Those that the record of a claimed shard names.
    pub(super) fn resume(record: &ShardRecord) -> Self {
        let recorded = record.outcome.uploads.iter();
        Self {
            resumed: recorded
                .clone()
                .map(|upload| upload.upload_id.clone())
                .collect(),
            open: Mutex::new(
                recorded
                    .map(|upload| (upload.index, upload.clone()))
                    .collect(),
            ),
            changed: Notify::new(),
            may_lack_some: record.attempts > 1,
        }
    }

    /// Whether an earlier copier of the shard may have opened uploads that the record does not name: it may have been
    /// killed before it recorded them.
    pub fn may_lack_some(&self) -> bool {
        self.may_lack_some
    }

    /// Those that this copier opened.
    pub(super) fn opened_here(&self) -> Vec<OpenUpload> {
        let mut opened = self.recorded();
        opened.retain(|upload| !self.resumed.contains(&upload.upload_id));
        opened
    }

    /// The upload of this object.
    pub fn get(&self, index: u32) -> Option<OpenUpload> {
        self.lock().get(&index).cloned()
    }

    /// Notes a new upload, and asks for it to be recorded soon.
    pub fn opened(&self, upload: OpenUpload) {
        self.lock().insert(upload.index, upload);
        self.changed.notify_one();
    }

    /// Notes that an upload is being completed, with the ETag that the object will have if that is known, and asks for it to be
    /// recorded soon.
    pub fn completing(&self, index: u32, etag: Option<ETag>) {
        if let Some(upload) = self.lock().get_mut(&index)
            && upload.completing != etag
        {
            upload.completing = etag;
            self.changed.notify_one();
        }
    }

    /// Notes that the upload of this object is completed, aborted or gone.
    pub fn closed(&self, index: u32) {
        self.lock().remove(&index);
    }

    /// Whether the upload of an object that failed may stay open for another round: the record names every open one, and
    /// holds no more than 400 KB.
    pub fn may_stay_open(&self) -> bool {
        self.lock().len() <= OPEN_MAX
    }

    /// Resolves when uploads were opened, or are being completed, since it resolved last.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The uploads as the record names them.
    pub(super) fn recorded(&self) -> Vec<OpenUpload> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, OpenUpload>> {
        self.open.lock().expect("nothing panics while it holds it")
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::{
        shard::{NewerVersion, ShardWork},
        value::{
            id::{RunId, ShardId},
            storage::StorageClass,
            tally::Count,
            time::Timestamp,
        },
    };

    use super::*;

    #[test]
    fn failed_uploads_stay_open_only_while_the_record_holds_them() {
        let record = ShardRecord::ready(
            RunId::new("run").unwrap(),
            ShardId::new("1-0").unwrap(),
            ShardWork::CopyObjects,
            Count::default(),
            0,
        );
        let uploads = OpenUploads::resume(&record);
        let upload_id = UploadId::new("u".repeat(256)).unwrap();
        let etag = ETag::new(format!("{}-10000", "e".repeat(32))).unwrap();
        for index in 0.. {
            if !uploads.may_stay_open() {
                break;
            }
            uploads.opened(OpenUpload {
                index,
                upload_id: upload_id.clone(),
                is_without_tags: true,
                is_tagged_later: false,
                created_at: Some(Timestamp::from_millis(1_800_000_000_000)),
                completing: Some(etag.clone()),
                newer: Some(NewerVersion {
                    etag: etag.clone(),
                    size_bytes: u64::MAX,
                    storage_class: Some(StorageClass::IntelligentTiering),
                    number: 5,
                }),
            });
        }
        let recorded = serde_json::to_vec(&uploads.recorded()).unwrap();
        assert!(recorded.len() < 100_000, "{}", recorded.len());
    }
}
