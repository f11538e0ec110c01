use std::collections::BTreeMap;

use shardlift_core::{
    copy::part_layout::{PART_BYTES_MIN, PartLayout},
    failure::fault::FaultKind,
    port::{CopySource, PartReceipt, TagSet, TargetBucket, UploadSpec},
    run::option::SseChoice,
    value::{
        header::HeaderBytes,
        id::UploadId,
        key::{KeyPrefix, ObjectKey},
        object::{ETag, Encryption},
    },
};

use super::{
    CopyWorld, SourceObject,
    copying::{key, kms_key, planned, refused},
};

/// Hostile enough, and part of every call of an upload.
const KEY: &str = "parts/a b+c//\u{1f680}?uploadId=x";
const SIZE_BYTES: u64 = 2 * PART_BYTES_MIN + 1;

/// What every target does about copies in parts.
pub async fn multipart_keeps_its_promises(world: &impl CopyWorld) {
    world.put_source(KEY, &SourceObject::of(SIZE_BYTES));
    let source = planned(world, KEY).await;
    an_object_in_parts_is_the_same_object(world, &source).await;
    an_upload_is_seen_until_it_is_aborted(world, &source).await;
    tags_are_written_to_an_object_that_is_there(world, &source).await;
    tags_too_long_for_a_header_are_refused(world).await;
    parts_that_do_not_sum_up_are_refused(world, &source).await;
    a_part_of_a_changed_source_is_refused(world, &source).await;
    an_upload_tells_how_its_object_will_be_encrypted(world, &source, Encryption::S3Managed).await;
    world.encrypt_target_under_kms();
    an_upload_tells_how_its_object_will_be_encrypted(world, &source, Encryption::Kms).await;
}

/// `by_default`: what the target bucket does to an upload that names no key.
async fn an_upload_tells_how_its_object_will_be_encrypted(
    world: &impl CopyWorld,
    source: &CopySource,
    by_default: Encryption,
) {
    let (target, target_key) = (world.target(), key("parts/encrypted"));
    for (kms_key_arn, sse, expected) in [
        (Some(kms_key()), None, Encryption::Kms),
        (None, Some(SseChoice::Aes256), Encryption::S3Managed),
        (None, None, by_default),
    ] {
        let upload = UploadSpec {
            kms_key_arn,
            sse,
            ..upload_of(&target_key)
        };
        let created = target.create_upload(&upload).await.expect("an upload");
        assert_eq!(created.encryption, expected, "{:?}", upload.kms_key_arn);
        let parts = copied_parts(world, source, &target_key, &created.id).await;
        let completed = target.complete_upload(&target_key, &created.id, &parts, SIZE_BYTES);
        completed.await.expect("an object");
        let written = target.head_target(&target_key).await.expect("written");
        assert_eq!(written.encryption, expected, "{:?}", upload.kms_key_arn);
    }
}

fn upload_of(target_key: &ObjectKey) -> UploadSpec {
    let map = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.into())]);
    let mut headers = map("content-type", "text/csv");
    headers.insert("content-disposition".into(), odd_disposition());
    headers.insert("cache-control".into(), "no-store".into());
    headers.insert("expires".into(), "Thu, 01 Dec 1994 16:00:00 GMT".into());
    UploadSpec {
        target_key: target_key.clone(),
        headers,
        metadata: map("owner", "data team"),
        tags: TagSet::from([("a=b+c".to_owned(), "d / e".to_owned())]),
        storage_class: None,
        kms_key_arn: None,
        sse: None,
        acl: None,
        checksum_algorithm: None,
    }
}

/// `attachment; filename="Ü"` in Latin-1, as a POST form sets it.
fn odd_disposition() -> HeaderBytes {
    HeaderBytes::from(b"attachment; filename=\"\xdc\"".to_vec())
}

async fn upload_with_parts(
    world: &impl CopyWorld,
    source: &CopySource,
    target_key: &ObjectKey,
) -> (UploadId, Vec<PartReceipt>) {
    let target = world.target();
    let upload_id = target
        .create_upload(&upload_of(target_key))
        .await
        .expect("an upload")
        .id;
    let parts = copied_parts(world, source, target_key, &upload_id).await;
    (upload_id, parts)
}

async fn copied_parts(
    world: &impl CopyWorld,
    source: &CopySource,
    target_key: &ObjectKey,
    upload_id: &UploadId,
) -> Vec<PartReceipt> {
    let layout = PartLayout::new(SIZE_BYTES, PART_BYTES_MIN).expect("a layout");
    let mut parts = Vec::new();
    for part in layout.parts() {
        let receipt = world
            .target()
            .copy_part(source, target_key, upload_id, &part)
            .await;
        parts.push(receipt.expect("a part"));
    }
    parts
}

async fn an_object_in_parts_is_the_same_object(world: &impl CopyWorld, source: &CopySource) {
    let (target, target_key) = (world.target(), key(KEY));
    let (upload_id, parts) = upload_with_parts(world, source, &target_key).await;
    assert_eq!(parts.len(), 3);
    let listed = target
        .list_parts(&target_key, &upload_id)
        .await
        .expect("the parts");
    assert_eq!(
        listed
            .iter()
            .map(|part| (part.number, &part.etag))
            .collect::<Vec<_>>(),
        parts
            .iter()
            .map(|part| (part.number, &part.etag))
            .collect::<Vec<_>>()
    );
    assert_eq!(
        listed[2].size_bytes,
        Some(1),
        "the last part holds the rest"
    );
    let receipt = target
        .complete_upload(&target_key, &upload_id, &listed, SIZE_BYTES)
        .await
        .expect("an object");
    assert_eq!(receipt.etag.part_count(), Some(3));
    let written = target.head_target(&target_key).await.expect("written");
    assert_eq!(
        (written.size_bytes, &written.etag),
        (SIZE_BYTES, &receipt.etag)
    );
    let upload = upload_of(&target_key);
    for (name, value) in &upload.headers {
        assert_eq!(written.headers.get(name), Some(value), "{name}");
    }
    assert_eq!(written.metadata, upload.metadata);
    assert_eq!(world.target_tags(KEY), upload.tags);
    assert!(world.is_same_content(KEY, KEY));
}

async fn an_upload_is_seen_until_it_is_aborted(world: &impl CopyWorld, source: &CopySource) {
    let (target, target_key) = (world.target(), key("parts/aborted +%2F"));
    let prefix = KeyPrefix::new("parts/").expect("a prefix");
    let elsewhere = KeyPrefix::new("elsewhere/").expect("a prefix");
    let (upload_id, parts) = upload_with_parts(world, source, &target_key).await;
    let seen = target.list_uploads(&prefix).await;
    assert_eq!(seen, Ok(vec![(target_key.clone(), upload_id.clone())]));
    assert_eq!(target.list_uploads(&elsewhere).await, Ok(Vec::new()));
    for _ in 0..2 {
        let aborted = target.abort_upload(&target_key, &upload_id).await;
        assert_eq!(aborted, Ok(()), "aborting twice is aborting");
    }
    assert_eq!(target.list_uploads(&prefix).await, Ok(Vec::new()));
    let part = PartLayout::new(SIZE_BYTES, PART_BYTES_MIN)
        .expect("a layout")
        .parts()
        .next()
        .expect("a part");
    for kind in [
        refused(target.list_parts(&target_key, &upload_id)).await,
        refused(target.copy_part(source, &target_key, &upload_id, &part)).await,
        refused(target.complete_upload(&target_key, &upload_id, &parts, SIZE_BYTES)).await,
    ] {
        assert_eq!(kind, FaultKind::NoSuchUpload);
    }
}

async fn parts_that_do_not_sum_up_are_refused(world: &impl CopyWorld, source: &CopySource) {
    let (target, target_key) = (world.target(), key("parts/short"));
    let (upload_id, parts) = upload_with_parts(world, source, &target_key).await;
    let short = target.complete_upload(&target_key, &upload_id, &parts[..2], SIZE_BYTES);
    assert_eq!(refused(short).await, FaultKind::Rejected);
    let absent = refused(target.head_target(&target_key)).await;
    assert_eq!(absent, FaultKind::NoSuchKey, "nothing was written");
    assert_eq!(target.abort_upload(&target_key, &upload_id).await, Ok(()));
}

async fn a_part_of_a_changed_source_is_refused(world: &impl CopyWorld, source: &CopySource) {
    let (target, target_key) = (world.target(), key("parts/changed"));
    let (upload_id, _) = upload_with_parts(world, source, &target_key).await;
    let mut changed = source.clone();
    changed.etag = ETag::new("00000000000000000000000000000000").expect("an ETag");
    let part = PartLayout::new(SIZE_BYTES, PART_BYTES_MIN)
        .expect("a layout")
        .parts()
        .next()
        .expect("a part");
    let copied = target.copy_part(&changed, &target_key, &upload_id, &part);
    assert_eq!(refused(copied).await, FaultKind::ConditionFailed);
    assert_eq!(target.abort_upload(&target_key, &upload_id).await, Ok(()));
}

/// The largest set that S3 allows.
fn largest_tags() -> TagSet {
    let tag = |number| (format!("{number}{}", "+".repeat(127)), "@".repeat(256));
    (0..10).map(tag).collect()
}

async fn tags_are_written_to_an_object_that_is_there(world: &impl CopyWorld, source: &CopySource) {
    let (target, target_key) = (world.target(), key("parts/tagged"));
    let absent = refused(target.put_target_tags(&target_key, &largest_tags())).await;
    assert_eq!(absent, FaultKind::NoSuchKey);
    let created = target.create_upload(&upload_of(&target_key)).await;
    let upload = created.expect("an upload").id;
    let parts = copied_parts(world, source, &target_key, &upload).await;
    let completed = target.complete_upload(&target_key, &upload, &parts, SIZE_BYTES);
    completed.await.expect("an object");
    for tags in [largest_tags(), TagSet::new()] {
        let tagged = target.put_target_tags(&target_key, &tags);
        tagged.await.expect("tags");
        assert_eq!(world.target_tags("parts/tagged"), tags);
    }
}

async fn tags_too_long_for_a_header_are_refused(world: &impl CopyWorld) {
    let upload = UploadSpec {
        tags: largest_tags(),
        ..upload_of(&key("parts/overloaded"))
    };
    let fault = refused(world.target().create_upload(&upload)).await;
    assert_eq!(fault, FaultKind::Rejected);
}
