//! Files of lists in a folder, read as slowly as from S3.

use std::{
    fs::{self, File},
    io,
    ops::Range,
    os::unix::fs::FileExt,
    path::PathBuf,
    time::Duration,
};

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{FileVersion, ListFiles},
    value::{bucket::BucketName, object::ETag},
};

/// What a request takes at S3, as the model's listings do.
const REQUEST_LATENCY: Duration = Duration::from_millis(40);

/// The files of a folder under their names, in any bucket.
#[derive(Debug, Clone)]
pub(crate) struct FolderLists(pub(crate) PathBuf);

fn fault(error: &io::Error) -> CallFault {
    CallFault::new("s3:GetObject", FaultKind::ServiceError, error.to_string())
}

impl ListFiles for FolderLists {
    async fn find(&self, _: &BucketName, key: &str) -> Result<Option<FileVersion>, CallFault> {
        tokio::time::sleep(REQUEST_LATENCY).await;
        match fs::metadata(self.0.join(key)) {
            Ok(found) => Ok(Some(FileVersion {
                etag: ETag::new("1").expect("the text is constant"),
                size_bytes: found.len(),
            })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault(&error)),
        }
    }

    async fn read(
        &self,
        _: &BucketName,
        key: &str,
        _: &FileVersion,
        range: Range<u64>,
    ) -> Result<Vec<u8>, CallFault> {
        tokio::time::sleep(REQUEST_LATENCY).await;
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        let read = File::open(self.0.join(key))
            .and_then(|file| file.read_exact_at(&mut bytes, range.start));
        read.map(|()| bytes).map_err(|error| fault(&error))
    }
}
