//! UploadPartCopy.

use aws_sdk_s3::operation::upload_part_copy::builders::UploadPartCopyFluentBuilder;
use aws_sdk_s3::types::CompletedPart;

use crate::backend::{
    Backend, Claim, GIB5, MIB5, OWNER, STRANGER, copy_source, get, head, put, tags,
};
use crate::refused;
use crate::upload::{Upload, create};

fn part(upload: &Upload<'_>, number: i32, source: &str) -> UploadPartCopyFluentBuilder {
    let request = upload
        .client
        .upload_part_copy()
        .bucket(upload.bucket)
        .key("t")
        .upload_id(&upload.id);
    request.part_number(number).copy_source(source)
}

async fn copied(request: UploadPartCopyFluentBuilder, number: i32) -> CompletedPart {
    let response = request.send().await.expect("a part");
    let etag = response
        .copy_part_result()
        .and_then(|result| result.e_tag())
        .map(str::to_owned);
    CompletedPart::builder()
        .part_number(number)
        .set_e_tag(etag)
        .build()
}

#[tokio::test]
async fn ranges_of_an_object_become_an_equal_object() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    backend.seed(&bucket, "s", 2 * MIB5 + 5).await;
    let upload = create(&client, &bucket, |create| create).await;
    let source = copy_source(&bucket, "s");
    let mut parts = Vec::new();
    for (number, first, last) in [
        (1, 0, MIB5 - 1),
        (2, MIB5, 2 * MIB5 - 1),
        (3, 2 * MIB5, 2 * MIB5 + 4),
    ] {
        let range = format!("bytes={first}-{last}");
        parts.push(
            copied(
                part(&upload, number, &source).copy_source_range(range),
                number,
            )
            .await,
        );
    }
    upload.complete(parts).send().await.expect("a completion");
    assert_eq!(
        get(&client, &bucket, "t").await,
        get(&client, &bucket, "s").await
    );
}

#[tokio::test]
async fn a_multipart_copy_keeps_neither_metadata_nor_tags_nor_class() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let source = client
        .put_object()
        .bucket(&bucket)
        .key("s")
        .metadata("a", "b")
        .tagging("x=1");
    let source = source
        .storage_class(aws_sdk_s3::types::StorageClass::StandardIa)
        .content_type("text/x-odd");
    source.body(vec![1].into()).send().await.expect("a PUT");
    let upload = create(&client, &bucket, |create| create).await;
    let one = copied(part(&upload, 1, &copy_source(&bucket, "s")), 1).await;
    upload
        .complete(vec![one])
        .send()
        .await
        .expect("a completion");
    let head = head(&client, &bucket, "t").await;
    assert!(
        head.metadata()
            .is_none_or(std::collections::HashMap::is_empty)
    );
    assert_ne!(head.content_type(), Some("text/x-odd"));
    assert_eq!(
        head.storage_class()
            .map_or("STANDARD", |class| class.as_str()),
        "STANDARD"
    );
    let tags = tags(&client, &bucket, "t").await;
    assert!(tags.is_empty());
}

/// Facts 40 and 41.
#[tokio::test]
async fn a_range_must_lie_within_the_source() {
    let claim = Claim::ModelOnly("responds with InvalidArgument to every range beyond the end");
    let Some(backend) = Backend::open(claim).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    backend.seed(&bucket, "s", MIB5 + 1).await;
    let upload = create(&client, &bucket, |create| create).await;
    let source = copy_source(&bucket, "s");
    let range = |text: String| part(&upload, 1, &source).copy_source_range(text);
    range(format!("bytes=0-{MIB5}"))
        .send()
        .await
        .expect("the last byte");
    refused!(
        range(format!("bytes=0-{}", MIB5 + 1)),
        400,
        "InvalidArgument"
    );
    refused!(
        range(format!("bytes={}-{}", MIB5 + 1, MIB5 + 1)),
        400,
        "InvalidRequest"
    );
}

/// Fact 42.
#[tokio::test]
async fn a_copied_range_has_only_one_form() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    backend.seed(&bucket, "s", MIB5 + 1).await;
    let upload = create(&client, &bucket, |create| create).await;
    let source = copy_source(&bucket, "s");
    for text in [
        "0-5",
        "bytes=0-",
        "bytes=-5",
        "bytes=5-4",
        "bytes=0-1,3-4",
        "bytes=a-b",
    ] {
        refused!(
            part(&upload, 1, &source).copy_source_range(text),
            400,
            "InvalidArgument"
        );
    }
}

/// Fact 39.
#[tokio::test]
async fn a_range_of_a_source_of_ten_bytes_is_copied() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "0123456789").await;
    let upload = create(&client, &bucket, |create| create).await;
    let range = part(&upload, 1, &copy_source(&bucket, "s")).copy_source_range("bytes=2-4");
    let one = copied(range, 1).await;
    let completion = upload.complete(vec![one]).send().await;
    completion.expect("a completion");
    assert_eq!(get(&client, &bucket, "t").await, b"234");
}

#[tokio::test]
async fn a_part_is_at_most_five_gib() {
    let Some(backend) =
        Backend::open(Claim::ModelOnly("keeps bodies in memory, and has no limit")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    backend.seed(&bucket, "s", 2 * GIB5).await;
    let upload = create(&client, &bucket, |create| create).await;
    let source = copy_source(&bucket, "s");
    let range = |length: u64| {
        part(&upload, 1, &source).copy_source_range(format!("bytes=0-{}", length - 1))
    };
    range(GIB5).send().await.expect("exactly 5 GiB");
    refused!(range(GIB5 + 1), 400, "EntityTooLarge");
    refused!(part(&upload, 1, &source), 400, "InvalidRequest");
}

#[tokio::test]
async fn a_part_copy_obeys_conditions_on_its_source() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let head = head(&client, &bucket, "s").await;
    let upload = create(&client, &bucket, |create| create).await;
    let source = copy_source(&bucket, "s");
    let copy = || part(&upload, 1, &source);
    copy()
        .set_copy_source_if_match(head.e_tag().map(str::to_owned))
        .send()
        .await
        .expect("the same");
    refused!(
        copy().copy_source_if_match("\"0\""),
        412,
        "PreconditionFailed"
    );
}

#[tokio::test]
async fn a_part_copy_checks_the_expected_owners_of_both_buckets() {
    let Some(backend) = Backend::open(Claim::ModelOnly("ignores expected owners")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "x").await;
    let upload = create(&client, &bucket, |create| create).await;
    let source = copy_source(&bucket, "s");
    let copy = || part(&upload, 1, &source);
    copy()
        .expected_bucket_owner(OWNER)
        .expected_source_bucket_owner(OWNER)
        .send()
        .await
        .expect("as expected");
    refused!(copy().expected_bucket_owner(STRANGER), 403, "AccessDenied");
    refused!(
        copy().expected_source_bucket_owner(STRANGER),
        403,
        "AccessDenied"
    );
}
