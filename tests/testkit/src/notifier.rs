//! A topic that remembers.

use std::sync::{Arc, Mutex};

use shardlift_core::{
    failure::fault::CallFault,
    port::{Notification, Notifier},
};

use crate::CallScript;

/// Keeps what was published.
#[derive(Debug, Clone, Default)]
pub struct RecordingNotifier {
    published: Arc<Mutex<Vec<Notification>>>,
    script: CallScript,
}

impl RecordingNotifier {
    /// Nothing published yet; calls go through `script`.
    #[must_use]
    pub fn new(script: CallScript) -> Self {
        Self {
            published: Arc::default(),
            script,
        }
    }

    /// The same topic as another caller sees it: its calls go through `script`.
    #[must_use]
    pub fn through(&self, script: CallScript) -> Self {
        Self {
            script,
            ..self.clone()
        }
    }

    /// What was published, in order.
    #[must_use]
    pub fn published(&self) -> Vec<Notification> {
        self.published.lock().expect("not poisoned").clone()
    }
}

impl Notifier for RecordingNotifier {
    async fn publish(&self, notification: &Notification) -> Result<(), CallFault> {
        self.script
            .call("sns:Publish", || {
                self.published
                    .lock()
                    .expect("not poisoned")
                    .push(notification.clone());
                Ok(())
            })
            .await
    }
}
