//! Versioned buckets.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};

use crate::backend::{Backend, Claim, OWNER, copy, copy_source, get, head, put};
use crate::refused;

pub(crate) async fn versioned(backend: &Backend, client: &Client) -> String {
    let bucket = backend.bucket().await;
    let configuration = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Enabled)
        .build();
    let request = client
        .put_bucket_versioning()
        .bucket(&bucket)
        .versioning_configuration(configuration);
    request.send().await.expect("versioning");
    bucket
}

/// A versioned bucket whose key `k` was written and deleted, and the id of its delete marker.
pub(crate) async fn with_delete_marker(backend: &Backend, client: &Client) -> (String, String) {
    let bucket = versioned(backend, client).await;
    put(client, &bucket, "k", "x").await;
    let delete = client.delete_object().bucket(&bucket).key("k").send();
    let marker = delete.await.expect("a marker");
    let id = marker.version_id().expect("an id").to_owned();
    (bucket, id)
}

async fn write(client: &Client, bucket: &str, body: &'static str) -> String {
    let request = client
        .put_object()
        .bucket(bucket)
        .key("k")
        .body(body.as_bytes().to_vec().into());
    request
        .send()
        .await
        .expect("a PUT")
        .version_id()
        .expect("a version")
        .to_owned()
}

#[tokio::test]
async fn every_write_is_a_version_that_can_be_read() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    let (first, second) = (
        write(&client, &bucket, "one").await,
        write(&client, &bucket, "two").await,
    );
    assert_ne!(first, second);
    let old = client
        .get_object()
        .bucket(&bucket)
        .key("k")
        .version_id(&first)
        .send()
        .await
        .expect("the old one");
    assert_eq!(old.body.collect().await.expect("the body").to_vec(), b"one");
    assert_eq!(get(&client, &bucket, "k").await, b"two");
}

#[tokio::test]
async fn an_unknown_version_is_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly(
        "responds with NoSuchVersion to malformed ids too",
    ))
    .await
    else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    write(&client, &bucket, "one").await;
    let request = |id: &str| client.get_object().bucket(&bucket).key("k").version_id(id);
    refused!(
        request("v0000000000000000000000000000fff"),
        404,
        "NoSuchVersion"
    );
    refused!(request("nonsense"), 400, "InvalidArgument");
}

#[tokio::test]
async fn a_copy_of_a_named_version_reports_that_version() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    let first = write(&client, &bucket, "one").await;
    write(&client, &bucket, "two").await;
    let source = format!("{}?versionId={first}", copy_source(&bucket, "k"));
    let copied = client
        .copy_object()
        .bucket(&bucket)
        .key("c")
        .copy_source(source)
        .send()
        .await
        .expect("a copy");
    assert_eq!(copied.copy_source_version_id(), Some(first.as_str()));
    assert_eq!(get(&client, &bucket, "c").await, b"one");
}

#[tokio::test]
async fn a_copy_without_a_named_version_reports_the_current_one() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    let version = write(&client, &bucket, "one").await;
    let copy = copy(&client, &bucket, "k", "c");
    let copied = copy.send().await.expect("a copy");
    assert_eq!(copied.copy_source_version_id(), Some(version.as_str()));
    assert_ne!(copied.version_id(), Some(version.as_str()));
}

#[tokio::test]
async fn a_delete_adds_a_marker_that_hides_older_versions() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    let version = write(&client, &bucket, "one").await;
    let deleted = client
        .delete_object()
        .bucket(&bucket)
        .key("k")
        .send()
        .await
        .expect("a delete");
    assert_eq!(deleted.delete_marker(), Some(true));
    refused!(
        client.get_object().bucket(&bucket).key("k"),
        404,
        "NoSuchKey"
    );
    let old = client
        .get_object()
        .bucket(&bucket)
        .key("k")
        .version_id(&version)
        .send()
        .await
        .expect("the old one");
    assert_eq!(old.body.collect().await.expect("the body").to_vec(), b"one");
    let marker = deleted.version_id().expect("the marker's id");
    refused!(
        client
            .get_object()
            .bucket(&bucket)
            .key("k")
            .version_id(marker),
        405,
        "MethodNotAllowed"
    );
    client
        .delete_object()
        .bucket(&bucket)
        .key("k")
        .version_id(marker)
        .send()
        .await
        .expect("the marker is deleted");
    assert_eq!(get(&client, &bucket, "k").await, b"one");
}

#[tokio::test]
async fn versions_are_listed_newest_first() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    let (first, second) = (
        write(&client, &bucket, "one").await,
        write(&client, &bucket, "two").await,
    );
    let listed = client
        .list_object_versions()
        .bucket(&bucket)
        .send()
        .await
        .expect("the versions");
    let ids: Vec<_> = listed
        .versions()
        .iter()
        .map(|version| (version.version_id(), version.is_latest()))
        .collect();
    assert_eq!(
        ids,
        [
            (Some(second.as_str()), Some(true)),
            (Some(first.as_str()), Some(false))
        ]
    );
}

#[tokio::test]
async fn an_unversioned_bucket_returns_no_version_id() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let head = head(&client, &bucket, "k").await;
    assert_eq!(head.version_id(), None);
}
