//! Versions and deleting, as recorded from AWS: facts 17 to 20 and 88 to 92 of docs/MODEL.md.

use aws_sdk_s3::types::{
    BucketVersioningStatus, Delete, ObjectIdentifier, VersioningConfiguration,
};

use crate::backend::{Backend, Claim, OWNER, copy, copy_source, put, tags};
use crate::refused;
use crate::versions::{versioned, with_delete_marker};

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

/// Facts 17 and 18.
#[tokio::test]
async fn a_delete_marker_is_no_source() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let (bucket, marker) = with_delete_marker(&backend, &client).await;
    refused!(copy(&client, &bucket, "k", "t"), 404, "NoSuchKey");
    let source = format!("{}?versionId={marker}", copy_source(&bucket, "k"));
    let by_id = client.copy_object().bucket(&bucket).key("t");
    refused!(by_id.copy_source(source), 400, "InvalidRequest");
}

/// Facts 19 and 20.
#[tokio::test]
async fn the_null_version_is_named_as_a_target_and_not_as_a_source() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    put(&client, &bucket, "real", "x").await;
    let suspended = VersioningConfiguration::builder()
        .status(BucketVersioningStatus::Suspended)
        .build();
    let suspend = client.put_bucket_versioning().bucket(&bucket);
    let suspend = suspend.versioning_configuration(suspended).send().await;
    suspend.expect("suspended versioning");
    put(&client, &bucket, "null", "x").await;
    for (key, is_told) in [("real", true), ("null", false)] {
        let copied = copy(&client, &bucket, key, "t")
            .send()
            .await
            .expect("a copy");
        assert_eq!(copied.copy_source_version_id().is_some(), is_told, "{key}");
        assert_eq!(copied.version_id(), Some("null"));
    }
}

/// Fact 13, for named versions.
#[tokio::test]
async fn a_copy_of_a_version_has_the_tags_of_that_version() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    let put = |tagging: &str| {
        client
            .put_object()
            .bucket(&bucket)
            .key("k")
            .tagging(tagging)
    };
    let first = put("old=1").send().await.expect("a PUT");
    put("new=1").send().await.expect("a PUT");
    let id = first.version_id().expect("a version");
    let source = format!("{}?versionId={id}", copy_source(&bucket, "k"));
    let copy = client
        .copy_object()
        .bucket(&bucket)
        .key("t")
        .copy_source(source);
    copy.send().await.expect("a copy");
    assert_eq!(tags(&client, &bucket, "t").await[0].key(), "old");
}

fn named(key: &str) -> aws_sdk_s3::types::builders::ObjectIdentifierBuilder {
    ObjectIdentifier::builder().key(key)
}

/// Facts 37, 88 and 89.
#[tokio::test]
async fn delete_objects_reports_by_key() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let bucket = versioned(&backend, &client).await;
    put(&client, &bucket, "a%2Fb", "x").await;
    let delete = |quiet: bool, object: aws_sdk_s3::types::builders::ObjectIdentifierBuilder| {
        let delete = Delete::builder()
            .objects(object.build().expect("complete"))
            .objects(named("missing").build().expect("complete"))
            .quiet(quiet)
            .build();
        let request = client.delete_objects().bucket(&bucket);
        request.delete(delete.expect("complete"))
    };
    let conditional = delete(false, named("a%2Fb").size(1));
    refused!(conditional, 501, "NotImplemented");
    let malformed = delete(false, named("a%2Fb").version_id("nonsense"))
        .send()
        .await;
    let malformed = malformed.expect("status 200");
    assert_eq!(malformed.errors()[0].code(), Some("NoSuchVersion"));
    assert_eq!(malformed.deleted()[0].key(), Some("missing"));
    let single = client.delete_object().bucket(&bucket).key("a%2Fb");
    refused!(single.version_id("nonsense"), 400, "InvalidArgument");
    let quiet = delete(true, named("a%2Fb")).send().await.expect("a delete");
    assert!(quiet.deleted().is_empty() && quiet.errors().is_empty());
    let get = client.get_object().bucket(&bucket).key("a%2Fb");
    refused!(get, 404, "NoSuchKey");
}

/// Fact 92.
#[tokio::test]
async fn a_policy_is_json_with_statements() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for text in ["no JSON", "{}", "{\"Version\": \"2012-10-17\"}"] {
        let put = client.put_bucket_policy().bucket(&bucket).policy(text);
        refused!(put, 400, "MalformedPolicy");
    }
}
