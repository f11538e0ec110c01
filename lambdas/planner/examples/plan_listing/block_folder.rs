//! The blocks of sorted lists in a folder, read and written as slowly as at S3.

use std::{fs, io, path::PathBuf, time::Duration};

use shardlift_core::failure::fault::{CallFault, FaultKind};

/// What a request takes at S3, roughly.
const REQUEST_LATENCY: Duration = Duration::from_millis(40);

/// A folder of its own.
#[derive(Debug, Clone)]
pub(crate) struct BlockFolder(PathBuf);

fn fault(error: &io::Error) -> CallFault {
    CallFault::new("s3:PutObject", FaultKind::ServiceError, error.to_string())
}

impl BlockFolder {
    /// A new folder.
    pub(crate) fn create() -> io::Result<Self> {
        let name = format!("plan_listing-{}-blocks", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    /// Where a block lies; nothing for any other document.
    pub(crate) fn path_of(&self, key: &str) -> Option<PathBuf> {
        let (_, name) = key.rsplit_once("/list-sorted/")?;
        Some(self.0.join(name))
    }

    /// Writes a block.
    pub(crate) async fn write(&self, path: &PathBuf, body: Vec<u8>) -> Result<(), CallFault> {
        tokio::time::sleep(REQUEST_LATENCY).await;
        fs::write(path, body).map_err(|error| fault(&error))
    }

    /// Reads a block.
    pub(crate) async fn read(&self, path: &PathBuf) -> Result<Option<Vec<u8>>, CallFault> {
        tokio::time::sleep(REQUEST_LATENCY).await;
        fs::read(path).map(Some).map_err(|error| fault(&error))
    }

    /// Removes the folder.
    pub(crate) fn remove(&self) -> io::Result<()> {
        fs::remove_dir_all(&self.0)
    }
}
