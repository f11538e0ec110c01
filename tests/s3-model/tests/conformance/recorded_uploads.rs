//! Multipart uploads, as recorded from AWS: facts 43 to 63 of docs/MODEL.md.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart};

use crate::backend::{Backend, Claim, MIB5, OWNER, copy_source, error_document, head, put};
use crate::refused;
use crate::upload::{Upload, create};

const CLAIM: Claim = Claim::ModelOnly("not held against the recordings");

/// A part of a completion, by its ETag alone.
fn bare(part: &CompletedPart) -> CompletedPart {
    CompletedPart::builder()
        .set_part_number(part.part_number())
        .set_e_tag(part.e_tag().map(str::to_owned))
        .build()
}

async fn with_algorithm<'a>(
    client: &'a aws_sdk_s3::Client,
    bucket: &'a str,
    algorithm: ChecksumAlgorithm,
    kind: Option<ChecksumType>,
) -> Upload<'a> {
    create(client, bucket, |create| {
        create.checksum_algorithm(algorithm).set_checksum_type(kind)
    })
    .await
}

/// Facts 43 and 44.
#[tokio::test]
async fn parts_are_copied_with_a_checksum_if_the_upload_has_an_algorithm() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "123456789").await;
    let copy = |upload: &Upload<'_>| {
        let request = client.upload_part_copy().bucket(&bucket).key("t");
        let request = request.upload_id(&upload.id).part_number(1);
        request.copy_source(copy_source(&bucket, "s"))
    };
    let plain = create(&client, &bucket, |create| create).await;
    let part = copy(&plain).send().await.expect("a part");
    let part = part.copy_part_result().expect("a result");
    assert_eq!(part.checksum_crc32(), None);
    let full = Some(ChecksumType::FullObject);
    let named = with_algorithm(&client, &bucket, ChecksumAlgorithm::Crc32C, full).await;
    let part = copy(&named).send().await.expect("a part");
    let part = part.copy_part_result().expect("a result");
    assert_eq!(part.checksum_crc32_c(), Some("4waSgw=="));
    let list = client
        .list_parts()
        .bucket(&bucket)
        .key("t")
        .upload_id(&named.id);
    let listed = list.send().await.expect("the parts");
    assert_eq!(listed.parts()[0].checksum_crc32_c(), Some("4waSgw=="));
    let completed = CompletedPart::builder().part_number(1);
    let completed = completed.set_e_tag(part.e_tag().map(str::to_owned));
    let completed = completed.checksum_crc32_c("4waSgw==").build();
    let done = named
        .complete(vec![completed])
        .send()
        .await
        .expect("no type is stated");
    assert_eq!(
        done.checksum_crc32_c(),
        Some("4waSgw=="),
        "that of the whole"
    );
    assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
}

/// Facts 45 and 47.
#[tokio::test]
async fn an_algorithm_has_a_default_type_and_a_type_needs_an_algorithm() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let request = || client.create_multipart_upload().bucket(&bucket).key("t");
    for (algorithm, kind) in [
        (ChecksumAlgorithm::Crc32, ChecksumType::Composite),
        (ChecksumAlgorithm::Crc32C, ChecksumType::Composite),
        (ChecksumAlgorithm::Sha1, ChecksumType::Composite),
        (ChecksumAlgorithm::Sha256, ChecksumType::Composite),
        (ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject),
    ] {
        let created = request().checksum_algorithm(algorithm).send().await;
        assert_eq!(created.expect("an upload").checksum_type(), Some(&kind));
    }
    let without = request().checksum_type(ChecksumType::FullObject);
    refused!(without, 400, "InvalidRequest");
}

/// Facts 49 and 50. An upload without an algorithm whose parts were sent with a checksum, as the SDK
/// does by default, is completed by ETags alone.
#[tokio::test]
async fn an_upload_without_an_algorithm_refuses_the_checksums_of_its_parts() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let sent = upload.part(1, vec![1; 9]).send().await.expect("a part");
    let checksum = sent
        .checksum_crc32()
        .expect("the response has what was sent");
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(sent.e_tag().map(str::to_owned))
        .checksum_crc32(checksum)
        .build();
    let list = client
        .list_parts()
        .bucket(&bucket)
        .key("t")
        .upload_id(&upload.id);
    let listed = list.send().await.expect("the parts");
    assert_eq!(listed.parts()[0].checksum_crc32(), None);
    assert_eq!(listed.checksum_algorithm(), None);
    refused!(upload.complete(vec![part.clone()]), 400, "InvalidPart");
    let complete = || upload.complete(vec![bare(&part)]);
    for kind in [ChecksumType::FullObject, ChecksumType::Composite] {
        refused!(complete().checksum_type(kind), 400, "InvalidRequest");
    }
    let done = complete().checksum_crc32("AAAAAA==").send().await;
    let done = done.expect("the value of another algorithm is ignored");
    assert!(done.checksum_crc64_nvme().is_some());
    assert_eq!(done.checksum_type(), Some(&ChecksumType::FullObject));
}

/// Facts 51 and 52.
#[tokio::test]
async fn part_checksums_of_a_completion_must_be_those_of_the_parts() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = with_algorithm(&client, &bucket, ChecksumAlgorithm::Crc32, None).await;
    let part = upload.put(1, 9).await;
    let with = |change: fn(&mut CompletedPart)| {
        let mut changed = part.clone();
        change(&mut changed);
        upload.complete(vec![changed])
    };
    let missing = error_document(with(|part| part.checksum_crc32 = None).send().await);
    assert!(missing.contains("<Code>InvalidRequest</Code>"), "{missing}");
    assert!(missing.contains("missing for part 1"), "{missing}");
    let wrong = with(|part| part.checksum_crc32 = Some("AAAAAA==".into()));
    refused!(wrong, 400, "InvalidPart");
    let other = with(|part| {
        part.checksum_crc32 = None;
        part.checksum_crc32_c = Some("AAAAAA==".into());
    });
    refused!(other, 400, "BadDigest");
    let right = with(|_| {}).send().await;
    right.expect("a completion");
}

/// Facts 53 and 54.
#[tokio::test]
async fn the_type_of_a_completion_is_that_of_the_upload() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let full = Some(ChecksumType::FullObject);
    let upload = with_algorithm(&client, &bucket, ChecksumAlgorithm::Crc32, full).await;
    let part = upload.put(1, 9).await;
    let value = part.checksum_crc32().expect("a checksum").to_owned();
    let complete = || upload.complete(vec![bare(&part)]);
    let other = complete().checksum_type(ChecksumType::Composite);
    refused!(other, 400, "InvalidRequest");
    refused!(complete().checksum_crc32(&value), 400, "BadDigest");
    let typed = || complete().checksum_type(ChecksumType::FullObject);
    refused!(typed().checksum_crc32("AAAAAA=="), 400, "BadDigest");
    refused!(typed().checksum_crc32_c("AAAAAA=="), 400, "BadDigest");
    typed().checksum_crc32(&value).send().await.expect("both");
    let second = with_algorithm(&client, &bucket, ChecksumAlgorithm::Crc64Nvme, None).await;
    let part = second
        .part(1, vec![1; 9])
        .checksum_algorithm(ChecksumAlgorithm::Crc64Nvme);
    let part = part.send().await.expect("a part");
    let part = CompletedPart::builder()
        .part_number(1)
        .set_e_tag(part.e_tag);
    let neither = second.complete(vec![part.build()]).send().await;
    neither.expect("the type may be left out");
}

/// Facts 56, 57 and 58.
#[tokio::test]
async fn refused_parts_are_named() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let parts = [upload.put(2, MIB5 - 1).await, upload.put(9, 1).await];
    let parts = parts.each_ref().map(bare);
    let etag = parts[0].e_tag().expect("an ETag").trim_matches('"');
    let document =
        |parts: Vec<CompletedPart>| async { error_document(upload.complete(parts).send().await) };
    let id = format!("<UploadId>{}</UploadId>", upload.id);
    let small = document(parts.to_vec()).await;
    for detail in [
        "<Code>EntityTooSmall</Code>".to_owned(),
        format!("<ETag>{etag}</ETag>"),
        "<MinSizeAllowed>5242880</MinSizeAllowed>".to_owned(),
        "<PartNumber>2</PartNumber>".to_owned(),
        "<ProposedSize>5242879</ProposedSize>".to_owned(),
    ] {
        assert!(small.contains(&detail), "{small}");
    }
    let absent = CompletedPart::builder()
        .part_number(3)
        .e_tag("\"0\"")
        .build();
    let unknown = document(vec![absent]).await;
    for detail in [
        "<Code>InvalidPart</Code>",
        "<ETag>0</ETag>",
        "<PartNumber>3<",
        &id,
    ] {
        assert!(unknown.contains(detail), "{unknown}");
    }
    let descending = document(vec![parts[1].clone(), parts[0].clone()]).await;
    for detail in ["<Code>InvalidPartOrder</Code>", &id] {
        assert!(descending.contains(detail), "{descending}");
    }
    let large = bare(&upload.put(2, MIB5).await);
    let done = upload.complete(vec![large, parts[1].clone()]).send().await;
    let done = done.expect("gaps are fine");
    assert!(
        done.e_tag().is_some_and(|tag| tag.ends_with("-2\"")),
        "it counts parts"
    );
}

/// Facts 60 and 61.
#[tokio::test]
async fn an_upload_is_found_by_its_key_and_until_it_ends() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let part = bare(&upload.put(1, 9).await);
    for (key, id) in [("t", "made-up"), ("other", upload.id.as_str())] {
        let list = client.list_parts().bucket(&bucket).key(key).upload_id(id);
        refused!(list, 404, "NoSuchUpload");
        let abort = client.abort_multipart_upload().bucket(&bucket).key(key);
        refused!(abort.upload_id(id), 404, "NoSuchUpload");
        let complete = upload.complete(vec![part.clone()]).key(key).upload_id(id);
        refused!(complete, 404, "NoSuchUpload");
        let more = upload.part(2, vec![1]).key(key).upload_id(id);
        refused!(more, 404, "NoSuchUpload");
    }
    upload
        .complete(vec![part])
        .send()
        .await
        .expect("a completion");
    let list = client
        .list_parts()
        .bucket(&bucket)
        .key("t")
        .upload_id(&upload.id);
    refused!(list, 404, "NoSuchUpload");
    let made = head(&client, &bucket, "t").await;
    assert_eq!(made.content_length(), Some(9));
}
