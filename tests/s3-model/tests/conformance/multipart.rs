//! Multipart uploads of bytes.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::create_multipart_upload::builders::CreateMultipartUploadFluentBuilder;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, EncodingType, Part,
    ServerSideEncryption, StorageClass,
};

use shardlift_s3_model::Weather;

use crate::refused;
use crate::stage::{Claim, MIB5, OWNER, Stage, get, head, put, tags};

/// An upload under way.
pub(crate) struct Upload<'a> {
    pub(crate) client: &'a Client,
    pub(crate) bucket: &'a str,
    pub(crate) id: String,
}

pub(crate) async fn create<'a>(
    client: &'a Client,
    bucket: &'a str,
    with: impl FnOnce(CreateMultipartUploadFluentBuilder) -> CreateMultipartUploadFluentBuilder,
) -> Upload<'a> {
    let created = with(client.create_multipart_upload().bucket(bucket).key("t"))
        .send()
        .await
        .expect("an upload");
    Upload {
        client,
        bucket,
        id: created.upload_id().expect("an id").to_owned(),
    }
}

impl Upload<'_> {
    pub(crate) fn part(
        &self,
        number: i32,
        bytes: Vec<u8>,
    ) -> aws_sdk_s3::operation::upload_part::builders::UploadPartFluentBuilder {
        let request = self
            .client
            .upload_part()
            .bucket(self.bucket)
            .key("t")
            .upload_id(&self.id);
        request.part_number(number).body(bytes.into())
    }

    /// Uploads a part of `size` bytes of its number.
    pub(crate) async fn put(&self, number: i32, size: u64) -> CompletedPart {
        let size = usize::try_from(size).expect("small");
        let bytes = vec![u8::try_from(number % 200).expect("small"); size];
        let answer = self.part(number, bytes).send().await.expect("a part");
        CompletedPart::builder()
            .part_number(number)
            .set_e_tag(answer.e_tag().map(str::to_owned))
            .set_checksum_crc32(answer.checksum_crc32().map(str::to_owned))
            .build()
    }

    pub(crate) fn complete(
        &self,
        parts: Vec<CompletedPart>,
    ) -> aws_sdk_s3::operation::complete_multipart_upload::builders::CompleteMultipartUploadFluentBuilder{
        let upload = CompletedMultipartUpload::builder()
            .set_parts(Some(parts))
            .build();
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(self.bucket)
            .key("t")
            .upload_id(&self.id);
        request.multipart_upload(upload)
    }
}

#[tokio::test]
async fn parts_become_one_object_with_a_composite_tag() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let parts = vec![upload.put(1, MIB5).await, upload.put(3, 1).await];
    let done = upload.complete(parts).send().await.expect("a completion");
    // md5(md5(5 MiB of 0x01) || md5(0x03)), computed with Python's hashlib.
    assert_eq!(done.e_tag(), Some("\"670b6613704052770937315a1ff60797-2\""));
    let bytes = get(&client, &bucket, "t").await;
    assert_eq!(
        (bytes.len() as u64, bytes[0], bytes[bytes.len() - 1]),
        (MIB5 + 1, 1, 3)
    );
}

#[tokio::test]
async fn a_completion_names_at_least_one_part() {
    let Some(stage) = Stage::open(Claim::ModelOnly("completes an empty object")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 1).await;
    refused!(upload.complete(vec![]), 400, "MalformedXML");
    upload
        .complete(vec![part])
        .send()
        .await
        .expect("a completion");
}

#[tokio::test]
async fn every_part_but_the_last_has_five_mib() {
    let Some(stage) = Stage::open(Claim::ModelOnly("takes small parts")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let parts = vec![upload.put(1, MIB5 - 1).await, upload.put(2, 1).await];
    refused!(upload.complete(parts.clone()), 400, "EntityTooSmall");
    let mended = vec![upload.put(1, MIB5).await, parts[1].clone()];
    upload.complete(mended).send().await.expect("a completion");
}

#[tokio::test]
async fn parts_are_listed_in_order_and_as_they_were_uploaded() {
    let Some(stage) = Stage::open(Claim::ModelOnly("sorts the list itself")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let (first, second) = (upload.put(1, MIB5).await, upload.put(2, 1).await);
    refused!(
        upload.complete(vec![second.clone(), first.clone()]),
        400,
        "InvalidPartOrder"
    );
    let absent = CompletedPart::builder()
        .part_number(3)
        .e_tag("\"0\"")
        .build();
    refused!(
        upload.complete(vec![first.clone(), absent]),
        400,
        "InvalidPart"
    );
    let mistaken = CompletedPart::builder()
        .part_number(2)
        .e_tag("\"0\"")
        .build();
    refused!(
        upload.complete(vec![first.clone(), mistaken]),
        400,
        "InvalidPart"
    );
    upload
        .complete(vec![first, second])
        .send()
        .await
        .expect("a completion");
}

#[tokio::test]
async fn part_numbers_go_from_one_to_ten_thousand() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    for number in [1, 10_000] {
        upload.put(number, 1).await;
    }
    for number in [0, 10_001, -1] {
        refused!(upload.part(number, vec![1]), 400, "InvalidArgument");
    }
}

#[tokio::test]
async fn an_upload_keeps_what_its_creation_said() {
    let Some(stage) = Stage::open(Claim::ModelOnly("forgets the tags of the upload")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| {
        create
            .metadata("a", "b")
            .content_type("text/x-odd")
            .tagging("x=1")
            .storage_class(StorageClass::StandardIa)
    })
    .await;
    let part = upload.put(1, 1).await;
    upload
        .complete(vec![part])
        .send()
        .await
        .expect("a completion");
    let head = head(&client, &bucket, "t").await;
    assert_eq!(head.content_type(), Some("text/x-odd"));
    assert_eq!(
        head.metadata()
            .and_then(|metadata| metadata.get("a"))
            .map(String::as_str),
        Some("b")
    );
    assert_eq!(head.storage_class(), Some(&StorageClass::StandardIa));
    let tags = tags(&client, &bucket, "t").await;
    assert_eq!(tags.len(), 1);
}

#[tokio::test]
async fn an_object_of_parts_is_dated_by_the_beginning_of_its_upload() {
    let Some(stage) = Stage::open(Claim::ModelOnly("dates it by its completion")).await else {
        return;
    };
    let model = stage.model.as_ref().expect("claimed by the model alone");
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 1).await;
    model.set_weather(Weather {
        clock_skew_s: 10 * 60,
        ..Weather::default()
    });
    let completion = upload.complete(vec![part]).send().await;
    completion.expect("a completion");
    client
        .put_object()
        .bucket(&bucket)
        .key("now")
        .send()
        .await
        .expect("a PUT");
    let made = head(&client, &bucket, "t").await;
    let now = head(&client, &bucket, "now").await;
    let (Some(begun), Some(now)) = (made.last_modified(), now.last_modified()) else {
        panic!("both are dated");
    };
    assert!(now.secs() - begun.secs() >= 10 * 60, "{begun} {now}");
}

#[tokio::test]
async fn under_a_key_a_part_that_is_uploaded_twice_has_two_tags() {
    let claim = Claim::ModelOnly("keeps the MD5 of parts under KMS");
    let Some(stage) = Stage::open(claim).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| {
        create
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id("arn:key")
    })
    .await;
    let replaced = upload.put(1, 1).await;
    let part = upload.put(1, 1).await;
    assert_ne!(replaced.e_tag(), part.e_tag());
    refused!(upload.complete(vec![replaced]), 400, "InvalidPart");
    let completion = upload.complete(vec![part]).send().await;
    completion.expect("a completion");
}

#[tokio::test]
async fn the_size_of_the_object_is_checked_on_request() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 9).await;
    refused!(
        upload.complete(vec![part.clone()]).mpu_object_size(8),
        400,
        "InvalidRequest"
    );
    upload
        .complete(vec![part])
        .mpu_object_size(9)
        .send()
        .await
        .expect("a completion");
}

#[tokio::test]
async fn a_completion_holds_to_conditions_on_what_it_overwrites() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    put(&client, &bucket, "t", "there").await;
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 9).await;
    refused!(
        upload.complete(vec![part.clone()]).if_none_match("*"),
        412,
        "PreconditionFailed"
    );
    client
        .delete_object()
        .bucket(&bucket)
        .key("t")
        .send()
        .await
        .expect("a delete");
    upload
        .complete(vec![part])
        .if_none_match("*")
        .send()
        .await
        .expect("a completion");
}

#[tokio::test]
async fn an_upload_ends_once() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 9).await;
    upload
        .complete(vec![part.clone()])
        .send()
        .await
        .expect("a completion");
    refused!(upload.part(2, vec![1]), 404, "NoSuchUpload");
    let aborted = create(&client, &bucket, |create| create).await;
    let abort = || {
        client
            .abort_multipart_upload()
            .bucket(&bucket)
            .key("t")
            .upload_id(&aborted.id)
    };
    abort().send().await.expect("an abort");
    refused!(aborted.part(1, vec![1]), 404, "NoSuchUpload");
    refused!(aborted.complete(vec![part]), 404, "NoSuchUpload");
}

#[tokio::test]
async fn nothing_is_there_until_an_upload_is_completed() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    upload.put(1, 9).await;
    refused!(
        client.get_object().bucket(&bucket).key("t"),
        404,
        "NoSuchKey"
    );
    let uploads = client
        .list_multipart_uploads()
        .bucket(&bucket)
        .send()
        .await
        .expect("the uploads");
    let ids: Vec<_> = uploads
        .uploads()
        .iter()
        .filter_map(|upload| upload.upload_id())
        .collect();
    assert_eq!(ids, [upload.id.as_str()]);
}

#[tokio::test]
async fn parts_are_listed_page_by_page() {
    let Some(stage) = Stage::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    for number in 1..=5 {
        upload.put(number, 3).await;
    }
    let list = || {
        client
            .list_parts()
            .bucket(&bucket)
            .key("t")
            .upload_id(&upload.id)
    };
    let first = list().max_parts(2).send().await.expect("a page");
    assert_eq!(
        (first.is_truncated(), first.next_part_number_marker()),
        (Some(true), Some("2"))
    );
    let rest = list().part_number_marker("2").send().await.expect("a page");
    let numbers: Vec<_> = rest.parts().iter().filter_map(Part::part_number).collect();
    assert_eq!((numbers, rest.is_truncated()), (vec![3, 4, 5], Some(false)));
    refused!(list().upload_id("made-up"), 404, "NoSuchUpload");
}

#[tokio::test]
async fn a_composite_checksum_needs_that_of_every_part() {
    let Some(stage) = Stage::open(Claim::ModelOnly("does not insist")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
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

#[tokio::test]
async fn checksums_and_their_types_must_fit() {
    let Some(stage) = Stage::open(Claim::ModelOnly("takes any pair")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
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

#[tokio::test]
async fn uploads_are_listed_page_by_page_and_rolled_up() {
    let Some(stage) = Stage::open(Claim::ModelOnly("lists them all, unencoded")).await else {
        return;
    };
    let (bucket, client) = (stage.bucket().await, stage.client(OWNER));
    for key in ["a", "b/1", "b/2", "c d"] {
        client
            .create_multipart_upload()
            .bucket(&bucket)
            .key(key)
            .send()
            .await
            .expect("an upload");
    }
    let list = || {
        client
            .list_multipart_uploads()
            .bucket(&bucket)
            .encoding_type(EncodingType::Url)
    };
    let (mut keys, mut marker, mut id) = (Vec::new(), String::new(), String::new());
    for _ in 0..4 {
        let request = list()
            .delimiter("/")
            .max_uploads(1)
            .key_marker(&marker)
            .upload_id_marker(&id);
        let page = request.send().await.expect("a page");
        keys.extend(
            page.uploads()
                .iter()
                .filter_map(|upload| upload.key().map(str::to_owned)),
        );
        keys.extend(
            page.common_prefixes()
                .iter()
                .filter_map(|common| common.prefix().map(str::to_owned)),
        );
        marker = page.next_key_marker().unwrap_or("").to_owned();
        id = page.next_upload_id_marker().unwrap_or("").to_owned();
        if page.is_truncated() != Some(true) {
            break;
        }
    }
    assert_eq!(keys, ["a", "b/", "c+d"]);
    let whole = list().prefix("b/").send().await.expect("a page");
    assert_eq!(
        (whole.uploads().len(), whole.encoding_type()),
        (2, Some(&EncodingType::Url))
    );
}
