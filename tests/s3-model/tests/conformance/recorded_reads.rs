//! Checksums and reading, as recorded from AWS: facts 65 to 69, 86 and 87 of docs/MODEL.md.

use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, ChecksumType, ObjectAttributes, StorageClass,
};

use crate::backend::{Backend, Claim, MIB5, OWNER, error_document, put};
use crate::refused;
use crate::upload::create;
use crate::versions::with_delete_marker;

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

/// Fact 65.
#[tokio::test]
async fn a_checksum_has_a_form_and_stands_alone() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let put = |value: &str| {
        let request = client.put_object().bucket(&bucket).key("k");
        request
            .body(b"123456789".to_vec().into())
            .checksum_crc32(value)
    };
    for malformed in ["not base64", "AAAA", "y/Q5JgAA"] {
        refused!(put(malformed), 400, "InvalidRequest");
    }
    refused!(put("AAAAAA=="), 400, "BadDigest");
    refused!(
        put("y/Q5Jg==").checksum_crc32_c("4waSgw=="),
        400,
        "InvalidRequest"
    );
    put("y/Q5Jg==").send().await.expect("the right value");
}

/// Facts 66, 67 and 69.
#[tokio::test]
async fn single_parts_are_shown_under_a_composite_checksum_only() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for (kind, parts_shown) in [(ChecksumType::Composite, 2), (ChecksumType::FullObject, 0)] {
        let upload = create(&client, &bucket, |create| {
            let create = create.checksum_algorithm(ChecksumAlgorithm::Crc32);
            create.checksum_type(kind.clone())
        })
        .await;
        let parts = vec![upload.put(1, MIB5).await, upload.put(2, 1).await];
        let second = parts[1].checksum_crc32().map(str::to_owned);
        upload.complete(parts).send().await.expect("a completion");
        let attributes = client.get_object_attributes().bucket(&bucket).key("t");
        let attributes = attributes
            .object_attributes(ObjectAttributes::Checksum)
            .object_attributes(ObjectAttributes::ObjectParts)
            .send()
            .await
            .expect("the attributes");
        let value = attributes
            .checksum()
            .and_then(|found| found.checksum_crc32());
        assert!(value.is_some_and(|value| !value.contains('-')), "{value:?}");
        let shown = attributes.object_parts().expect("the parts");
        assert_eq!(shown.total_parts_count(), Some(2));
        assert_eq!(shown.parts().len(), parts_shown);
        let head = || client.head_object().bucket(&bucket).key("t");
        let head = || head().checksum_mode(ChecksumMode::Enabled);
        let whole = head().send().await.expect("a HEAD");
        let suffix = whole.checksum_crc32().expect("a value").contains("-2");
        assert_eq!(suffix, kind == ChecksumType::Composite);
        let part = head().part_number(2).send().await.expect("a HEAD");
        let expected = second.filter(|_| kind == ChecksumType::Composite);
        assert_eq!(part.checksum_crc32().map(str::to_owned), expected);
    }
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 9).await;
    upload
        .complete(vec![part])
        .send()
        .await
        .expect("a completion");
    let attributes = client.get_object_attributes().bucket(&bucket).key("t");
    let attributes = attributes.object_attributes(ObjectAttributes::ObjectParts);
    let attributes = attributes.send().await.expect("the attributes");
    let shown = attributes.object_parts().expect("the parts");
    assert_eq!(
        (shown.total_parts_count(), shown.parts().len()),
        (Some(1), 0)
    );
}

/// Fact 68.
#[tokio::test]
async fn a_part_is_read_by_a_number_that_exists_and_without_a_range() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let get = |number: i32| {
        client
            .get_object()
            .bucket(&bucket)
            .key("k")
            .part_number(number)
    };
    let document = error_document(get(2).send().await);
    for detail in [
        "<Code>InvalidPartNumber</Code>",
        "<ActualPartCount>1</ActualPartCount>",
        "<PartNumberRequested>2</PartNumberRequested>",
    ] {
        assert!(document.contains(detail), "{document}");
    }
    refused!(get(2), 416, "InvalidPartNumber");
    refused!(get(1).range("bytes=0-0"), 400, "InvalidRequest");
    let whole = get(1).send().await.expect("the only part");
    assert_eq!(whole.parts_count(), None);
}

/// Fact 86.
#[tokio::test]
async fn an_archived_object_tells_its_class() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    for class in [StorageClass::Glacier, StorageClass::DeepArchive] {
        let put = client.put_object().bucket(&bucket).key("k");
        put.storage_class(class.clone())
            .send()
            .await
            .expect("a PUT");
        let get = || client.get_object().bucket(&bucket).key("k");
        refused!(get(), 403, "InvalidObjectState");
        let document = error_document(get().send().await);
        let named = format!("<StorageClass>{}</StorageClass>", class.as_str());
        assert!(document.contains(&named), "{document}");
    }
}

/// Fact 87.
#[tokio::test]
async fn a_delete_marker_is_read_by_its_id_with_405_and_as_the_newest_with_404() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let client = backend.client(OWNER);
    let (bucket, marker) = with_delete_marker(&backend, &client).await;
    let get = || client.get_object().bucket(&bucket).key("k");
    refused!(get(), 404, "NoSuchKey");
    refused!(get().version_id(&marker), 405, "MethodNotAllowed");
    let head = client
        .head_object()
        .bucket(&bucket)
        .key("k")
        .version_id(marker);
    let error = head.send().await.expect_err("a marker");
    let response = error.raw_response().expect("a response");
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(response.body().bytes().unwrap_or_default(), b"");
}
