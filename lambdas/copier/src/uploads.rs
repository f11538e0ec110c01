//! The multipart uploads that a shard has open.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use shardlift_core::{shard::OpenUpload, value::object::ETag};
use tokio::sync::Notify;

/// How many uploads may be open before those of failed objects are aborted: some 400 bytes each in the record, 50 KB, of
/// the 400 KB that DynamoDB takes (docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html).
const OPEN_MAX: usize = 128;

/// The open uploads, by the object's position in the manifest. The record names them, so that whoever continues or
/// settles the shard finds them (P8).
pub(crate) struct Uploads {
    open: Mutex<BTreeMap<u32, OpenUpload>>,
    changed: Notify,
}

impl Uploads {
    /// Those that the record names.
    pub(crate) fn resume(recorded: &[OpenUpload]) -> Self {
        let open = recorded
            .iter()
            .map(|upload| (upload.index, upload.clone()))
            .collect();
        Self {
            open: Mutex::new(open),
            changed: Notify::new(),
        }
    }

    /// The upload of this object.
    pub(crate) fn get(&self, index: u32) -> Option<OpenUpload> {
        self.lock().get(&index).cloned()
    }

    /// Notes a new upload, and asks for it to be recorded soon.
    pub(crate) fn opened(&self, upload: OpenUpload) {
        self.lock().insert(upload.index, upload);
        self.changed.notify_one();
    }

    /// Notes that an upload is being completed, to what ETag if that can be foretold, and asks for it to be recorded soon.
    pub(crate) fn completing(&self, index: u32, etag: Option<ETag>) {
        if let Some(upload) = self.lock().get_mut(&index)
            && upload.completing != etag
        {
            upload.completing = etag;
            self.changed.notify_one();
        }
    }

    /// Notes that the upload of this object is completed, aborted or gone.
    pub(crate) fn closed(&self, index: u32) {
        self.lock().remove(&index);
    }

    /// Whether the upload of an object that failed may stay open for another round: the record names every open one, and
    /// holds no more than 400 KB.
    pub(crate) fn may_stay_open(&self) -> bool {
        self.lock().len() <= OPEN_MAX
    }

    /// Resolves when an upload was opened that nobody waited for yet.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The uploads as the record names them.
    pub(crate) fn recorded(&self) -> Vec<OpenUpload> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, OpenUpload>> {
        self.open.lock().expect("nothing panics while it holds it")
    }
}

#[cfg(test)]
mod tests {
    use shardlift_core::value::{id::UploadId, time::Timestamp};

    use super::*;

    #[test]
    fn failed_uploads_stay_open_only_while_the_record_holds_them() {
        let uploads = Uploads::resume(&[]);
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
                created_at: Some(Timestamp::from_millis(1_800_000_000_000)),
                completing: Some(etag.clone()),
            });
        }
        let recorded = serde_json::to_vec(&uploads.recorded()).unwrap();
        assert!(recorded.len() < 100_000, "{}", recorded.len());
    }
}
