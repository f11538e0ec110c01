use std::future::Future;

use crate::{failure::fault::CallFault, value::time::Timestamp};

/// An object below the folder of the waiting lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEventList {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size_bytes: u64,
    /// When it was written, by S3's clock.
    pub written_at: Timestamp,
}

/// The lists of events that wait in the control bucket. They are written and read as its other objects are
/// ([`ControlStore`](super::ControlStore)).
pub trait EventLists: Send + Sync {
    /// The first thousand objects below [`WAITING_FOLDER`](crate::events::WAITING_FOLDER), in the order of their keys.
    /// Idempotent.
    fn waiting(&self) -> impl Future<Output = Result<Vec<StoredEventList>, CallFault>> + Send;

    /// Removes an object there; it need not exist. Idempotent.
    fn remove_waiting(&self, key: &str) -> impl Future<Output = Result<(), CallFault>> + Send;
}
