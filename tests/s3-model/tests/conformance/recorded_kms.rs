//! KMS through S3, as recorded from AWS: facts 15, 62, 64 and 70 to 72 of docs/MODEL.md.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::copy_object::builders::CopyObjectFluentBuilder;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{ChecksumMode, CompletedPart, ServerSideEncryption};
use md5::{Digest as _, Md5};
use shardlift_s3_model::KmsKeyState;

use crate::backend::{Backend, Claim, KMS_KEY, MIB5, OWNER, copy, etag_of, head, put};
use crate::refused;
use crate::upload::create;

const CLAIM: Claim = Claim::ModelOnly("has no KMS keys");

fn copy_under(client: &Client, bucket: &str, key: &str) -> CopyObjectFluentBuilder {
    let request = copy(client, bucket, "s", "t");
    let request = request.server_side_encryption(ServerSideEncryption::AwsKms);
    request.ssekms_key_id(key)
}

fn put_under(client: &Client, bucket: &str, key: &str) -> PutObjectFluentBuilder {
    let request = client.put_object().bucket(bucket).key("p");
    let request = request.server_side_encryption(ServerSideEncryption::AwsKms);
    request.ssekms_key_id(key)
}

/// Fact 15.
#[tokio::test]
async fn a_copy_under_a_key_has_another_etag_each_time() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "s", "123456789").await;
    let plain = etag_of(&client, &bucket, "s").await;
    let mut etags = vec![plain.clone()];
    for _ in 0..2 {
        let copied = copy_under(&client, &bucket, KMS_KEY).send().await;
        let copied = copied.expect("a copy");
        assert_eq!(copied.ssekms_key_id(), Some(KMS_KEY));
        let result = copied.copy_object_result().expect("a result");
        assert_eq!(result.checksum_crc32(), Some("y/Q5Jg=="));
        let etag = result.e_tag().expect("an ETag").to_owned();
        assert!(!etags.contains(&etag));
        etags.push(etag);
    }
    let back = copy(&client, &bucket, "t", "b")
        .send()
        .await
        .expect("a copy");
    let back = back.copy_object_result().expect("a result");
    assert_eq!(back.e_tag(), Some(plain.as_str()));
}

/// Facts 62 and 64.
#[tokio::test]
async fn a_multipart_etag_under_a_key_is_the_md5_over_the_etags_of_its_parts() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| {
        let create = create.server_side_encryption(ServerSideEncryption::AwsKms);
        create.ssekms_key_id(KMS_KEY)
    })
    .await;
    let mut hasher = Md5::new();
    let mut parts = Vec::new();
    for number in 1..=2 {
        let bytes = vec![7; usize::try_from(MIB5).expect("small")];
        let part = upload.part(number, bytes).send().await.expect("a part");
        let etag = part.e_tag().expect("an ETag").trim_matches('"').to_owned();
        let pairs = etag.as_bytes().chunks(2);
        let digits = pairs.map(|pair| std::str::from_utf8(pair).expect("digits"));
        hasher.update(
            digits
                .map(|digits| u8::from_str_radix(digits, 16).expect("digits"))
                .collect::<Vec<_>>(),
        );
        parts.push(
            CompletedPart::builder()
                .part_number(number)
                .e_tag(etag)
                .build(),
        );
    }
    assert_ne!(parts[0].e_tag(), parts[1].e_tag(), "no MD5 of the bytes");
    let expected: String = hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let done = upload.complete(parts).send().await.expect("a completion");
    assert_eq!(done.e_tag(), Some(format!("\"{expected}-2\"").as_str()));
    assert_eq!(done.checksum_crc64_nvme(), None, "the response has none");
    let read = client.head_object().bucket(&bucket).key("t");
    let read = read.checksum_mode(ChecksumMode::Enabled).send().await;
    let read = read.expect("a HEAD");
    assert!(read.checksum_crc64_nvme().is_some(), "the object has one");
}

/// Facts 70 and 71.
#[tokio::test]
async fn every_write_refuses_a_key_that_does_not_exist() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let model = backend.model.as_ref().expect("only the model claims this");
    put(&client, &bucket, "s", "x").await;
    let elsewhere = KMS_KEY.replace("us-east-1", "eu-west-1");
    model.set_kms_key(&elsewhere, KmsKeyState::Enabled);
    for key in ["arn:aws:kms:us-east-1:111111111111:key/none", &elsewhere] {
        let not_found = "KMS.NotFoundException";
        refused!(put_under(&client, &bucket, key), 400, not_found);
        refused!(copy_under(&client, &bucket, key), 400, not_found);
        let upload = client.create_multipart_upload().bucket(&bucket).key("u");
        let upload = upload.server_side_encryption(ServerSideEncryption::AwsKms);
        refused!(upload.ssekms_key_id(key), 400, not_found);
    }
}

/// Facts 70 and 72.
#[tokio::test]
async fn a_key_that_cannot_be_used_refuses_writes_and_reads() {
    let Some(backend) = Backend::open(CLAIM).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let model = backend.model.as_ref().expect("only the model claims this");
    put(&client, &bucket, "s", "x").await;
    put_under(&client, &bucket, KMS_KEY)
        .send()
        .await
        .expect("a PUT");
    let get = || client.get_object().bucket(&bucket).key("p");
    for (state, code) in [
        (KmsKeyState::Disabled, "KMS.DisabledException"),
        (KmsKeyState::PendingDeletion, "KMS.KMSInvalidStateException"),
    ] {
        model.set_kms_key(KMS_KEY, state);
        refused!(put_under(&client, &bucket, KMS_KEY), 400, code);
        refused!(copy_under(&client, &bucket, KMS_KEY), 400, code);
        refused!(get(), 400, code);
        refused!(copy(&client, &bucket, "p", "c"), 400, code);
        head(&client, &bucket, "p").await;
    }
    model.set_kms_key(KMS_KEY, KmsKeyState::Enabled);
    get().send().await.expect("the key is back");
}
