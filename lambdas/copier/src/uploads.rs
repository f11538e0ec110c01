//! The multipart uploads that a shard has open.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use shardlift_core::{object::ETag, shard::OpenUpload};
use tokio::sync::Notify;

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
