//! Notifications through SNS: one message with a text for people and the report for machines.

use aws_sdk_sns::{Client, types::MessageAttributeValue};
use serde_json::json;
use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{Notification, Notifier},
};

use crate::fault_mapping::call_fault;

const PUBLISH: &str = "sns:Publish";

/// SNS allows 256 KiB for the whole message, including the text for every protocol
/// (docs.aws.amazon.com/sns/latest/api/API_Publish.html).
const MESSAGE_BYTES_MAX: usize = 262_144;

/// A longer text message would be split or rejected.
const SMS_CHARACTERS_MAX: usize = 140;

/// The protocols whose subscribers are machines.
const MACHINE_PROTOCOLS: [&str; 5] = ["sqs", "lambda", "http", "https", "firehose"];

/// Publishes to one topic.
#[derive(Debug, Clone)]
pub struct SnsNotifier {
    client: Client,
    topic_arn: Option<String>,
}

impl SnsNotifier {
    /// Publishes to `topic_arn`; without one, publishing fails.
    #[must_use]
    pub fn new(client: Client, topic_arn: Option<String>) -> Self {
        Self { client, topic_arn }
    }
}

impl Notifier for SnsNotifier {
    async fn publish(&self, notification: &Notification) -> Result<(), CallFault> {
        let topic_arn = self.topic_arn.as_ref().ok_or_else(|| {
            CallFault::new(
                PUBLISH,
                FaultKind::Rejected,
                "environment variable TOPIC_ARN is not set",
            )
        })?;
        let mut call = self
            .client
            .publish()
            .topic_arn(topic_arn)
            .subject(&notification.subject)
            .message_structure("json")
            .message(message(notification));
        for (name, value) in &notification.attributes {
            let attribute = MessageAttributeValue::builder()
                .data_type("String")
                .string_value(value)
                .build()
                .map_err(|error| CallFault::new(PUBLISH, FaultKind::Rejected, error.to_string()))?;
            call = call.message_attributes(name, attribute);
        }
        call.send()
            .await
            .map(drop)
            .map_err(|error| call_fault(PUBLISH, &error))
    }
}

/// One text for each protocol. If the report is too long to be included five times, machines get the text as well; the
/// report is in the control bucket.
fn message(notification: &Notification) -> String {
    let sms: String = notification.text.chars().take(SMS_CHARACTERS_MAX).collect();
    let mut texts = json!({
        "default": notification.text,
        "email": notification.text,
        "email-json": notification.json,
        "sms": sms,
    });
    let for_people = texts.clone();
    for protocol in MACHINE_PROTOCOLS {
        texts[protocol] = json!(notification.json);
    }
    let message = texts.to_string();
    if message.len() <= MESSAGE_BYTES_MAX {
        return message;
    }
    let mut texts = for_people;
    texts["email-json"] = json!(notification.text);
    texts.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn notification(json: String) -> Notification {
        Notification {
            subject: "s".into(),
            text: "t".repeat(500),
            json,
            attributes: BTreeMap::new(),
        }
    }

    #[test]
    fn people_get_the_text_and_machines_get_the_report() {
        let sent = message(&notification("{\"verdict\":\"COMPLETE\"}".into()));
        let texts: BTreeMap<String, String> = serde_json::from_str(&sent).unwrap();
        assert_eq!(texts["default"].len(), 500);
        assert_eq!(texts["sms"].len(), 140);
        assert_eq!(texts["sqs"], "{\"verdict\":\"COMPLETE\"}");
    }

    #[test]
    fn a_report_too_long_for_sns_does_not_prevent_the_notification() {
        let sent = message(&notification("\"x\"".repeat(50_000)));
        assert!(sent.len() <= MESSAGE_BYTES_MAX);
        let texts: BTreeMap<String, String> = serde_json::from_str(&sent).unwrap();
        assert!(!texts.contains_key("sqs"));
    }
}
