//! CopyObject, as recorded from AWS: facts 1 to 24 of docs/MODEL.md.

use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, MetadataDirective, ObjectCannedAcl,
    ServerSideEncryption, StorageClass, TaggingDirective,
};

use crate::backend::{
    Backend, Claim, KMS_KEY, MIB5, OWNER, copy, copy_source, error_document, get, head, put, tags,
};
use crate::refused;
use crate::upload::create;

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

/// Facts 1, 2 and 4.
#[tokio::test]
async fn a_copy_has_a_checksum_of_the_whole_in_the_last_named_algorithm() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "123456789").await;
    let result = copy(&client, &bucket, "s", "t")
        .send()
        .await
        .expect("a copy");
    let result = result.copy_object_result().expect("a result");
    assert_eq!(result.checksum_crc32(), Some("y/Q5Jg=="));
    assert_eq!(result.checksum_type(), Some(&ChecksumType::FullObject));
    let named = copy(&client, &bucket, "s", "n").checksum_algorithm(ChecksumAlgorithm::Sha1);
    named.send().await.expect("a copy");
    let later = copy(&client, &bucket, "n", "l")
        .send()
        .await
        .expect("a copy");
    let later = later.copy_object_result().expect("a result");
    assert!(later.checksum_sha1().is_some() && later.checksum_crc32().is_none());
    // An object that no client gave a checksum.
    backend.seed(&bucket, "without", 100).await;
    let copied = copy(&client, &bucket, "without", "w")
        .send()
        .await
        .expect("a copy");
    let copied = copied.copy_object_result().expect("a result");
    assert!(copied.checksum_crc64_nvme().is_some());
}

/// Facts 3 and 5.
#[tokio::test]
async fn a_copy_of_a_multipart_object_is_a_plain_one_with_a_checksum_of_the_whole() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| {
        create.checksum_algorithm(ChecksumAlgorithm::Crc32)
    })
    .await;
    let parts = vec![upload.put(1, MIB5).await, upload.put(2, 1).await];
    upload.complete(parts).send().await.expect("a completion");
    let copied = copy(&client, &bucket, "t", "c")
        .send()
        .await
        .expect("a copy");
    let result = copied.copy_object_result().expect("a result");
    assert_eq!(result.checksum_type(), Some(&ChecksumType::FullObject));
    assert!(
        result
            .checksum_crc32()
            .is_some_and(|value| !value.contains('-'))
    );
    assert!(result.e_tag().is_some_and(|tag| !tag.contains('-')));
    put(&client, &bucket, "p", get(&client, &bucket, "t").await).await;
    let plain = head(&client, &bucket, "p").await;
    assert_eq!(result.e_tag(), plain.e_tag(), "the MD5 of the bytes");
}

/// Facts 6, 7, 8, 9 and 10.
#[tokio::test]
async fn in_place_the_presence_of_a_header_is_what_changes_the_object() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let copy = || copy(&client, &bucket, "k", "k");
    let class = || async { head(&client, &bucket, "k").await.storage_class().cloned() };
    let same_class = copy().storage_class(StorageClass::Standard).send().await;
    same_class.expect("STANDARD onto STANDARD, with the header");
    let acl = copy().acl(ObjectCannedAcl::BucketOwnerFullControl);
    refused!(acl, 400, "InvalidRequest");
    let other_class = copy().storage_class(StorageClass::StandardIa).send().await;
    other_class.expect("another class");
    assert_eq!(class().await, Some(StorageClass::StandardIa));
    refused!(copy(), 400, "InvalidRequest");
    let encryption = copy().server_side_encryption(ServerSideEncryption::Aes256);
    encryption.send().await.expect("an encryption");
    assert_eq!(
        class().await,
        None,
        "the class is not inherited in place either"
    );
    let redirect = copy().website_redirect_location("/x").send().await;
    redirect.expect("a redirect");
    let typed = copy().metadata_directive(MetadataDirective::Replace);
    let typed = typed
        .content_type("text/x-odd")
        .metadata("a", "b")
        .send()
        .await;
    typed.expect("other metadata");
    let replaced = copy()
        .metadata_directive(MetadataDirective::Replace)
        .send()
        .await;
    replaced.expect("nothing in its place");
    let after = head(&client, &bucket, "k").await;
    assert_eq!(after.content_type(), Some("binary/octet-stream"));
    assert!(
        after
            .metadata()
            .is_none_or(std::collections::HashMap::is_empty)
    );
}

/// Fact 11, for a bucket that encrypts by default under a KMS key.
#[tokio::test]
async fn in_place_a_default_encryption_of_the_bucket_is_enough() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let model = backend.model.as_ref().expect("only the model claims this");
    let view = model.bucket(&bucket).expect("the bucket");
    view.set_default_encryption(KMS_KEY);
    let copied = copy(&client, &bucket, "k", "k")
        .send()
        .await
        .expect("a copy");
    assert_eq!(copied.ssekms_key_id(), Some(KMS_KEY));
}

/// Facts 12 and 13.
#[tokio::test]
async fn what_is_sent_without_replace_is_ignored() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let source = client
        .put_object()
        .bucket(&bucket)
        .key("s")
        .metadata("a", "b");
    let source = source.content_type("text/x-odd").tagging("team=data");
    source.send().await.expect("a PUT");
    let copy = || copy(&client, &bucket, "s", "t");
    let sent = copy()
        .metadata("c", "d")
        .content_type("text/plain")
        .tagging("x=1");
    sent.send().await.expect("a copy");
    let copied = head(&client, &bucket, "t").await;
    assert_eq!(copied.content_type(), Some("text/x-odd"));
    assert!(
        copied
            .metadata()
            .is_some_and(|found| found.contains_key("a"))
    );
    assert_eq!(tags(&client, &bucket, "t").await[0].key(), "team");
    let explicit = copy()
        .tagging_directive(TaggingDirective::Copy)
        .tagging("x=1");
    explicit.send().await.expect("a copy");
    assert_eq!(tags(&client, &bucket, "t").await[0].key(), "team");
    let replaced = copy()
        .tagging_directive(TaggingDirective::Replace)
        .send()
        .await;
    replaced.expect("a copy");
    assert!(tags(&client, &bucket, "t").await.is_empty());
}

/// Fact 16.
#[tokio::test]
async fn a_missing_source_is_named() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let copy = |source: String| {
        let request = client.copy_object().bucket(&bucket).key("t");
        request.copy_source(source)
    };
    let no_key = error_document(copy(copy_source(&bucket, "none")).send().await);
    assert!(no_key.contains("<Code>NoSuchKey</Code>"), "{no_key}");
    assert!(no_key.contains("<Key>none</Key>"), "{no_key}");
    let no_bucket = error_document(copy("no-such-bucket-at-all/k".into()).send().await);
    assert!(
        no_bucket.contains("<Code>NoSuchBucket</Code>"),
        "{no_bucket}"
    );
    let named = "<BucketName>no-such-bucket-at-all</BucketName>";
    assert!(no_bucket.contains(named), "{no_bucket}");
}

/// Facts 21, 22 and 23.
#[tokio::test]
async fn a_copy_source_has_a_slash_and_is_decoded() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let copy = |source: String, key: &str| {
        let request = client.copy_object().bucket(&bucket).key(key);
        request.copy_source(source)
    };
    let refusal = error_document(copy(bucket.clone(), "t").send().await);
    for detail in [
        "<Code>InvalidArgument</Code>",
        "<ArgumentName>x-amz-copy-source</ArgumentName>",
        "<ArgumentValue>x-amz-copy-source</ArgumentValue>",
    ] {
        assert!(refusal.contains(detail), "{refusal}");
    }
    put(&client, &bucket, "a b", "space").await;
    let plus = copy(format!("{bucket}/a+b"), "t").send().await;
    plus.expect("a plus is a space");
    let parted = copy(format!("{bucket}%2Fa%20b"), "t").send().await;
    parted.expect("an encoded slash parts bucket and key");
    assert_eq!(get(&client, &bucket, "t").await, b"space");
    for key in ["100%", "a@b", "a+b", "x//y", "z/"] {
        put(&client, &bucket, key, key).await;
        let target = format!("to-{key}");
        let copied = copy(copy_source(&bucket, key), &target).send().await;
        copied.expect("a copy");
        assert_eq!(get(&client, &bucket, &target).await, key.as_bytes());
    }
}

/// Fact 24: the model holds no object under a key of the customer, so it refuses every such read.
/// Fact 14: nor does it lock objects.
#[tokio::test]
async fn keys_of_the_customer_and_locks_are_refused() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let read = client.get_object().bucket(&bucket).key("s");
    refused!(read.sse_customer_algorithm("AES256"), 400, "InvalidRequest");
    let copy = copy(&client, &bucket, "s", "t");
    refused!(
        copy.copy_source_sse_customer_algorithm("AES256"),
        400,
        "InvalidRequest"
    );
    let locked = client.put_object().bucket(&bucket).key("l");
    refused!(
        locked.object_lock_legal_hold_status("ON".into()),
        400,
        "InvalidRequest"
    );
    let head = client.head_object().bucket(&bucket).key("s");
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await;
    head.expect("nothing was harmed");
}
