use std::{collections::BTreeMap, future::Future};

use crate::failure::fault::CallFault;

/// A message to the people and machines that watch the runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// At most 100 printable ASCII characters.
    pub subject: String,
    /// What a person reads on a phone.
    pub text: String,
    /// The report as JSON, for machines.
    pub json: String,
    /// Attributes for filter policies: `verdict`, `mode`.
    pub attributes: BTreeMap<String, String>,
}

/// Publishes notifications.
pub trait Notifier: Send + Sync {
    /// Publishes one. Repeating it notifies again.
    fn publish(
        &self,
        notification: &Notification,
    ) -> impl Future<Output = Result<(), CallFault>> + Send;
}
