//! The lists of events that wait in the control bucket.

use shardlift_core::{
    events::WAITING_FOLDER,
    failure::fault::CallFault,
    port::{EventLists, StoredEventList},
    value::time::Timestamp,
};

use crate::control_store::S3ControlStore;

impl EventLists for S3ControlStore {
    async fn waiting(&self) -> Result<Vec<StoredEventList>, CallFault> {
        let objects = self.list(WAITING_FOLDER).await?;
        let stored = objects.into_iter().filter_map(|object| {
            let written_at = object.last_modified().and_then(|at| at.to_millis().ok());
            Some(StoredEventList {
                key: object.key()?.to_owned(),
                size_bytes: u64::try_from(object.size().unwrap_or(0)).unwrap_or(0),
                written_at: Timestamp::from_millis(written_at.unwrap_or(0)),
            })
        });
        Ok(stored.collect())
    }

    async fn remove_waiting(&self, key: &str) -> Result<(), CallFault> {
        self.remove(key).await
    }
}
