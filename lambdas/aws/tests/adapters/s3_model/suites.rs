use shardlift_aws::{S3ControlStore, S3ListFiles, clients};
use shardlift_core::{
    failure::fault::FaultKind,
    port::{
        Accounts, ControlStore, CopyOptions, CopySource, ListFiles, SourceBucket, TagSet,
        TargetBucket,
    },
    run::pair::Pair,
    value::{arn::AccountId, bucket::BucketName, key::ObjectKey},
};
use shardlift_s3_model::{BucketSpec, ObjectSpec, Operation};
use shardlift_testkit::conformance::{
    bytes_keep_their_promises, control_store_keeps_its_promises, copying_keeps_its_promises,
    deleting_keeps_its_promises, list_files_keep_their_promises, listing_keeps_its_promises,
    multipart_keeps_its_promises, run_record,
};

use super::world::{
    OWN_ACCOUNT, TARGET_ACCOUNT, TARGET_REGION, World, control_bucket, own_account, session,
    source, target,
};

#[tokio::test]
async fn the_listing_of_the_source() {
    let world = World::new().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    listing_keeps_its_promises(&world.source, |key, size| {
        bucket.put(key, ObjectSpec::synthetic(1, size));
    })
    .await;
}

#[tokio::test]
async fn the_listing_of_the_target() {
    let world = World::new().await;
    let bucket = world.model.bucket("target-bucket").unwrap();
    listing_keeps_its_promises(&world.target, |key, size| {
        bucket.put(key, ObjectSpec::synthetic(1, size));
    })
    .await;
}

#[tokio::test]
async fn copying() {
    copying_keeps_its_promises(&World::new().await).await;
}

#[tokio::test]
async fn copying_in_parts() {
    multipart_keeps_its_promises(&World::new().await).await;
}

#[tokio::test]
async fn reading_and_writing_bytes() {
    bytes_keep_their_promises(&World::new().await).await;
}

#[tokio::test]
async fn deleting() {
    deleting_keeps_its_promises(&World::new().await).await;
}

#[tokio::test]
async fn annotations_are_found_and_copied_by_copy_object() {
    let world = World::new().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.put("plain", ObjectSpec::synthetic(1, 3));
    bucket.put(
        "annotated",
        ObjectSpec::synthetic(1, 3).annotation("n", "text"),
    );
    let key = |name: &str| ObjectKey::new(name).unwrap();
    for (name, expected) in [("plain", false), ("annotated", true)] {
        let has_annotations = world.target.has_annotations((&key(name)).into()).await;
        assert_eq!(has_annotations, Ok(expected), "{name}");
    }
    let absent = world.target.has_annotations((&key("absent")).into()).await;
    assert_eq!(absent.unwrap_err().kind, FaultKind::NoSuchKey);
    let attributes = world
        .target
        .head_source((&key("annotated")).into())
        .await
        .unwrap();
    let source = CopySource {
        version_id: None,
        key: key("annotated"),
        etag: attributes.etag,
        size_bytes: 3,
    };
    for (name, tags, carried) in [("with", None, 1), ("without", Some(TagSet::new()), 0)] {
        let options = CopyOptions {
            tags,
            ..CopyOptions::default()
        };
        world
            .target
            .copy_object(&source, &key(name), &options)
            .await
            .unwrap();
        let copy = world.model.bucket("target-bucket").unwrap().object(name);
        assert_eq!(copy.unwrap().annotations().len(), carried, "{name}");
    }
}

#[tokio::test]
async fn the_control_store() {
    let (_model, _server, config, bucket) = control_bucket().await;
    let store = S3ControlStore::new(clients::control_client(&config), bucket, own_account());
    control_store_keeps_its_promises(&store, "runs/run/").await;
}

#[tokio::test]
async fn the_files_of_lists() {
    let (_model, _server, config, bucket) = control_bucket().await;
    let client = || clients::control_client(&config);
    let store = S3ControlStore::new(client(), bucket.clone(), own_account());
    let write = async |key: String, body: Vec<u8>| {
        store.put(&key, "text/csv", body).await.unwrap();
    };
    let files = S3ListFiles::new(client(), own_account());
    list_files_keep_their_promises(&files, &bucket, write).await;
    let other = AccountId::new("999999999999").unwrap();
    let files = S3ListFiles::new(client(), other);
    let refused = files.find(&bucket, "lists/a b+c%.csv").await;
    assert_eq!(refused.unwrap_err().kind, FaultKind::AccessDenied);
}

#[tokio::test]
async fn regions_and_owners_are_found_and_requests_counted() {
    let world = World::new().await;
    assert_eq!(world.source.facts().owner.as_str(), OWN_ACCOUNT);
    assert_eq!(world.target.facts().owner.as_str(), TARGET_ACCOUNT);
    assert_eq!(world.target.facts().region.as_str(), TARGET_REGION);
    // First in the home Region, then in the Region that the error response names.
    assert_eq!(world.target.requests()["s3:HeadBucket"], 2);
    let sent = world.model.counters().requests_of(Operation::HeadBucket);
    assert_eq!(sent, 3, "and one for the source");
    let principal = world.accounts.own_principal().await.unwrap();
    assert!(principal.as_str().contains("assumed-role/Planner"));
}

#[tokio::test]
async fn a_wrong_owner_is_distinguished_from_a_missing_permission() {
    let world = World::new().await;
    let third = BucketSpec::new("third-bucket")
        .owner("333333333333")
        .policy(
            serde_json::from_value(serde_json::json!({"Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "s3:ListBucket",
                "Resource": "arn:aws:s3:::third-bucket",
            }]}))
            .unwrap(),
        );
    world.model.create_bucket(third).unwrap();
    let closed = BucketSpec::new("closed-bucket").owner("333333333333");
    world.model.create_bucket(closed).unwrap();
    for (name, kind) in [
        ("third-bucket", FaultKind::WrongOwner),
        ("closed-bucket", FaultKind::AccessDenied),
        ("absent-bucket", FaultKind::NoSuchBucket),
    ] {
        let mut elsewhere = target();
        elsewhere.bucket = BucketName::new(name).unwrap();
        let opened = world
            .accounts
            .open_target(&elsewhere, &source(), &session(), None)
            .await;
        assert_eq!(opened.unwrap_err().kind, kind, "{name}");
    }
}

#[tokio::test]
async fn a_session_is_assumed_once_and_a_refusal_names_the_role() {
    let world = World::new().await;
    let mut run = run_record("run");
    run.source = world.source.facts().clone();
    run.target = world.target.facts().clone();
    run.spec.pair = Pair {
        source: source(),
        target: target(),
    };
    for _ in 0..3 {
        let reopened = world
            .accounts
            .reopen_target(&run, &session(), "{}")
            .await
            .unwrap();
        assert!(
            reopened.requests().is_empty(),
            "each handle counts its own requests"
        );
    }
    assert_eq!(
        world.sts.assumed(),
        2,
        "one that opened, and one with a policy"
    );
    world.sts.refuse();
    let mut other = target();
    other.role_arn =
        shardlift_core::value::arn::RoleArn::new("arn:aws:iam::222222222222:role/Other").unwrap();
    let refused = world
        .accounts
        .open_target(&other, &source(), &session(), None)
        .await;
    let fault = refused.unwrap_err();
    assert_eq!(
        (fault.kind, fault.operation),
        (FaultKind::RoleRefused, "sts:AssumeRole")
    );
    assert!(
        fault.message.contains("not authorized"),
        "{}",
        fault.message
    );
    assert_eq!(
        world.model.counters().responses(Operation::HeadBucket, 403),
        0,
        "no request was sent without a session"
    );
}

#[tokio::test]
async fn an_unreachable_sts_is_no_response() {
    let world = World::new().await;
    world.sts.cut_off();
    let mut other = target();
    other.role_arn =
        shardlift_core::value::arn::RoleArn::new("arn:aws:iam::222222222222:role/Other").unwrap();
    let opened = world
        .accounts
        .open_target(&other, &source(), &session(), None)
        .await;
    let fault = opened.unwrap_err();
    assert_eq!(
        (fault.kind, fault.operation),
        (FaultKind::NoResponse, "sts:AssumeRole")
    );
    assert!(fault.message.contains("reset"), "{}", fault.message);
}
