//! Deletes on the condition that the object has not changed.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::backend::{Backend, Claim, OWNER, STRANGER, etag_of, put};
use crate::refused;
use crate::{
    identity::{policy, set_policy},
    versions::versioned,
};

#[tokio::test]
async fn a_delete_obeys_if_match() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
        .expect("the expected object");
    refused!(delete("k", &etag), 404, "NoSuchKey");
    put(&client, &bucket, "k", "y").await;
    delete("k", "*").send().await.expect("any object");
}

#[tokio::test]
async fn delete_objects_checks_the_etag_of_each_key() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
    let response = client
        .delete_objects()
        .bucket(&bucket)
        .delete(delete.expect("complete"))
        .send()
        .await
        .expect("status 200 even if keys fail");
    let deleted: Vec<_> = response
        .deleted()
        .iter()
        .filter_map(|key| key.key())
        .collect();
    assert_eq!(deleted, ["meant", "unconditional", "never"]);
    let refused: Vec<_> = response
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
        .expect("it was not deleted");
}

#[tokio::test]
async fn a_condition_on_a_delete_checks_only_the_newest_version() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
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
async fn a_conditional_delete_needs_permission_to_read() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores it on deletions")).await else {
        return;
    };
    let (bucket, stranger) = (backend.bucket().await, backend.client(STRANGER));
    put(&backend.client(OWNER), &bucket, "k", "x").await;
    let etag = etag_of(&backend.client(OWNER), &bucket, "k").await;
    let delete = || {
        stranger
            .delete_object()
            .bucket(&bucket)
            .key("k")
            .if_match(&etag)
    };
    let grant =
        |actions: &str| set_policy(&backend, &bucket, policy(&bucket, "Allow", actions, "/*"));
    grant("\"s3:DeleteObject\"").await;
    refused!(delete(), 403, "AccessDenied");
    grant("\"s3:DeleteObject\", \"s3:GetObject\"").await;
    delete().send().await.expect("granted");
}
