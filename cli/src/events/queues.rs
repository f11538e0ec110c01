//! The queue of events, and its dead letters.

use aws_sdk_sqs::{
    Client,
    operation::get_queue_url::GetQueueUrlError,
    types::{
        DeleteMessageBatchRequestEntry, Message, QueueAttributeName, SendMessageBatchRequestEntry,
    },
};
use serde_json::json;
use shardlift_core::{events::RETRY_MESSAGE, value::figures::counted};

use crate::{Ending, Screen, error::CommandError};

/// The most messages of a request.
const BATCH_MAX: i32 = 10;
/// The most bytes of the messages of a request. SQS takes 1 MiB since August 2025, and took 256 KiB before; each message that it
/// delivers is small enough to be sent alone
/// (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html).
const BATCH_BYTES_MAX: usize = 256 * 1_024;
/// More than were there are taken along, but not those that come back while others are put back.
const FURTHER_MAX: u64 = 100;

/// How many messages a queue has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Those that wait to be received.
    pub(crate) visible: u64,
    /// Those that somebody received.
    pub(crate) in_flight: u64,
}

/// The two queues of a stack.
pub(crate) struct Queues {
    client: Client,
    stack: String,
}

/// Where they are.
pub(crate) struct QueueUrls {
    pub(crate) events: String,
    pub(crate) dead_letters: String,
}

impl Queues {
    pub(crate) fn new(sdk: &aws_config::SdkConfig, stack: &str) -> Self {
        Self {
            client: Client::new(sdk),
            stack: stack.to_owned(),
        }
    }

    /// Finds the queues.
    ///
    /// # Errors
    /// When the stack has none.
    pub(crate) async fn find(&self) -> Result<QueueUrls, CommandError> {
        Ok(QueueUrls {
            events: self.url("events").await?,
            dead_letters: self.url("events-dead-letters").await?,
        })
    }

    async fn url(&self, name: &str) -> Result<String, CommandError> {
        let name = format!("{}-{name}", self.stack);
        let found = self.client.get_queue_url().queue_name(&name).send().await;
        let found = found.map_err(|error| {
            if error
                .as_service_error()
                .is_some_and(GetQueueUrlError::is_queue_does_not_exist)
            {
                return CommandError::usage(format!(
                    "there is no queue {name}: deploy the stack with StartOnEvents=true"
                ));
            }
            CommandError::call("sqs:GetQueueUrl", &error)
        })?;
        Ok(found.queue_url().unwrap_or_default().to_owned())
    }

    /// How many messages a queue has, as SQS counts them.
    pub(crate) async fn depth(&self, url: &str) -> Result<Depth, CommandError> {
        let (visible, hidden) = (
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        );
        let found = self
            .client
            .get_queue_attributes()
            .queue_url(url)
            .attribute_names(visible.clone())
            .attribute_names(hidden.clone())
            .send()
            .await
            .map_err(|error| CommandError::call("sqs:GetQueueAttributes", &error))?;
        let number = |name: &QueueAttributeName| {
            let attributes = found.attributes();
            let text = attributes.and_then(|attributes| attributes.get(name));
            text.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        Ok(Depth {
            visible: number(&visible),
            in_flight: number(&hidden),
        })
    }

    /// Puts the dead letters back into the queue. Each is sent before it is deleted, so none is lost; one that comes twice
    /// changes nothing.
    pub(super) async fn redrive(&self, screen: &mut Screen) -> Result<Ending, CommandError> {
        let urls = self.find().await?;
        let there = self.depth(&urls.dead_letters).await?;
        let mut moved = 0;
        while moved < there.visible + FURTHER_MAX {
            let received = self
                .client
                .receive_message()
                .queue_url(&urls.dead_letters)
                .max_number_of_messages(BATCH_MAX)
                .wait_time_seconds(1)
                .send()
                .await
                .map_err(|error| CommandError::call("sqs:ReceiveMessage", &error))?;
            let messages = received.messages();
            if messages.is_empty() {
                break;
            }
            let mut rest = messages;
            while !rest.is_empty() {
                let (batch, after) = rest.split_at(fitting(rest));
                self.put_back(&urls, batch).await?;
                rest = after;
            }
            moved += messages.len() as u64;
        }
        let is_taken = moved == 0 && there.in_flight > 0;
        if screen.is_json() {
            let received_by_others = if is_taken { there.in_flight } else { 0 };
            screen.json(json!({"put_back": moved, "received_by_others": received_by_others}))?;
            return Ok(if is_taken {
                Ending::Incomplete
            } else {
                Ending::Good
            });
        }
        if is_taken {
            writeln!(
                screen.out(),
                "{} received by somebody else just now; try again in a few minutes",
                counted(there.in_flight, "dead letter")
            )?;
            return Ok(Ending::Incomplete);
        }
        writeln!(
            screen.out(),
            "{} put back; the intake takes them within the window of the stack",
            counted(moved, "dead letter")
        )?;
        Ok(Ending::Good)
    }

    /// Makes the intake look at what waits.
    pub(super) async fn wake(&self, urls: &QueueUrls) -> Result<(), CommandError> {
        self.client
            .send_message()
            .queue_url(&urls.events)
            .message_body(RETRY_MESSAGE)
            .send()
            .await
            .map_err(|error| CommandError::call("sqs:SendMessage", &error))?;
        Ok(())
    }

    async fn put_back(&self, urls: &QueueUrls, messages: &[Message]) -> Result<(), CommandError> {
        let entry = |(index, message): (usize, &Message)| {
            SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_body(message.body().unwrap_or_default())
                .build()
                .map_err(|error| CommandError::Call(error.to_string()))
        };
        let entries: Result<Vec<_>, _> = messages.iter().enumerate().map(entry).collect();
        let sent = self
            .client
            .send_message_batch()
            .queue_url(&urls.events)
            .set_entries(Some(entries?))
            .send()
            .await
            .map_err(|error| CommandError::call("sqs:SendMessage", &error))?;
        let mut deletions = Vec::new();
        for sent in sent.successful() {
            let index: usize = sent.id().parse().unwrap_or(usize::MAX);
            let Some(message) = messages.get(index) else {
                continue;
            };
            let deletion = DeleteMessageBatchRequestEntry::builder()
                .id(sent.id())
                .receipt_handle(message.receipt_handle().unwrap_or_default())
                .build()
                .map_err(|error| CommandError::Call(error.to_string()))?;
            deletions.push(deletion);
        }
        if !deletions.is_empty() {
            self.client
                .delete_message_batch()
                .queue_url(&urls.dead_letters)
                .set_entries(Some(deletions))
                .send()
                .await
                .map_err(|error| CommandError::call("sqs:DeleteMessage", &error))?;
        }
        match sent.failed() {
            [] => Ok(()),
            [first, ..] => Err(CommandError::Call(format!(
                "sqs:SendMessage failed for {}: {}; they stay among the dead letters",
                counted(sent.failed().len() as u64, "message"),
                first.message().unwrap_or(first.code())
            ))),
        }
    }
}

/// How many of the messages fit one request; one at least.
fn fitting(messages: &[Message]) -> usize {
    let mut bytes = 0;
    let fits = |message: &&Message| {
        bytes += message.body().unwrap_or_default().len();
        bytes <= BATCH_BYTES_MAX
    };
    messages.iter().take_while(fits).count().max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_put_back_in_requests_that_sqs_takes() {
        const HALF: usize = BATCH_BYTES_MAX / 2;
        for (sizes, requests) in [
            (&[1, 2, 3][..], &[3][..]),
            (&[HALF, HALF, 1], &[2, 1]),
            (&[1, BATCH_BYTES_MAX, 1, 1], &[1, 1, 2]),
            (&[1 << 20, 1 << 20, 1], &[1, 1, 1]),
            (&[BATCH_BYTES_MAX], &[1]),
        ] {
            let message = |size: &usize| Message::builder().body("x".repeat(*size)).build();
            let messages: Vec<Message> = sizes.iter().map(message).collect();
            let (mut rest, mut found) = (&messages[..], Vec::new());
            while !rest.is_empty() {
                let count = fitting(rest);
                found.push(count);
                rest = &rest[count..];
            }
            assert_eq!(found, requests, "{sizes:?}");
        }
    }
}
