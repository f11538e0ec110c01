//! Object annotations, and how copies treat them.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::put_object_annotation::builders::PutObjectAnnotationFluentBuilder;
use aws_sdk_s3::types::{AnnotationDirective, CompletedMultipartUpload, CompletedPart};

use crate::backend::{Backend, Claim, OWNER, STRANGER, copy_source, etag_of, put};
use crate::identity::{policy, set_policy};
use crate::refused;

fn annotate(client: &Client, bucket: &str, name: &str) -> PutObjectAnnotationFluentBuilder {
    client
        .put_object_annotation()
        .bucket(bucket)
        .key("k")
        .annotation_name(name)
        .annotation_payload(Vec::from(*b"text").into())
}

async fn names(client: &Client, bucket: &str, key: &str) -> Vec<String> {
    let listed = client.list_object_annotations().bucket(bucket).key(key);
    let listed = listed.send().await.expect("a list");
    listed
        .annotations()
        .iter()
        .map(|entry| entry.annotation_name().to_owned())
        .collect()
}

#[tokio::test]
async fn annotations_are_listed_by_name_page_by_page() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    assert!(names(&client, &bucket, "k").await.is_empty());
    for name in ["b", "a", "c.1", "c.2"] {
        annotate(&client, &bucket, name)
            .send()
            .await
            .expect("an annotation");
    }
    assert_eq!(names(&client, &bucket, "k").await, ["a", "b", "c.1", "c.2"]);
    let page = |token: Option<String>| {
        client
            .list_object_annotations()
            .bucket(&bucket)
            .key("k")
            .max_annotation_results(3)
            .set_continuation_token(token)
    };
    let first = page(None).send().await.expect("a page");
    assert_eq!(
        (first.annotations().len(), first.annotation_count()),
        (3, Some(3))
    );
    let token = first.next_continuation_token().expect("one is left");
    let second = page(Some(token.to_owned())).send().await.expect("a page");
    let last: Vec<_> = second
        .annotations()
        .iter()
        .map(|entry| (entry.annotation_name(), entry.size()))
        .collect();
    assert_eq!(last, [("c.2", 4)]);
    assert_eq!(second.next_continuation_token(), None);
    let some = page(None)
        .annotation_prefix("c.")
        .send()
        .await
        .expect("a page");
    assert_eq!(some.annotations().len(), 2);
    put(&client, &bucket, "k", "overwritten").await;
    assert!(names(&client, &bucket, "k").await.is_empty());
}

#[tokio::test]
async fn annotations_that_break_a_rule_are_refused() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    let annotate = |name: &str| annotate(&client, &bucket, name);
    let payload = |bytes: Vec<u8>| annotate("n").annotation_payload(bytes.into());
    payload(vec![b'a'; 1 << 20]).send().await.expect("1 MiB");
    refused!(payload(vec![b'a'; (1 << 20) + 1]), 400, "InvalidRequest");
    refused!(payload(Vec::new()), 400, "InvalidRequest");
    refused!(payload(vec![0xff]), 415, "UnsupportedMediaType");
    annotate(&"n".repeat(512)).send().await.expect("512 bytes");
    refused!(annotate(&"n".repeat(513)), 400, "AnnotationNameTooLong");
    refused!(annotate(" "), 400, "InvalidAnnotationName");
    refused!(annotate("n").key("none"), 404, "NoSuchKey");
    let etag = etag_of(&client, &bucket, "k").await;
    annotate("n")
        .object_if_match(etag)
        .send()
        .await
        .expect("the same object");
    refused!(
        annotate("n").object_if_match("\"0\""),
        412,
        "PreconditionFailed"
    );
    let list = || client.list_object_annotations().bucket(&bucket);
    refused!(list().key("none"), 404, "NoSuchKey");
    refused!(
        list().key("k").max_annotation_results(1001),
        400,
        "InvalidArgument"
    );
}

#[tokio::test]
async fn a_copy_keeps_annotations_unless_they_are_excluded() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    annotate(&client, &bucket, "n")
        .send()
        .await
        .expect("an annotation");
    let copy = |key: &str| {
        let source = copy_source(&bucket, "k");
        client
            .copy_object()
            .bucket(&bucket)
            .key(key)
            .copy_source(source)
    };
    copy("t").send().await.expect("a copy");
    assert_eq!(names(&client, &bucket, "t").await, ["n"]);
    let without = copy("u").annotation_directive(AnnotationDirective::Exclude);
    without.send().await.expect("a copy");
    assert!(names(&client, &bucket, "u").await.is_empty());
    let unknown = copy("v").annotation_directive(AnnotationDirective::from("SOME"));
    refused!(unknown, 400, "InvalidArgument");
}

#[tokio::test]
async fn a_multipart_copy_keeps_no_annotations() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "k", "x").await;
    annotate(&client, &bucket, "n")
        .send()
        .await
        .expect("an annotation");
    let create = client.create_multipart_upload().bucket(&bucket).key("t");
    let upload = create.send().await.expect("an upload");
    let id = upload.upload_id().expect("an id");
    let part = client
        .upload_part_copy()
        .bucket(&bucket)
        .key("t")
        .upload_id(id)
        .part_number(1)
        .copy_source(copy_source(&bucket, "k"))
        .send()
        .await
        .expect("a part");
    let etag = part.copy_part_result().and_then(|result| result.e_tag());
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(etag.map(str::to_owned));
    let parts = CompletedMultipartUpload::builder()
        .parts(part.build())
        .build();
    client
        .complete_multipart_upload()
        .bucket(&bucket)
        .key("t")
        .upload_id(id)
        .multipart_upload(parts)
        .send()
        .await
        .expect("an object");
    assert!(names(&client, &bucket, "t").await.is_empty());
}

#[tokio::test]
async fn listing_annotations_needs_its_own_permission() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, stranger) = (backend.bucket().await, backend.client(STRANGER));
    put(&backend.client(OWNER), &bucket, "k", "x").await;
    let list = || stranger.list_object_annotations().bucket(&bucket).key("k");
    for (actions, is_enough) in [
        ("\"s3:GetObject\", \"s3:GetObjectAnnotation\"", false),
        ("\"s3:ListObjectAnnotations\"", true),
    ] {
        set_policy(&backend, &bucket, policy(&bucket, "Allow", actions, "/*")).await;
        if is_enough {
            list().send().await.expect("granted");
        } else {
            refused!(list(), 403, "AccessDenied");
        }
    }
}

#[tokio::test]
async fn copying_an_annotated_source_needs_permission_to_read_annotations() {
    let Some(backend) = Backend::open(Claim::ModelOnly("does not ask for it")).await else {
        return;
    };
    let (source, stranger) = (backend.bucket().await, backend.client(STRANGER));
    let owner = backend.client(OWNER);
    put(&owner, &source, "k", "x").await;
    annotate(&owner, &source, "n")
        .send()
        .await
        .expect("an annotation");
    let target = crate::backend::unique_name();
    stranger
        .create_bucket()
        .bucket(&target)
        .send()
        .await
        .expect("a bucket");
    let copy = || {
        let name = copy_source(&source, "k");
        stranger
            .copy_object()
            .bucket(&target)
            .key("t")
            .copy_source(name)
    };
    let grant =
        |actions: &str| set_policy(&backend, &source, policy(&source, "Allow", actions, "/*"));
    grant("\"s3:GetObject\"").await;
    refused!(copy(), 403, "AccessDenied");
    let without = copy().annotation_directive(AnnotationDirective::Exclude);
    without.send().await.expect("nothing to ask for");
    grant("\"s3:GetObject\", \"s3:GetObjectAnnotation\"").await;
    copy().send().await.expect("granted");
}
