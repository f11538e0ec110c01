//! Multipart uploads, from their creation to their end.

use aws_sdk_s3::types::{CompletedPart, ServerSideEncryption, StorageClass};
use shardlift_s3_model::Weather;

use crate::backend::{Backend, Claim, KMS_KEY, MIB5, OWNER, etag_of, get, head, put, tags};
use crate::refused;
use crate::upload::create;

#[tokio::test]
async fn parts_become_one_object_with_a_composite_etag() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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

/// Fact 55.
#[tokio::test]
async fn a_completion_names_at_least_one_part() {
    let Some(backend) = Backend::open(Claim::ModelOnly("completes an empty object")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 1).await;
    refused!(upload.complete(vec![]), 400, "InvalidRequest");
    upload
        .complete(vec![part])
        .send()
        .await
        .expect("a completion");
}

/// Fact 56.
#[tokio::test]
async fn every_part_except_the_last_has_at_least_five_mib() {
    let Some(backend) = Backend::open(Claim::ModelOnly("takes small parts")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    let parts = vec![upload.put(1, MIB5 - 1).await, upload.put(2, 1).await];
    refused!(upload.complete(parts.clone()), 400, "EntityTooSmall");
    let mended = vec![upload.put(1, MIB5).await, parts[1].clone()];
    upload.complete(mended).send().await.expect("a completion");
}

#[tokio::test]
async fn a_completion_lists_parts_in_order_with_their_etags() {
    let Some(backend) = Backend::open(Claim::ModelOnly("sorts the list itself")).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| create).await;
    for number in [1, 10_000] {
        upload.put(number, 1).await;
    }
    for number in [0, 10_001, -1] {
        refused!(upload.part(number, vec![1]), 400, "InvalidArgument");
    }
}

#[tokio::test]
async fn an_upload_keeps_the_attributes_of_its_creation() {
    let Some(backend) = Backend::open(Claim::ModelOnly("forgets the tags of the upload")).await
    else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
async fn a_multipart_object_is_dated_by_the_creation_of_its_upload() {
    let Some(backend) = Backend::open(Claim::ModelOnly("dates it by its completion")).await else {
        return;
    };
    let model = backend
        .model
        .as_ref()
        .expect("only the model claims this case");
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
async fn under_kms_a_part_that_is_uploaded_twice_has_two_etags() {
    let claim = Claim::ModelOnly("keeps the MD5 of parts under KMS");
    let Some(backend) = Backend::open(claim).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    let upload = create(&client, &bucket, |create| {
        create
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(KMS_KEY)
    })
    .await;
    let replaced = upload.put(1, 1).await;
    let part = upload.put(1, 1).await;
    assert_ne!(replaced.e_tag(), part.e_tag());
    refused!(upload.complete(vec![replaced]), 400, "InvalidPart");
    let completion = upload.complete(vec![part]).send().await;
    completion.expect("a completion");
}

/// Fact 59.
#[tokio::test]
async fn the_size_of_the_object_is_checked_on_request() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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

/// Facts 34 and 35.
#[tokio::test]
async fn a_completion_obeys_conditions_on_the_object_it_overwrites() {
    let claim = Claim::ModelOnly("completes although the key was deleted meanwhile");
    let Some(backend) = Backend::open(claim).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
    put(&client, &bucket, "t", "there").await;
    let upload = create(&client, &bucket, |create| create).await;
    let part = upload.put(1, 9).await;
    let complete = || upload.complete(vec![part.clone()]);
    refused!(complete().if_none_match("*"), 412, "PreconditionFailed");
    refused!(complete().if_match("\"0\""), 412, "PreconditionFailed");
    let delete = client.delete_object().bucket(&bucket).key("t").send();
    delete.await.expect("a delete");
    refused!(complete().if_match("\"0\""), 404, "NoSuchKey");
    refused!(
        complete().if_none_match("*"),
        409,
        "ConditionalRequestConflict"
    );
    let second = create(&client, &bucket, |create| create).await;
    let part = second.put(1, 9).await;
    let completion = second.complete(vec![part]).if_none_match("*").send().await;
    completion.expect("nothing happened since this one began");
    // The key is written while a third upload is open.
    let third = create(&client, &bucket, |create| create).await;
    let part = third.put(1, 9).await;
    put(&client, &bucket, "t", "since").await;
    let etag = etag_of(&client, &bucket, "t").await;
    refused!(
        third.complete(vec![part.clone()]).if_match(&etag),
        409,
        "ConditionalRequestConflict"
    );
    let unconditional = third.complete(vec![part]).send().await;
    unconditional.expect("a completion without a condition");
}

#[tokio::test]
async fn an_upload_ends_once() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
async fn an_object_exists_only_after_its_upload_is_completed() {
    let Some(backend) = Backend::open(Claim::Both).await else {
        return;
    };
    let (bucket, client) = (backend.bucket().await, backend.client(OWNER));
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
