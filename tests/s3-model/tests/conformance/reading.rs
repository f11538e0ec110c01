//! GetObject, HeadObject, HeadBucket, GetBucketLocation, GetObjectAttributes.

use aws_sdk_s3::types::{
    BucketLocationConstraint, ChecksumMode, CreateBucketConfiguration, ObjectAttributes,
    RestoreRequest, StorageClass,
};

use crate::backend::{Backend, Claim, OWNER, get, head, put, unique_name};
use crate::refused;

#[tokio::test]
async fn a_range_returns_exactly_its_bytes() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "0123456789").await;
    for (range, bytes, content_range) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-99", "89", "bytes 8-9/10"),
    ] {
        let response = client
            .get_object()
            .bucket(&bucket)
            .key("k")
            .range(range)
            .send()
            .await
            .expect("a range");
        assert_eq!(response.content_range(), Some(content_range));
        assert_eq!(
            response.body.collect().await.expect("the body").to_vec(),
            bytes.as_bytes()
        );
    }
}

#[tokio::test]
async fn a_range_beyond_the_end_is_refused() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "0123456789").await;
    refused!(
        client
            .get_object()
            .bucket(&bucket)
            .key("k")
            .range("bytes=10-12"),
        416,
        "InvalidRange"
    );
}

#[tokio::test]
async fn synthetic_bytes_are_the_same_in_whole_and_in_ranges() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    backend.seed(&bucket, "k", 300_001).await;
    let whole = get(&client, &bucket, "k").await;
    assert_eq!(whole.len(), 300_001);
    let part = client
        .get_object()
        .bucket(&bucket)
        .key("k")
        .range("bytes=131071-200000")
        .send()
        .await
        .expect("a range");
    assert_eq!(
        part.body.collect().await.expect("the body").to_vec(),
        whole[131_071..=200_000]
    );
}

#[tokio::test]
async fn a_missing_key_and_a_missing_bucket_have_different_errors() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    refused!(
        client.get_object().bucket(&bucket).key("k"),
        404,
        "NoSuchKey"
    );
    refused!(
        client.get_object().bucket("no-such-bucket-at-all").key("k"),
        404,
        "NoSuchBucket"
    );
    let error = client
        .head_object()
        .bucket(&bucket)
        .key("k")
        .send()
        .await
        .expect_err("nothing is there");
    assert!(
        error
            .as_service_error()
            .is_some_and(aws_sdk_s3::operation::head_object::HeadObjectError::is_not_found)
    );
}

#[tokio::test]
async fn head_bucket_returns_the_region_or_404() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let response = client
        .head_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect("the bucket exists");
    assert_eq!(response.bucket_region(), Some("us-east-1"));
    let error = client
        .head_bucket()
        .bucket("no-such-bucket-at-all")
        .send()
        .await
        .expect_err("nothing is there");
    assert!(
        error
            .as_service_error()
            .is_some_and(aws_sdk_s3::operation::head_bucket::HeadBucketError::is_not_found)
    );
}

#[tokio::test]
async fn a_bucket_is_served_only_in_its_own_region() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let home = backend.client_in(OWNER, "eu-west-1");
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::EuWest1)
        .build();
    let bucket = unique_name();
    home.create_bucket()
        .bucket(&bucket)
        .create_bucket_configuration(place)
        .send()
        .await
        .expect("a bucket");
    let location = home
        .get_bucket_location()
        .bucket(&bucket)
        .send()
        .await
        .expect("its Region");
    assert_eq!(
        location.location_constraint(),
        Some(&BucketLocationConstraint::EuWest1)
    );
    let abroad = backend.client(OWNER);
    refused!(
        abroad.list_objects_v2().bucket(&bucket),
        301,
        "PermanentRedirect"
    );
    let error = abroad
        .head_bucket()
        .bucket(&bucket)
        .send()
        .await
        .expect_err("another Region");
    let response = error.raw_response().expect("a response");
    assert_eq!(response.status().as_u16(), 301);
    assert_eq!(
        response.headers().get("x-amz-bucket-region"),
        Some("eu-west-1")
    );
}

#[tokio::test]
async fn us_east_1_has_an_empty_location() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let bucket = backend.bucket().await;
    let location = backend
        .client(OWNER)
        .get_bucket_location()
        .bucket(&bucket)
        .send()
        .await
        .expect("its Region");
    assert!(
        location
            .location_constraint()
            .is_none_or(|region| region.as_str().is_empty())
    );
}

#[tokio::test]
async fn keys_are_at_most_1024_bytes() {
    let Some(backend) = Backend::open(Claim::ModelOnly("counts characters")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, &"é".repeat(512), "x").await;
    let long = client.put_object().bucket(&bucket).key("é".repeat(513));
    refused!(long, 400, "KeyTooLongError");
}

#[tokio::test]
async fn an_archived_object_can_be_read_only_after_a_restore() {
    let Some(backend) = Backend::open(Claim::ModelOnly("reads archived objects")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let frozen = client
        .put_object()
        .bucket(&bucket)
        .key("k")
        .storage_class(StorageClass::DeepArchive);
    frozen.send().await.expect("a PUT");
    let head = client
        .head_object()
        .bucket(&bucket)
        .key("k")
        .send()
        .await
        .expect("HEAD works");
    assert_eq!(head.storage_class(), Some(&StorageClass::DeepArchive));
    refused!(
        client.get_object().bucket(&bucket).key("k"),
        403,
        "InvalidObjectState"
    );
    let copy = client
        .copy_object()
        .bucket(&bucket)
        .key("c")
        .copy_source(format!("{bucket}/k"));
    refused!(copy.clone(), 403, "InvalidObjectState");
    let restore = RestoreRequest::builder().days(1).build();
    client
        .restore_object()
        .bucket(&bucket)
        .key("k")
        .restore_request(restore)
        .send()
        .await
        .expect("a restore");
    copy.send().await.expect("the copy works now");
    get(&client, &bucket, "k").await;
}

#[tokio::test]
async fn only_archived_objects_can_be_restored() {
    let Some(backend) = Backend::open(Claim::ModelOnly("restores anything")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let restore = RestoreRequest::builder().days(1).build();
    let request = client
        .restore_object()
        .bucket(&bucket)
        .key("k")
        .restore_request(restore);
    refused!(request, 403, "InvalidObjectState");
}

#[tokio::test]
async fn only_the_requested_attributes_are_returned() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "123456789").await;
    let request = client.get_object_attributes().bucket(&bucket).key("k");
    let response = request
        .object_attributes(ObjectAttributes::ObjectSize)
        .object_attributes(ObjectAttributes::Etag)
        .object_attributes(ObjectAttributes::Checksum)
        .send()
        .await
        .expect("the attributes");
    assert_eq!(
        (response.object_size(), response.e_tag()),
        (Some(9), Some("25f9e794323b453885f5181f1b624d0b"))
    );
    assert_eq!(response.storage_class(), None);
    // The SDK sends a CRC32 by default: 0xcbf43926.
    assert_eq!(
        response
            .checksum()
            .and_then(|checksum| checksum.checksum_crc32()),
        Some("y/Q5Jg==")
    );
}

#[tokio::test]
async fn checksums_are_returned_only_on_request() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "123456789").await;
    let with_checksum = client
        .head_object()
        .bucket(&bucket)
        .key("k")
        .checksum_mode(ChecksumMode::Enabled);
    assert_eq!(
        with_checksum.send().await.expect("a HEAD").checksum_crc32(),
        Some("y/Q5Jg==")
    );
    let plain = head(&client, &bucket, "k").await;
    assert_eq!(plain.checksum_crc32(), None);
}
