//! CopyObject.

use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, MetadataDirective, StorageClass, TaggingDirective,
};

use crate::backend::{
    Backend, Claim, GIB5, KMS_KEY, OWNER, STRANGER, copy, copy_source, get, head, put, tags,
};
use crate::refused;

#[tokio::test]
async fn a_copy_keeps_bytes_metadata_tags_and_etag() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let source = client
        .put_object()
        .bucket(&bucket)
        .key("s")
        .content_type("text/x-odd")
        .metadata("a", "b");
    let written = source
        .tagging("team=data")
        .body(Vec::from(*b"bytes").into())
        .send()
        .await
        .expect("a PUT");
    let copied = copy(&client, &bucket, "s", "t");
    let copied = copied.send().await.expect("a copy");
    assert_eq!(
        copied
            .copy_object_result()
            .and_then(|result| result.e_tag()),
        written.e_tag()
    );
    let head = head(&client, &bucket, "t").await;
    assert_eq!(head.content_type(), Some("text/x-odd"));
    assert_eq!(
        head.metadata()
            .and_then(|metadata| metadata.get("a"))
            .map(String::as_str),
        Some("b")
    );
    assert_eq!(get(&client, &bucket, "t").await, b"bytes");
    let tags = tags(&client, &bucket, "t").await;
    assert_eq!(tags.len(), 1);
}

#[tokio::test]
async fn directives_replace_metadata_and_tags() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let source = client
        .put_object()
        .bucket(&bucket)
        .key("s")
        .metadata("a", "b")
        .tagging("team=data");
    source.send().await.expect("a PUT");
    let copy = || copy(&client, &bucket, "s", "t").metadata("c", "d");
    let names = || async {
        let head = head(&client, &bucket, "t").await;
        head.metadata()
            .expect("metadata")
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    copy().send().await.expect("a copy");
    assert_eq!(
        names().await,
        ["a"],
        "without the directive, the request's metadata is ignored"
    );
    copy()
        .metadata_directive(MetadataDirective::Replace)
        .send()
        .await
        .expect("a copy");
    assert_eq!(names().await, ["c"]);
    copy()
        .tagging_directive(TaggingDirective::Replace)
        .tagging("x=1&y=2")
        .send()
        .await
        .expect("a copy");
    let tags = tags(&client, &bucket, "t").await;
    assert_eq!(tags.len(), 2);
}

/// Fact 6.
#[tokio::test]
async fn a_copy_does_not_inherit_the_storage_class() {
    let Some(backend) = Backend::open(Claim::ModelOnly("a copy inherits it")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let source = client
        .put_object()
        .bucket(&bucket)
        .key("s")
        .storage_class(StorageClass::StandardIa);
    source.send().await.expect("a PUT");
    let copy = || copy(&client, &bucket, "s", "t");
    let class = || async { head(&client, &bucket, "t").await.storage_class().cloned() };
    copy().send().await.expect("a copy");
    assert_eq!(class().await, None, "HEAD omits STANDARD");
    copy()
        .storage_class(StorageClass::OnezoneIa)
        .send()
        .await
        .expect("a copy");
    assert_eq!(class().await, Some(StorageClass::OnezoneIa));
}

#[tokio::test]
async fn five_gib_are_copied_and_a_byte_more_is_refused() {
    let Some(backend) =
        Backend::open(Claim::ModelOnly("keeps bodies in memory, and has no limit")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for (key, size) in [("fits", GIB5), ("over", GIB5 + 1)] {
        backend.seed(&bucket, key, size).await;
    }
    let copy = |key: &str| copy(&client, &bucket, key, "t");
    copy("fits").send().await.expect("exactly 5 GiB");
    refused!(copy("over"), 400, "InvalidRequest");
    let view = backend
        .model
        .as_ref()
        .and_then(|model| model.bucket(&bucket))
        .expect("the bucket");
    let (copied, original) = (
        view.object("t").expect("the copy"),
        view.object("fits").expect("the source"),
    );
    assert!(copied.content().same_content(original.content()));
}

/// Fact 23.
#[tokio::test]
async fn a_copy_source_is_decoded() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for key in [
        "a b",
        "a+b",
        "100%",
        "x?versionId=1",
        "é/😀",
        "a&b=c",
        "/lead",
        "trail/",
        "a//b",
    ] {
        put(&client, &bucket, key, key.as_bytes()).await;
        let copy = copy(&client, &bucket, key, "t");
        copy.send().await.expect("a copy");
        assert_eq!(get(&client, &bucket, "t").await, key.as_bytes());
    }
}

#[tokio::test]
async fn a_copy_source_must_be_encoded() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes raw bytes")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for key in ["a b", "100%", "a+b"] {
        put(&client, &bucket, key, "x").await;
    }
    let copy = |key: &str| {
        client
            .copy_object()
            .bucket(&bucket)
            .key("t")
            .copy_source(format!("{bucket}/{key}"))
    };
    refused!(copy("100%"), 400, "InvalidArgument");
    refused!(copy("a b"), 400, "InvalidArgument");
    client
        .delete_object()
        .bucket(&bucket)
        .key("a b")
        .send()
        .await
        .expect("a delete");
    // A raw plus means a space, which names another object.
    refused!(copy("a+b"), 404, "NoSuchKey");
}

#[tokio::test]
async fn a_copy_onto_itself_must_change_something() {
    let Some(backend) = Backend::open(Claim::ModelOnly("copies an object onto itself")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let copy = || copy(&client, &bucket, "k", "k");
    refused!(copy(), 400, "InvalidRequest");
    copy()
        .metadata_directive(MetadataDirective::Replace)
        .metadata("a", "b")
        .send()
        .await
        .expect("a change");
}

#[tokio::test]
async fn a_missing_source_key_and_a_missing_source_bucket_have_different_errors() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let copy = |source: String| {
        client
            .copy_object()
            .bucket(&bucket)
            .key("t")
            .copy_source(source)
    };
    refused!(copy(copy_source(&bucket, "none")), 404, "NoSuchKey");
    refused!(
        copy("no-such-bucket-at-all/k".to_owned()),
        404,
        "NoSuchBucket"
    );
}

/// Fact 91.
#[tokio::test]
async fn the_expected_owners_of_both_buckets_are_checked() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores expected owners")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let copy = || copy(&client, &bucket, "s", "t");
    copy()
        .expected_bucket_owner(OWNER)
        .expected_source_bucket_owner(OWNER)
        .send()
        .await
        .expect("both as expected");
    refused!(copy().expected_bucket_owner(STRANGER), 403, "AccessDenied");
    refused!(
        copy().expected_source_bucket_owner(STRANGER),
        403,
        "AccessDenied"
    );
    refused!(
        copy().expected_bucket_owner("me"),
        400,
        "InvalidBucketOwnerAWSAccountID"
    );
    refused!(
        client
            .list_objects_v2()
            .bucket(&bucket)
            .expected_bucket_owner(STRANGER),
        403,
        "AccessDenied"
    );
    refused!(
        client
            .head_bucket()
            .bucket(&bucket)
            .expected_bucket_owner(STRANGER),
        403,
        ""
    );
}

#[tokio::test]
async fn a_copy_keeps_the_checksum_or_computes_the_requested_one() {
    let Some(backend) = Backend::open(Claim::ModelOnly("makes no other checksum")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "123456789").await;
    backend.seed(&bucket, "plain", 100).await;
    let head = |key: &'static str| {
        client
            .head_object()
            .bucket(&bucket)
            .key(key)
            .checksum_mode(ChecksumMode::Enabled)
    };
    let copy = |key: &str| copy(&client, &bucket, key, "t");
    copy("s").send().await.expect("a copy");
    assert_eq!(
        head("t").send().await.expect("a HEAD").checksum_crc32(),
        Some("y/Q5Jg==")
    );
    copy("s")
        .checksum_algorithm(ChecksumAlgorithm::Crc32C)
        .send()
        .await
        .expect("a copy");
    assert_eq!(
        head("t").send().await.expect("a HEAD").checksum_crc32_c(),
        Some("4waSgw==")
    );
    copy("plain").send().await.expect("a copy");
    assert!(
        head("t")
            .send()
            .await
            .expect("a HEAD")
            .checksum_crc64_nvme()
            .is_some(),
        "S3 adds one"
    );
    refused!(
        copy("s").checksum_algorithm(ChecksumAlgorithm::from("CRC7")),
        400,
        "InvalidRequest"
    );
}

#[tokio::test]
async fn customer_keys_are_refused_and_kms_changes_the_etag() {
    let Some(backend) =
        Backend::open(Claim::ModelOnly("takes SSE-C, keeps the MD5 under KMS")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let before = head(&client, &bucket, "s").await;
    let kms = copy(&client, &bucket, "s", "t");
    let kms = kms
        .server_side_encryption(aws_sdk_s3::types::ServerSideEncryption::AwsKms)
        .ssekms_key_id(KMS_KEY);
    let copied = kms.send().await.expect("a copy");
    assert_eq!(copied.ssekms_key_id(), Some(KMS_KEY));
    assert_ne!(
        copied
            .copy_object_result()
            .and_then(|result| result.e_tag()),
        before.e_tag()
    );
    let customer = client
        .put_object()
        .bucket(&bucket)
        .key("c")
        .sse_customer_algorithm("AES256");
    refused!(
        customer
            .sse_customer_key("AAAA")
            .sse_customer_key_md5("AAAA"),
        403,
        "AccessDenied"
    );
}
