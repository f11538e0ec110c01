//! What Lambda hands over from a queue, and what it gets back
//! (docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).

use serde::{Deserialize, Serialize};

/// A batch of messages.
#[derive(Debug, Clone, Deserialize)]
pub struct QueueBatch {
    /// The messages.
    #[serde(rename = "Records", default)]
    pub(crate) records: Vec<QueueMessage>,
}

/// A message.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct QueueMessage {
    #[serde(rename = "messageId")]
    pub(crate) id: String,
    pub(crate) body: String,
}

/// The messages that are to come again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct BatchReply {
    /// Them.
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<FailedItem>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedItem {
    /// Its id.
    #[serde(rename = "itemIdentifier")]
    pub id: String,
}
