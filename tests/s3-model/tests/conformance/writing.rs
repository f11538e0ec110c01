//! PutObject, DeleteObject, DeleteObjects, tagging.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectCannedAcl, ObjectIdentifier, StorageClass, Tag, Tagging};

use crate::backend::{Backend, Claim, OWNER, head, put, tags};
use crate::refused;

#[tokio::test]
async fn an_etag_is_the_md5_of_the_bytes() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let body = ByteStream::from_static(b"123456789");
    let response = client
        .put_object()
        .bucket(&bucket)
        .key("k")
        .body(body)
        .send()
        .await
        .expect("a PUT");
    assert_eq!(
        response.e_tag(),
        Some("\"25f9e794323b453885f5181f1b624d0b\"")
    );
}

/// Fact 85.
#[tokio::test]
async fn a_wrong_content_md5_is_refused() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |md5: &str| {
        client
            .put_object()
            .bucket(&bucket)
            .key("k")
            .content_md5(md5)
            .body(ByteStream::from_static(b"123456789"))
    };
    put("JfnnlDI7RTiF9RgfG2JNCw==")
        .send()
        .await
        .expect("the right digest");
    refused!(put("AAAAAAAAAAAAAAAAAAAAAA=="), 400, "BadDigest");
    refused!(put("AAAA"), 400, "InvalidDigest");
}

#[tokio::test]
async fn a_wrong_checksum_is_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly("does not verify or return it")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |crc: &str| {
        client
            .put_object()
            .bucket(&bucket)
            .key("k")
            .checksum_crc32(crc)
            .body(ByteStream::from_static(b"123456789"))
    };
    assert_eq!(
        put("y/Q5Jg==")
            .send()
            .await
            .expect("the right checksum")
            .checksum_crc32(),
        Some("y/Q5Jg==")
    );
    refused!(put("AAAAAA=="), 400, "BadDigest");
}

/// Fact 84.
#[tokio::test]
async fn an_unknown_storage_class_is_refused() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |class: StorageClass| {
        client
            .put_object()
            .bucket(&bucket)
            .key("k")
            .storage_class(class)
    };
    put(StorageClass::StandardIa)
        .send()
        .await
        .expect("a known class");
    refused!(put(StorageClass::from("ATTIC")), 400, "InvalidStorageClass");
}

#[tokio::test]
async fn metadata_is_kept_up_to_two_kilobytes() {
    let Some(backend) = Backend::open(Claim::ModelOnly("keeps any amount")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |length: usize| {
        client
            .put_object()
            .bucket(&bucket)
            .key("k")
            .metadata("name", "v".repeat(length))
    };
    put(2044).send().await.expect("2,048 bytes with the name");
    let head = head(&client, &bucket, "k").await;
    assert_eq!(
        head.metadata()
            .and_then(|metadata| metadata.get("name"))
            .map(String::len),
        Some(2044)
    );
    refused!(put(2045), 400, "MetadataTooLarge");
}

#[tokio::test]
async fn owner_enforced_buckets_refuse_acls() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |acl: ObjectCannedAcl| client.put_object().bucket(&bucket).key("k").acl(acl);
    put(ObjectCannedAcl::BucketOwnerFullControl)
        .send()
        .await
        .expect("the only ACL that is allowed");
    refused!(
        put(ObjectCannedAcl::PublicRead),
        400,
        "AccessControlListNotSupported"
    );
}

/// Fact 83, tags in a header.
#[tokio::test]
async fn tags_that_break_a_rule_are_refused() {
    let Some(backend) = Backend::open(Claim::ModelOnly("accepts eleven tags in a header")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |tags: String| client.put_object().bucket(&bucket).key("k").tagging(tags);
    put("a%20b=c%2Bd&e=".to_owned())
        .send()
        .await
        .expect("two tags");
    let response = tags(&client, &bucket, "k").await;
    let tags: Vec<_> = response
        .iter()
        .map(|tag| (tag.key(), tag.value()))
        .collect();
    assert_eq!(tags, [("a b", "c+d"), ("e", "")]);
    let many: Vec<String> = (0..11).map(|n| format!("k{n}=v")).collect();
    refused!(put(many.join("&")), 400, "InvalidTag");
    refused!(put("a=1&a=2".to_owned()), 400, "InvalidArgument");
    refused!(put("a=b=c".to_owned()), 400, "InvalidArgument");
    refused!(put(format!("{}=1", "k".repeat(129))), 400, "InvalidTag");
    refused!(put(format!("k={}", "v".repeat(257))), 400, "InvalidTag");
}

#[tokio::test]
async fn tags_are_put_and_deleted() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let tag = Tag::builder()
        .key("team")
        .value("data")
        .build()
        .expect("complete");
    let tagging = Tagging::builder().tag_set(tag).build().expect("complete");
    client
        .put_object_tagging()
        .bucket(&bucket)
        .key("k")
        .tagging(tagging.clone())
        .send()
        .await
        .expect("a tag");
    let count = || async { tags(&client, &bucket, "k").await.len() };
    assert_eq!(count().await, 1);
    client
        .delete_object_tagging()
        .bucket(&bucket)
        .key("k")
        .send()
        .await
        .expect("no tag");
    assert_eq!(count().await, 0);
    refused!(
        client
            .put_object_tagging()
            .bucket(&bucket)
            .key("none")
            .tagging(tagging),
        404,
        "NoSuchKey"
    );
}

#[tokio::test]
async fn deleting_a_missing_key_succeeds() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    for key in ["k", "k", "never"] {
        client
            .delete_object()
            .bucket(&bucket)
            .key(key)
            .send()
            .await
            .expect("a delete");
    }
    refused!(
        client.get_object().bucket(&bucket).key("k"),
        404,
        "NoSuchKey"
    );
}

#[tokio::test]
async fn many_keys_are_deleted_in_one_request_hostile_ones_included() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let keys = ["a", "b&<c>", "d é"];
    for key in keys {
        put(&client, &bucket, key, "x").await;
    }
    let named = |key: &str| {
        ObjectIdentifier::builder()
            .key(key)
            .build()
            .expect("complete")
    };
    let delete = Delete::builder()
        .set_objects(Some(keys.iter().map(|key| named(key)).collect()))
        .build();
    let response = client
        .delete_objects()
        .bucket(&bucket)
        .delete(delete.expect("complete"))
        .send()
        .await;
    assert_eq!(response.expect("a delete").deleted().len(), 3);
    let left = client
        .list_objects_v2()
        .bucket(&bucket)
        .send()
        .await
        .expect("a listing");
    assert_eq!(left.key_count(), Some(0));
}

#[tokio::test]
async fn a_thousand_and_one_keys_are_too_many_to_delete() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes more")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let named = |n: usize| {
        ObjectIdentifier::builder()
            .key(format!("k{n}"))
            .build()
            .expect("complete")
    };
    let delete = |count: usize| {
        Delete::builder()
            .set_objects(Some((0..count).map(named).collect()))
            .build()
            .expect("complete")
    };
    client
        .delete_objects()
        .bucket(&bucket)
        .delete(delete(1000))
        .send()
        .await
        .expect("a thousand");
    refused!(
        client.delete_objects().bucket(&bucket).delete(delete(1001)),
        400,
        "MalformedXML"
    );
}

#[tokio::test]
async fn only_an_empty_bucket_is_deleted() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    refused!(
        client.delete_bucket().bucket(&bucket),
        409,
        "BucketNotEmpty"
    );
    client
        .delete_object()
        .bucket(&bucket)
        .key("k")
        .send()
        .await
        .expect("a delete");
    client
        .delete_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect("an empty bucket is deleted");
}

/// docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html: the headers of a PUT have 8 KB. Tags that S3 allows
/// can be longer, and are then written by a request of their own.
#[tokio::test]
async fn headers_have_at_most_eight_kilobytes_and_tags_may_be_longer() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes any headers")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let pairs: Vec<(String, String)> = (0..10)
        .map(|number| (format!("{number}{}", "+".repeat(127)), "@".repeat(256)))
        .collect();
    let header: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{}={}", key.replace('+', "%2B"), value.replace('@', "%40")))
        .collect();
    let put = || client.put_object().bucket(&bucket).key("k");
    refused!(
        put().tagging(header.join("&")),
        400,
        "RequestHeaderSectionTooLarge"
    );
    put().send().await.expect("without tags");
    let set = pairs.iter().map(|(key, value)| {
        let tag = Tag::builder().key(key).value(value).build();
        tag.expect("a tag")
    });
    let tagging = Tagging::builder().set_tag_set(Some(set.collect())).build();
    let tagging = tagging.expect("a set");
    let put = client.put_object_tagging().bucket(&bucket).key("k");
    put.tagging(tagging).send().await.expect("ten tags");
    assert_eq!(tags(&client, &bucket, "k").await.len(), 10);
}
