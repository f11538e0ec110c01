//! The notification configuration of the source bucket.
//!
//! A bucket has one, which others may use, too: it is read, changed in one place and written as a whole
//! (docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketNotificationConfiguration.html).

use std::io::{BufRead, IsTerminal, stdin};

use aws_sdk_s3::{
    Client,
    types::{EventBridgeConfiguration, NotificationConfiguration},
};
use serde_json::json;
use shardlift_core::value::bucket::BucketName;

use crate::{Ending, Screen, error::CommandError};

/// The configuration of one bucket.
pub(crate) struct Notifications {
    client: Client,
    bucket: BucketName,
}

impl Notifications {
    pub(crate) fn new(sdk: &aws_config::SdkConfig, bucket: &BucketName) -> Self {
        Self {
            client: Client::from_conf(
                aws_sdk_s3::config::Builder::from(sdk)
                    .force_path_style(sdk.endpoint_url().is_some())
                    .build(),
            ),
            bucket: bucket.clone(),
        }
    }

    async fn read(&self) -> Result<NotificationConfiguration, CommandError> {
        let found = self
            .client
            .get_bucket_notification_configuration()
            .bucket(self.bucket.as_str())
            .send()
            .await
            .map_err(|error| CommandError::call("s3:GetBucketNotification", &error))?;
        Ok(NotificationConfiguration::builder()
            .set_topic_configurations(found.topic_configurations)
            .set_queue_configurations(found.queue_configurations)
            .set_lambda_function_configurations(found.lambda_function_configurations)
            .set_event_bridge_configuration(found.event_bridge_configuration)
            .build())
    }

    /// Whether the bucket sends its events to EventBridge.
    pub(crate) async fn is_on(&self) -> Result<bool, CommandError> {
        Ok(self.read().await?.event_bridge_configuration.is_some())
    }

    /// Makes the bucket send its events to EventBridge, or not any more. Shows what changes before it changes.
    pub(super) async fn switch(
        &self,
        on: bool,
        yes: bool,
        screen: &mut Screen,
    ) -> Result<Ending, CommandError> {
        let configuration = self.read().await?;
        let bucket = &self.bucket;
        let is_as_asked = configuration.event_bridge_configuration.is_some() == on;
        if screen.is_json() {
            if !is_as_asked && !yes {
                return Err(CommandError::usage(
                    "with --output json no question can be asked: add --yes",
                ));
            }
            if !is_as_asked {
                self.write(configuration, on).await?;
            }
            screen.json(json!({"source_bucket": bucket, "on": on, "changed": !is_as_asked}))?;
            return Ok(Ending::Good);
        }
        if is_as_asked {
            let state = if on { "sends" } else { "does not send" };
            writeln!(
                screen.out(),
                "s3://{bucket} {state} its events to EventBridge: nothing to change"
            )?;
            return Ok(Ending::Good);
        }
        writeln!(
            screen.out(),
            "The notification configuration of s3://{bucket}:"
        )?;
        for line in kept(&configuration) {
            writeln!(screen.out(), "    {line}")?;
        }
        let sign = if on { '+' } else { '-' };
        writeln!(
            screen.out(),
            "  {sign} EventBridge: every event of the bucket"
        )?;
        if !on {
            writeln!(
                screen.out(),
                "Other EventBridge rules may use this bucket's events; they will stop receiving them, too."
            )?;
        }
        if !yes && !confirmed(screen)? {
            writeln!(
                screen.out(),
                "Nothing was changed. To change it without being asked, add --yes."
            )?;
            return Ok(Ending::Broken);
        }
        // S3 knows no condition for this write, and whoever was asked may have taken a while to answer.
        if self.read().await? != configuration {
            return Err(CommandError::usage(format!(
                "somebody else changed the notification configuration of s3://{bucket} in the meantime; this command changed nothing: look at it again"
            )));
        }
        self.write(configuration, on).await?;
        let done = if on {
            "The bucket now sends its events to EventBridge; S3 needs about five minutes for that."
        } else {
            "The bucket no longer sends its events to EventBridge; S3 needs about five minutes for that."
        };
        writeln!(screen.out(), "{done}")?;
        Ok(Ending::Good)
    }

    /// Writes the configuration with EventBridge in it, or without.
    async fn write(
        &self,
        mut configuration: NotificationConfiguration,
        on: bool,
    ) -> Result<(), CommandError> {
        configuration.event_bridge_configuration =
            on.then(|| EventBridgeConfiguration::builder().build());
        self.client
            .put_bucket_notification_configuration()
            .bucket(self.bucket.as_str())
            .notification_configuration(configuration)
            .send()
            .await
            .map_err(|error| CommandError::call("s3:PutBucketNotification", &error))?;
        Ok(())
    }
}

/// What stands in a configuration beside EventBridge, a line each.
fn kept(configuration: &NotificationConfiguration) -> Vec<String> {
    let events = |events: &[aws_sdk_s3::types::Event]| {
        let names: Vec<&str> = events
            .iter()
            .map(aws_sdk_s3::types::Event::as_str)
            .collect();
        names.join(", ")
    };
    let topics = configuration.topic_configurations().iter();
    let queues = configuration.queue_configurations().iter();
    let functions = configuration.lambda_function_configurations().iter();
    topics
        .map(|one| format!("topic {}: {}", one.topic_arn(), events(one.events())))
        .chain(queues.map(|one| format!("queue {}: {}", one.queue_arn(), events(one.events()))))
        .chain(functions.map(|one| {
            format!(
                "function {}: {}",
                one.lambda_function_arn(),
                events(one.events())
            )
        }))
        .collect()
}

fn confirmed(screen: &mut Screen) -> Result<bool, CommandError> {
    if !stdin().is_terminal() {
        return Ok(false);
    }
    write!(screen.out(), "Change it? [y/N] ")?;
    screen.out().flush()?;
    let mut answer = String::new();
    stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
