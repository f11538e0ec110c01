//! How the adapters handle the faults that the model's weather (its fault injection profile) produces.

use shardlift_core::{
    failure::{
        Failure, FailureCode,
        fault::{Effect, FaultKind},
    },
    port::{BucketListing, CopyOptions, CopySource, ListRequest, TargetBucket},
    value::{
        arn::KmsKeyArn,
        key::{KeyPrefix, ObjectKey},
        tally::{SERVER_ERRORS, THROTTLED_REQUESTS},
    },
};
use shardlift_s3_model::{
    ErrorCode, Fault, KmsKeyState, ObjectSpec, Operation, Rule, Versioning, Weather,
};
use shardlift_testkit::conformance::{CopyWorld, SourceObject, keys_under};

use super::world::World;

async fn planned(world: &World, key: &str) -> CopySource {
    world.put_source(key, &SourceObject::of(7));
    let key = ObjectKey::new(key).unwrap();
    let attributes = world.target.head_source((&key).into()).await.unwrap();
    CopySource {
        version_id: None,
        key,
        etag: attributes.etag,
        size_bytes: 7,
    }
}

fn weather(rule: Rule) -> Weather {
    Weather {
        rules: vec![rule],
        ..Weather::default()
    }
}

#[tokio::test]
async fn a_failed_copy_reports_its_kind_and_whether_it_may_have_happened() {
    let world = World::new().await;
    let source = planned(&world, "a").await;
    let happened = true;
    for (fault, kind, effect) in [
        (
            Fault::Refuse {
                code: ErrorCode::SlowDown,
                happened: false,
            },
            FaultKind::Throttled,
            Effect::None,
        ),
        (
            Fault::Refuse {
                code: ErrorCode::InternalError,
                happened,
            },
            FaultKind::ServiceError,
            Effect::Unknown,
        ),
        (
            Fault::RefuseIn200 {
                code: ErrorCode::InternalError,
                happened,
            },
            FaultKind::ServiceError,
            Effect::Unknown,
        ),
        (
            Fault::RefuseIn200 {
                code: ErrorCode::SlowDown,
                happened: false,
            },
            FaultKind::Throttled,
            Effect::None,
        ),
        (
            Fault::Reset { happened },
            FaultKind::NoResponse,
            Effect::Unknown,
        ),
        (
            Fault::ExpireSession,
            FaultKind::SessionExpired,
            Effect::None,
        ),
    ] {
        let rule = Rule::new(fault.clone()).operations(&[Operation::CopyObject]);
        world.model.set_weather(weather(rule));
        let key = ObjectKey::new("b").unwrap();
        let copied = world
            .target
            .copy_object(&source, &key, &CopyOptions::default())
            .await;
        let met = copied.expect_err("the weather injects a fault");
        assert_eq!((met.kind, met.effect), (kind, effect), "{fault:?}: {met}");
        assert_eq!(
            world.model.faults_fired(),
            [1],
            "one attempt: the pacer sees every fault"
        );
    }
    let requests = world.target.requests();
    assert_eq!(
        requests[THROTTLED_REQUESTS], 2,
        "by status, and within a 200"
    );
}

#[tokio::test]
async fn a_kms_key_that_cannot_be_used_is_a_fault_of_its_own_and_named() {
    let world = World::new().await;
    let source = planned(&world, "a").await;
    let key = "arn:aws:kms:eu-central-1:222222222222:key/unusable";
    let options = CopyOptions {
        kms_key_arn: Some(KmsKeyArn::new(key).unwrap()),
        ..CopyOptions::default()
    };
    let target_key = ObjectKey::new("b").unwrap();
    for state in [
        None,
        Some(KmsKeyState::Disabled),
        Some(KmsKeyState::PendingDeletion),
    ] {
        if let Some(state) = state {
            world.model.set_kms_key(key, state);
        }
        let copied = world.target.copy_object(&source, &target_key, &options);
        let fault = copied.await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::KeyUnusable, "{state:?}");
        assert_eq!(fault.effect, Effect::None);
        let failure = Failure::from(fault);
        assert_eq!(failure.code, FailureCode::AccessDenied);
        assert!(failure.detail.contains(key), "{}", failure.detail);
        assert!(failure.detail.contains("enable it"), "{}", failure.detail);
    }
}

#[tokio::test]
async fn tags_of_a_deleted_object_in_a_versioned_bucket_are_those_of_a_missing_one() {
    let world = World::new().await;
    let bucket = world.model.bucket("source-bucket").unwrap();
    bucket.set_versioning(Versioning::Enabled);
    world.put_source("a", &SourceObject::of(7));
    let key = ObjectKey::new("a").unwrap();
    world.target.source_tags((&key).into()).await.unwrap();
    bucket.remove("a");
    let fault = world.target.source_tags((&key).into()).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::NoSuchKey, "{}", fault.message);
}

#[tokio::test]
async fn throttled_attempts_are_counted_apart_since_s3_does_not_bill_them() {
    let world = World::new().await;
    world.put_source("a", &SourceObject::of(7));
    let slow_down = Fault::Refuse {
        code: ErrorCode::SlowDown,
        happened: false,
    };
    let rule = Rule::new(slow_down)
        .operations(&[Operation::HeadObject])
        .times(2);
    world.model.set_weather(weather(rule));
    let key = ObjectKey::new("a").unwrap();
    world.target.head_source((&key).into()).await.unwrap();
    let requests = world.target.requests();
    assert_eq!(requests["s3:HeadObject"], 1);
    assert_eq!(requests[THROTTLED_REQUESTS], 2);
}

#[tokio::test]
async fn attempts_that_fail_with_a_server_error_are_counted_apart_and_refused_ones_are_not() {
    let world = World::new().await;
    let source = planned(&world, "a").await;
    let key = ObjectKey::new("b").unwrap();
    for code in [ErrorCode::InternalError, ErrorCode::AccessDenied] {
        let fault = Fault::Refuse {
            code,
            happened: false,
        };
        let rule = Rule::new(fault).operations(&[Operation::CopyObject]);
        world.model.set_weather(weather(rule));
        let options = CopyOptions::default();
        let copied = world.target.copy_object(&source, &key, &options).await;
        assert!(copied.is_err());
    }
    let requests = world.target.requests();
    assert_eq!(requests["s3:CopyObject"], 1, "the refused one");
    assert_eq!(requests[SERVER_ERRORS], 1);
}

#[tokio::test]
async fn a_truncated_response_to_a_copy_never_has_another_etag() {
    let world = World::new().await;
    let source = planned(&world, "a").await;
    let key = ObjectKey::new("b").unwrap();
    let whole = world
        .target
        .copy_object(&source, &key, &CopyOptions::default())
        .await
        .unwrap();
    let mut refused = 0;
    for percent in 0..100 {
        let cut = Fault::CutBody {
            share: f64::from(percent) / 100.0,
            well_framed: true,
        };
        world
            .model
            .set_weather(weather(Rule::new(cut).operations(&[Operation::CopyObject])));
        match world
            .target
            .copy_object(&source, &key, &CopyOptions::default())
            .await
        {
            Ok(receipt) => assert_eq!(receipt.etag, whole.etag, "cut at {percent} %"),
            Err(fault) => {
                assert_eq!(
                    fault.kind,
                    FaultKind::MalformedResponse,
                    "cut at {percent} %: {fault}"
                );
                refused += 1;
            }
        }
    }
    assert!(refused > 50, "{refused}");
}

#[tokio::test]
async fn a_truncated_listing_is_requested_again_and_never_a_short_page() {
    let world = World::new().await;
    for number in 0..100 {
        let key = format!("k/{number:03}");
        world
            .model
            .bucket("target-bucket")
            .unwrap()
            .put(&key, ObjectSpec::synthetic(1, 1));
    }
    for well_framed in [false, true] {
        for share in [0.0, 0.3, 0.9, 0.999] {
            let cut = Rule::new(Fault::CutBody { share, well_framed })
                .operations(&[Operation::ListObjectsV2]);
            world.model.set_weather(weather(cut.clone().times(2)));
            let keys = keys_under(&world.target, "k/").await;
            assert_eq!(keys.len(), 100, "share {share}, well framed {well_framed}");
            assert_eq!(
                world.model.faults_fired(),
                [2],
                "both faults were met by requests"
            );
        }
        let cut = Rule::new(Fault::CutBody {
            share: 0.5,
            well_framed,
        })
        .operations(&[Operation::ListObjectsV2]);
        world.model.set_weather(weather(cut));
        let request = ListRequest {
            prefix: KeyPrefix::new("k/").unwrap(),
            after: None,
        };
        let fault = world.target.list_page(&request).await.unwrap_err();
        assert!(
            matches!(
                fault.kind,
                FaultKind::MalformedResponse | FaultKind::NoResponse
            ),
            "{fault}"
        );
    }
}

#[tokio::test]
async fn reads_are_retried_while_they_are_throttled() {
    let world = World::new().await;
    let source = planned(&world, "a").await;
    let slow = Rule::new(Fault::Refuse {
        code: ErrorCode::SlowDown,
        happened: false,
    })
    .times(2);
    world.model.set_weather(weather(slow));
    let read = world.target.head_source((&source.key).into()).await;
    assert!(read.is_ok(), "{read:?}");
    let requests = world.target.requests();
    assert_eq!(requests["s3:HeadObject"], 2, "one to plan, one to read");
    assert_eq!(requests[THROTTLED_REQUESTS], 2);
}
