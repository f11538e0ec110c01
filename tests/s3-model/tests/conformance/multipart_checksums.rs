//! Checksums of multipart uploads.

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart};

use crate::backend::{Backend, Claim, MIB5, OWNER};
use crate::refused;
use crate::upload::create;

/// Fact 51.
#[tokio::test]
async fn a_composite_checksum_needs_the_checksum_of_every_part() {
    let Some(backend) = Backend::open(Claim::ModelOnly("does not insist")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| {
        create.checksum_algorithm(ChecksumAlgorithm::Crc32)
    })
    .await;
    let parts = vec![upload.put(1, MIB5).await, upload.put(2, 1).await];
    let bare = parts.iter().map(|part| {
        CompletedPart::builder()
            .set_part_number(part.part_number())
            .set_e_tag(part.e_tag().map(str::to_owned))
            .build()
    });
    refused!(upload.complete(bare.collect()), 400, "InvalidRequest");
    let done = upload.complete(parts).send().await.expect("a completion");
    assert!(
        done.checksum_crc32()
            .is_some_and(|text| text.ends_with("-2")),
        "{:?}",
        done.checksum_crc32()
    );
    assert_eq!(done.checksum_type(), Some(&ChecksumType::Composite));
}

/// Facts 46 and 48.
#[tokio::test]
async fn checksum_algorithms_and_types_must_match() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes any pair")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let with = |algorithm: ChecksumAlgorithm, kind: ChecksumType| {
        let request = client.create_multipart_upload().bucket(&bucket).key("t");
        request.checksum_algorithm(algorithm).checksum_type(kind)
    };
    with(ChecksumAlgorithm::Crc32, ChecksumType::FullObject)
        .send()
        .await
        .expect("fits");
    with(ChecksumAlgorithm::Sha256, ChecksumType::Composite)
        .send()
        .await
        .expect("fits");
    refused!(
        with(ChecksumAlgorithm::Sha256, ChecksumType::FullObject),
        400,
        "InvalidRequest"
    );
    refused!(
        with(ChecksumAlgorithm::Crc64Nvme, ChecksumType::Composite),
        400,
        "InvalidRequest"
    );
    let upload = create(&client, &bucket, |create| {
        create.checksum_algorithm(ChecksumAlgorithm::Sha256)
    })
    .await;
    refused!(
        upload.part(1, vec![1]).checksum_crc32("y/Q5Jg=="),
        400,
        "InvalidRequest"
    );
}
