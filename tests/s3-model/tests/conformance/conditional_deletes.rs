//! Deletions on the condition that the object is still the one that was meant.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::refused;
use crate::stage::{Claim, OWNER, STRANGER, Stage, etag_of, put};
use crate::{
    identity::{policy, set_policy},
    versions::versioned,
};

#[tokio::test]
async fn a_delete_holds_to_if_match() {
    let Some(stage) = Stage::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let etag = etag_of(&client, &bucket, "k").await;
    let delete = |key: &str, etag: &str| {
        client
            .delete_object()
            .bucket(&bucket)
            .key(key)
            .if_match(etag)
    };
    refused!(delete("k", "\"0\""), 412, "PreconditionFailed");
    refused!(delete("none", &etag), 404, "NoSuchKey");
    delete("k", &etag)
        .send()
        .await
        .expect("the one that was meant");
    refused!(delete("k", &etag), 404, "NoSuchKey");
    put(&client, &bucket, "k", "y").await;
    delete("k", "*").send().await.expect("whatever is there");
}

#[tokio::test]
async fn a_delete_of_many_keys_holds_each_to_its_etag() {
    let Some(stage) = Stage::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    for key in ["meant", "written-since", "unconditional"] {
        put(&client, &bucket, key, key).await;
    }
    let etag = etag_of(&client, &bucket, "meant").await;
    let named = [
        ("meant", Some(etag.as_str())),
        ("written-since", Some(etag.as_str())),
        ("gone", Some(etag.as_str())),
        ("unconditional", None),
        ("never", None),
    ]
    .map(|(key, etag)| {
        ObjectIdentifier::builder()
            .key(key)
            .set_e_tag(etag.map(str::to_owned))
            .build()
            .expect("complete")
    });
    let delete = Delete::builder().set_objects(Some(named.into())).build();
    let answer = client
        .delete_objects()
        .bucket(&bucket)
        .delete(delete.expect("complete"))
        .send()
        .await
        .expect("a 200 whatever became of the keys");
    let deleted: Vec<_> = answer
        .deleted()
        .iter()
        .filter_map(|key| key.key())
        .collect();
    assert_eq!(deleted, ["meant", "unconditional", "never"]);
    let refused: Vec<_> = answer
        .errors()
        .iter()
        .map(|error| (error.key().expect("a key"), error.code().expect("a code")))
        .collect();
    assert_eq!(
        refused,
        [
            ("written-since", "PreconditionFailed"),
            ("gone", "NoSuchKey")
        ]
    );
    client
        .head_object()
        .bucket(&bucket)
        .key("written-since")
        .send()
        .await
        .expect("it was left as it is");
}

#[tokio::test]
async fn only_the_newest_version_counts_for_a_condition_on_a_delete() {
    let Some(stage) = Stage::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let client = stage.client(OWNER);
    let bucket = versioned(&stage, &client).await;
    put(&client, &bucket, "k", "old").await;
    let old = etag_of(&client, &bucket, "k").await;
    put(&client, &bucket, "k", "new").await;
    let delete = |etag: &str| {
        client
            .delete_object()
            .bucket(&bucket)
            .key("k")
            .if_match(etag)
    };
    refused!(delete(&old), 412, "PreconditionFailed");
    let new = etag_of(&client, &bucket, "k").await;
    delete(&new).send().await.expect("a marker");
    refused!(delete(&new), 412, "PreconditionFailed");
}

#[tokio::test]
async fn a_conditional_delete_needs_leave_to_read() {
    let Some(stage) = Stage::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let (bucket, stranger) = (stage.bucket().await, stage.client(STRANGER));
    put(&stage.client(OWNER), &bucket, "k", "x").await;
    let etag = etag_of(&stage.client(OWNER), &bucket, "k").await;
    let delete = || {
        stranger
            .delete_object()
            .bucket(&bucket)
            .key("k")
            .if_match(&etag)
    };
    let leave =
        |actions: &str| set_policy(&stage, &bucket, policy(&bucket, "Allow", actions, "/*"));
    leave("\"s3:DeleteObject\"").await;
    refused!(delete(), 403, "AccessDenied");
    leave("\"s3:DeleteObject\", \"s3:GetObject\"").await;
    delete().send().await.expect("granted");
}
