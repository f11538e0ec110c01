//! A control bucket in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use shardlift_core::{
    events::WAITING_FOLDER,
    failure::fault::CallFault,
    port::{ControlStore, ControlWriter, EventLists, StoredEventList},
    value::{bucket::BucketName, time::Timestamp},
};

use crate::CallScript;

/// A control bucket in memory.
#[derive(Debug, Clone)]
pub struct MemoryControlStore {
    bucket: BucketName,
    objects: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
    written: Arc<Mutex<BTreeMap<String, Timestamp>>>,
    script: CallScript,
}

impl MemoryControlStore {
    /// An empty control bucket of this name; calls go through `script`.
    #[must_use]
    pub fn new(bucket: BucketName, script: CallScript) -> Self {
        Self {
            bucket,
            objects: Arc::default(),
            written: Arc::default(),
            script,
        }
    }

    /// The same bucket as another caller sees it: its calls go through `script`.
    #[must_use]
    pub fn through(&self, script: CallScript) -> Self {
        Self {
            script,
            ..self.clone()
        }
    }

    /// The keys that exist, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.objects
            .lock()
            .expect("not poisoned")
            .keys()
            .cloned()
            .collect()
    }

    /// Takes an object away, past the script: it was kept long enough.
    pub fn remove(&self, key: &str) {
        self.objects.lock().expect("not poisoned").remove(key);
    }

    /// When an object counts as written, past the script; at the epoch unless it is said.
    pub fn date(&self, key: &str, written_at: Timestamp) {
        let mut written = self.written.lock().expect("not poisoned");
        written.insert(key.to_owned(), written_at);
    }

    /// The body of an object, past the script.
    #[must_use]
    pub fn body(&self, key: &str) -> Option<Vec<u8>> {
        self.objects.lock().expect("not poisoned").get(key).cloned()
    }
}

impl ControlStore for MemoryControlStore {
    type Writer = MemoryControlWriter;

    fn open(&self, key: &str, content_type: &str) -> MemoryControlWriter {
        MemoryControlWriter {
            store: self.clone(),
            key: key.to_owned(),
            content_type: content_type.to_owned(),
            body: Vec::new(),
        }
    }

    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn put(&self, key: &str, _content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        self.script
            .call("s3:PutObject", || {
                self.objects
                    .lock()
                    .expect("not poisoned")
                    .insert(key.to_owned(), body);
                Ok(())
            })
            .await
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        self.script
            .call("s3:GetObject", || Ok(self.body(key)))
            .await
    }
}

impl EventLists for MemoryControlStore {
    async fn waiting(&self) -> Result<Vec<StoredEventList>, CallFault> {
        self.script
            .call("s3:ListBucket", || {
                let objects = self.objects.lock().expect("not poisoned");
                let written = self.written.lock().expect("not poisoned");
                let waiting = objects
                    .iter()
                    .filter(|(key, _)| key.starts_with(WAITING_FOLDER))
                    .map(|(key, body)| StoredEventList {
                        key: key.clone(),
                        size_bytes: body.len() as u64,
                        written_at: written.get(key).copied().unwrap_or_default(),
                    });
                Ok(waiting.take(1_000).collect())
            })
            .await
    }

    async fn remove_waiting(&self, key: &str) -> Result<(), CallFault> {
        self.script
            .call("s3:DeleteObject", || {
                assert!(key.starts_with(WAITING_FOLDER), "{key} is no waiting list");
                self.remove(key);
                Ok(())
            })
            .await
    }
}

/// An object on its way: kept apart until it is finished.
#[derive(Debug)]
pub struct MemoryControlWriter {
    store: MemoryControlStore,
    key: String,
    content_type: String,
    body: Vec<u8>,
}

impl ControlWriter for MemoryControlWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), CallFault> {
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    async fn finish(self) -> Result<(), CallFault> {
        self.store
            .put(&self.key, &self.content_type, self.body)
            .await
    }

    async fn abandon(self) -> Result<(), CallFault> {
        Ok(())
    }
}
