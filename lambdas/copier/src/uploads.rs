//! The multipart uploads that a shard has open.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use shardlift_core::{id::UploadId, shard::OpenUpload};
use tokio::sync::Notify;

/// The open uploads, by the object's position in the manifest. The record names them, so that whoever continues or
/// settles the shard finds them (P8).
pub(crate) struct Uploads {
    open: Mutex<BTreeMap<u32, UploadId>>,
    changed: Notify,
}

impl Uploads {
    /// Those that the record names.
    pub(crate) fn resume(recorded: &[OpenUpload]) -> Self {
        let open = recorded
            .iter()
            .map(|upload| (upload.index, upload.upload_id.clone()))
            .collect();
        Self {
            open: Mutex::new(open),
            changed: Notify::new(),
        }
    }

    /// The upload of this object.
    pub(crate) fn get(&self, index: u32) -> Option<UploadId> {
        self.lock().get(&index).cloned()
    }

    /// Notes a new upload, and asks for it to be recorded soon.
    pub(crate) fn opened(&self, index: u32, upload_id: UploadId) {
        self.lock().insert(index, upload_id);
        self.changed.notify_one();
    }

    /// Notes that the upload of this object is completed, aborted or gone.
    pub(crate) fn closed(&self, index: u32) {
        self.lock().remove(&index);
    }

    /// Resolves when an upload was opened that nobody waited for yet.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// The uploads as the record names them.
    pub(crate) fn recorded(&self) -> Vec<OpenUpload> {
        self.lock()
            .iter()
            .map(|(&index, upload_id)| OpenUpload {
                index,
                upload_id: upload_id.clone(),
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, UploadId>> {
        self.open.lock().expect("nothing panics while it holds it")
    }
}
