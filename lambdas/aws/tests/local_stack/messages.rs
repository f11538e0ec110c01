use std::collections::BTreeMap;

use shardlift_aws::{S3ControlStore, SnsNotifier, clients};
use shardlift_core::{
    failure::fault::FaultKind,
    port::{Notification, Notifier},
    value::{arn::AccountId, bucket::BucketName},
};
use shardlift_testkit::conformance::control_store_keeps_its_promises;

use super::stack::{ACCOUNT, config, fresh_name};

fn notification() -> Notification {
    Notification {
        subject: "Shardlift: COMPLETE".into(),
        text: "all of it arrived: \u{1f680}".into(),
        json: "{\"verdict\":\"COMPLETE\"}".into(),
        attributes: BTreeMap::from([("verdict".to_owned(), "COMPLETE".to_owned())]),
    }
}

#[tokio::test]
async fn a_notification_is_published_and_an_absent_topic_is_reported() {
    let client = aws_sdk_sns::Client::new(&config().await);
    let topic = client
        .create_topic()
        .name(fresh_name("topic"))
        .send()
        .await
        .unwrap();
    let arn = topic.topic_arn().unwrap().to_owned();
    let published = SnsNotifier::new(client.clone(), Some(arn.clone()))
        .publish(&notification())
        .await;
    assert_eq!(published, Ok(()));
    let absent = SnsNotifier::new(client.clone(), Some(format!("{arn}-absent")));
    let fault = absent.publish(&notification()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NoSuchResource, "{fault}");
    let unset = SnsNotifier::new(client, None)
        .publish(&notification())
        .await;
    assert!(unset.unwrap_err().message.contains("TOPIC_ARN"));
}

#[tokio::test]
async fn the_control_store() {
    let client = clients::control_client(&config().await);
    let name = fresh_name("control");
    client.create_bucket().bucket(&name).send().await.unwrap();
    let owner = AccountId::new(ACCOUNT).unwrap();
    let store = S3ControlStore::new(client, BucketName::new(name).unwrap(), owner);
    control_store_keeps_its_promises(&store, "runs/run/").await;
}
