use std::{future::Future, ops::Range};

use crate::{
    failure::fault::CallFault,
    value::{bucket::BucketName, object::ETag},
};

/// One version of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// Its entity tag.
    pub etag: ETag,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// The files of lists, in buckets of the stack's own account: they may be far larger than memory, and are read by ranges.
pub trait ListFiles: Send + Sync {
    /// The version that stands under a key now; nothing when there is none. Idempotent.
    ///
    /// Faults: `AccessDenied` (also where the caller may not learn that nothing is there), `NoSuchBucket`.
    fn find(
        &self,
        bucket: &BucketName,
        key: &str,
    ) -> impl Future<Output = Result<Option<FileVersion>, CallFault>> + Send;

    /// The bytes of a range of this version, all of them. The range is not empty and ends within the file. Idempotent.
    ///
    /// Faults: `ConditionFailed` (another version stands there now), `NoSuchKey`, `AccessDenied`.
    fn read(
        &self,
        bucket: &BucketName,
        key: &str,
        version: &FileVersion,
        range: Range<u64>,
    ) -> impl Future<Output = Result<Vec<u8>, CallFault>> + Send;
}
