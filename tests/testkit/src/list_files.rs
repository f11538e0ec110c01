//! The files of lists in memory.

use std::{
    collections::BTreeMap,
    ops::Range,
    sync::{Arc, Mutex},
};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{FileVersion, ListFiles},
    value::{bucket::BucketName, object::ETag},
};

use crate::CallScript;

const GET_LIST: &str = "list:GetObject";

type StoredFile = (FileVersion, Vec<u8>);

/// The files of lists in memory, by bucket and key.
#[derive(Debug, Clone)]
pub struct MemoryListFiles {
    files: Arc<Mutex<BTreeMap<(String, String), StoredFile>>>,
    script: CallScript,
}

impl MemoryListFiles {
    /// No files; calls go through `script` as `list:HeadObject` and `list:GetObject`.
    #[must_use]
    pub fn new(script: CallScript) -> Self {
        Self {
            files: Arc::default(),
            script,
        }
    }

    /// The same files as another caller sees it: its calls go through `script`.
    #[must_use]
    pub fn through(&self, script: CallScript) -> Self {
        Self {
            script,
            ..self.clone()
        }
    }

    /// Writes a file, past the script: each time another version.
    ///
    /// # Panics
    /// Never.
    pub fn put(&self, bucket: &str, key: &str, body: impl Into<Vec<u8>>) {
        let mut files = self.files.lock().expect("not poisoned");
        let place = (bucket.to_owned(), key.to_owned());
        let number = files
            .get(&place)
            .and_then(|(version, _)| version.etag.as_str().parse::<u64>().ok())
            .map_or(1, |number| number + 1);
        let body = body.into();
        let version = FileVersion {
            etag: ETag::new(number.to_string()).expect("a number is an ETag"),
            size_bytes: body.len() as u64,
        };
        files.insert(place, (version, body));
    }

    fn file(&self, bucket: &BucketName, key: &str) -> Option<StoredFile> {
        let files = self.files.lock().expect("not poisoned");
        let place = (bucket.as_str().to_owned(), key.to_owned());
        files.get(&place).cloned()
    }
}

impl ListFiles for MemoryListFiles {
    async fn find(&self, bucket: &BucketName, key: &str) -> Result<Option<FileVersion>, CallFault> {
        let find = || Ok(self.file(bucket, key).map(|(version, _)| version));
        self.script.call("list:HeadObject", find).await
    }

    async fn read(
        &self,
        bucket: &BucketName,
        key: &str,
        version: &FileVersion,
        range: Range<u64>,
    ) -> Result<Vec<u8>, CallFault> {
        let read = || {
            let fault = |kind| CallFault::new(GET_LIST, kind, "the list is another one");
            let (found, body) = self
                .file(bucket, key)
                .ok_or_else(|| fault(FaultKind::NoSuchKey))?;
            if found.etag != version.etag {
                return Err(fault(FaultKind::ConditionFailed));
            }
            let bound = |end| usize::try_from(end).unwrap_or(usize::MAX);
            body.get(bound(range.start)..bound(range.end))
                .map(<[u8]>::to_vec)
                .ok_or_else(|| fault(FaultKind::Rejected))
        };
        self.script.call(GET_LIST, read).await
    }
}
