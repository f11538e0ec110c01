//! What buckets demand of requests: headers of every write, and a requester who pays.

use shardlift_core::{
    copy::part_layout::{PART_BYTES_MIN, PartLayout},
    failure::fault::FaultKind,
    port::{
        Accounts, BucketListing, CopyOptions, CopySource, ListRequest, TargetBucket, UploadSpec,
    },
    run::{
        option::{AclChoice, SseChoice},
        pair::Source,
    },
    value::key::{KeyPrefix, ObjectKey},
};
use shardlift_s3_model::{BucketSpec, ObjectSpec};

use super::world::{HOME_REGION, OWN_ACCOUNT, World, session, source, source_policy, target};

fn key(text: &str) -> ObjectKey {
    ObjectKey::new(text).unwrap()
}

fn demanding_policy() -> shardlift_s3_model::PolicyDocument {
    let deny = |header: &str, value: &str| {
        serde_json::json!({
            "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
            "Resource": "arn:aws:s3:::target-bucket/*", "Condition": {"StringNotEquals": {header: value}},
        })
    };
    let statements = [
        deny("s3:x-amz-server-side-encryption", "AES256"),
        deny("s3:x-amz-acl", "bucket-owner-full-control"),
    ];
    serde_json::from_value(serde_json::json!({"Statement": statements})).unwrap()
}

fn options(sse: Option<SseChoice>, acl: Option<AclChoice>) -> CopyOptions {
    CopyOptions {
        sse,
        acl,
        ..CopyOptions::default()
    }
}

#[tokio::test]
async fn both_ways_of_copying_name_the_headers_that_a_bucket_demands() {
    let world = World::new().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.put("k", ObjectSpec::synthetic(1, PART_BYTES_MIN));
    let demanding = world.model.bucket("target-bucket").unwrap();
    demanding.set_policy(Some(demanding_policy()));
    let target = &world.target;
    let (whole, in_parts) = (key("whole"), key("in-parts"));
    let source = CopySource {
        version_id: None,
        key: key("k"),
        etag: target.head_source((&key("k")).into()).await.unwrap().etag,
        size_bytes: PART_BYTES_MIN,
    };
    let (sse, acl) = (
        Some(SseChoice::Aes256),
        Some(AclChoice::BucketOwnerFullControl),
    );
    for (sse, acl, is_taken) in [
        (None, None, false),
        (sse, None, false),
        (None, acl, false),
        (sse, acl, true),
    ] {
        let options = options(sse, acl);
        let copied = target.copy_object(&source, &whole, &options).await;
        let upload = UploadSpec {
            target_key: in_parts.clone(),
            headers: [].into(),
            metadata: [].into(),
            tags: [].into(),
            storage_class: None,
            kms_key_arn: None,
            sse,
            acl,
            checksum_algorithm: None,
        };
        let created = target.create_upload(&upload).await;
        if !is_taken {
            for fault in [copied.unwrap_err(), created.unwrap_err()] {
                assert_eq!(fault.kind, FaultKind::AccessDenied);
            }
            continue;
        }
        copied.unwrap();
        let upload = created.unwrap().id;
        let layout = PartLayout::new(source.size_bytes, PART_BYTES_MIN).unwrap();
        let part = layout.parts().next().unwrap();
        let part = target.copy_part(&source, &in_parts, &upload, &part);
        let parts = [part.await.unwrap()];
        let completed = target.complete_upload(&in_parts, &upload, &parts, source.size_bytes);
        completed.await.unwrap();
    }
}

#[tokio::test]
async fn every_read_of_a_source_agrees_to_pay_where_the_run_says_so() {
    let world = World::new().await;
    let paid = BucketSpec::new("source-bucket")
        .owner(OWN_ACCOUNT)
        .region(HOME_REGION)
        .policy(source_policy("source-bucket"))
        .requester_pays();
    world.model.create_bucket(paid).unwrap();
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.put("k", ObjectSpec::synthetic(1, PART_BYTES_MIN).tag("a", "b"));
    let refused = world
        .target
        .head_source((&key("k")).into())
        .await
        .unwrap_err();
    assert_eq!(refused.kind, FaultKind::AccessDenied);

    let paying = Source {
        request_payer: true,
        ..source()
    };
    let (place, name, whole) = (target(), session(), key("whole"));
    let opened = world.accounts.open_target(&place, &paying, &name, None);
    let target = opened.await.unwrap();
    let etag = target.head_source((&key("k")).into()).await.unwrap().etag;
    assert_eq!(
        target.source_tags((&key("k")).into()).await.unwrap().len(),
        1
    );
    assert!(!target.has_annotations((&key("k")).into()).await.unwrap());
    let source = CopySource {
        version_id: None,
        key: key("k"),
        etag,
        size_bytes: PART_BYTES_MIN,
    };
    let options = CopyOptions::default();
    let copied = target.copy_object(&source, &whole, &options);
    copied.await.unwrap();
    let listing = world.accounts.open_source(&paying).await.unwrap();
    let request = ListRequest {
        prefix: KeyPrefix::default(),
        after: None,
    };
    assert_eq!(listing.list_page(&request).await.unwrap().objects.len(), 1);
}
