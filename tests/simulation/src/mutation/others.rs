//! The control bucket, the topic and the executions with a fault.

use shardlift_core::{
    failure::fault::CallFault,
    port::{
        ControlStore, ControlWriter, EventLists, ExecutionState, Executions, Notification,
        Notifier, StoredEventList,
    },
    value::{arn::ExecutionArn, bucket::BucketName},
};
use shardlift_testkit::{
    MemoryControlStore, MemoryControlWriter, MemoryExecutions, RecordingNotifier,
};

use super::planted::PortFault;

/// The control bucket, with a fault.
#[derive(Debug, Clone)]
pub struct PlantedControl {
    /// Without it.
    pub inner: MemoryControlStore,
    /// The fault.
    pub fault: Option<PortFault>,
}

/// An object of it on its way.
#[derive(Debug)]
pub struct PlantedWriter(MemoryControlWriter);

impl PlantedControl {
    fn loses(&self, key: &str) -> bool {
        match self.fault {
            Some(PortFault::LostManifest) => key.contains("/manifests/"),
            Some(PortFault::LostReceipts) => key.contains("/receipts/"),
            Some(PortFault::LostReport) => key.ends_with("/report.json"),
            _ => false,
        }
    }
}

impl ControlStore for PlantedControl {
    type Writer = PlantedWriter;

    fn bucket(&self) -> &BucketName {
        self.inner.bucket()
    }

    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        if self.loses(key) {
            return Ok(());
        }
        self.inner.put(key, content_type, body).await
    }

    fn open(&self, key: &str, content_type: &str) -> PlantedWriter {
        PlantedWriter(self.inner.open(key, content_type))
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        self.inner.get(key).await
    }
}

impl EventLists for PlantedControl {
    async fn waiting(&self) -> Result<Vec<StoredEventList>, CallFault> {
        self.inner.waiting().await
    }

    async fn remove_waiting(&self, key: &str) -> Result<(), CallFault> {
        self.inner.remove_waiting(key).await
    }
}

impl ControlWriter for PlantedWriter {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), CallFault> {
        self.0.write(bytes).await
    }

    async fn finish(self) -> Result<(), CallFault> {
        self.0.finish().await
    }

    async fn abandon(self) -> Result<(), CallFault> {
        self.0.abandon().await
    }
}

/// The topic, with a fault.
#[derive(Debug, Clone)]
pub struct PlantedNotifier {
    /// Without it.
    pub inner: RecordingNotifier,
    /// The fault.
    pub fault: Option<PortFault>,
}

impl Notifier for PlantedNotifier {
    async fn publish(&self, notification: &Notification) -> Result<(), CallFault> {
        match self.fault {
            Some(PortFault::LostNotification) => return Ok(()),
            Some(PortFault::DoubleNotification) => self.inner.publish(notification).await?,
            _ => {}
        }
        self.inner.publish(notification).await
    }
}

/// What Step Functions knows, with a fault.
#[derive(Debug, Clone)]
pub struct PlantedExecutions {
    /// Without it.
    pub inner: MemoryExecutions,
    /// The fault.
    pub fault: Option<PortFault>,
}

impl Executions for PlantedExecutions {
    async fn state(&self, execution: &ExecutionArn) -> Result<ExecutionState, CallFault> {
        let state = self.inner.state(execution).await?;
        let is_blind = self.fault == Some(PortFault::NobodyRuns);
        Ok(if is_blind {
            ExecutionState::Ended
        } else {
            state
        })
    }
}
