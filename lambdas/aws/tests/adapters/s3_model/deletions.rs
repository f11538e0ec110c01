//! How the adapter handles deletions that S3 refuses, for single keys and for the whole request.

use shardlift_core::{
    failure::fault::{CallFault, Effect, FaultKind},
    port::{ObjectToDelete, TargetBucket},
    value::{key::ObjectKey, object::ETag},
};
use shardlift_s3_model::{ErrorCode, Fault, ObjectSpec, Operation, Rule, Weather};

use super::world::{TARGET_ACCOUNT, World};

/// Puts objects at the target, and returns them as objects to delete.
fn put(world: &World, keys: &[&str]) -> Vec<ObjectToDelete> {
    let bucket = world.model.bucket("target-bucket").unwrap();
    keys.iter()
        .map(|key| {
            bucket.put(key, ObjectSpec::synthetic(1, 3));
            ObjectToDelete {
                key: ObjectKey::new(*key).unwrap(),
                etag: ETag::new(bucket.object(key).unwrap().etag().to_string()).unwrap(),
            }
        })
        .collect()
}

fn kinds(results: Vec<Result<(), CallFault>>) -> Vec<Result<(), FaultKind>> {
    results
        .into_iter()
        .map(|result| result.map_err(|fault| fault.kind))
        .collect()
}

#[tokio::test]
async fn a_denied_key_does_not_affect_the_other_keys() {
    let world = World::new().await;
    // The key with the line break cannot be represented in XML and is deleted by a request of its own.
    let objects = put(&world, &["a", "b", "denied", "denied\n"]);
    let policy = serde_json::from_value(serde_json::json!({"Statement": [{
        "Effect": "Deny",
        "Principal": {"AWS": format!("arn:aws:iam::{TARGET_ACCOUNT}:root")},
        "Action": "s3:DeleteObject",
        "Resource": "arn:aws:s3:::target-bucket/denied*",
    }]}))
    .unwrap();
    let bucket = world.model.bucket("target-bucket").unwrap();
    bucket.set_policy(Some(policy));
    let results = world.target.delete_objects(&objects).await.unwrap();
    let refusal = results[2].as_ref().unwrap_err();
    assert!(refusal.message.contains("s3:DeleteObject"), "{refusal}");
    assert!(
        refusal.message.contains("(HTTP 200, request id "),
        "{refusal}"
    );
    let denied = Err(FaultKind::AccessDenied);
    assert_eq!(kinds(results), [Ok(()), Ok(()), denied, denied]);
    assert_eq!(bucket.keys(""), ["denied", "denied\n"]);
}

#[tokio::test]
async fn a_lost_response_leaves_the_effect_unknown_and_a_retry_settles_it() {
    let world = World::new().await;
    let objects = put(&world, &["a", "b"]);
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
            Fault::Reset { happened: true },
            FaultKind::NoResponse,
            Effect::Unknown,
        ),
    ] {
        let rule = Rule::new(fault.clone()).operations(&[Operation::DeleteObjects]);
        world.model.set_weather(Weather {
            rules: vec![rule.times(1)],
            ..Weather::default()
        });
        let met = world.target.delete_objects(&objects).await.unwrap_err();
        assert_eq!((met.kind, met.effect), (kind, effect), "{fault:?}: {met}");
        assert_eq!(
            world.model.faults_fired(),
            [1],
            "the pacer sees every fault"
        );
    }
    let results = world.target.delete_objects(&objects).await.unwrap();
    assert_eq!(kinds(results), [Ok(()), Ok(())], "gone counts as deleted");
    assert_eq!(world.model.bucket("target-bucket").unwrap().count(""), 0);
}

/// S3 responds with 200 whatever the results of the keys, so a truncated response must not report a key as deleted.
#[tokio::test]
async fn a_truncated_response_reports_no_key_as_deleted() {
    let world = World::new().await;
    for percent in 0..100 {
        let objects = put(&world, &["a", "b", "c"]);
        let cut = Fault::CutBody {
            share: f64::from(percent) / 100.0,
            well_framed: true,
        };
        let rule = Rule::new(cut).operations(&[Operation::DeleteObjects]);
        world.model.set_weather(Weather {
            rules: vec![rule],
            ..Weather::default()
        });
        // A response with an empty body has no document, so each key is missing from it.
        match world.target.delete_objects(&objects).await {
            Err(fault) => assert_eq!(
                fault.kind,
                FaultKind::MalformedResponse,
                "{percent} %: {fault}"
            ),
            Ok(results) => {
                let unnamed = vec![Err(FaultKind::MalformedResponse); objects.len()];
                assert_eq!(kinds(results), unnamed, "{percent} %");
            }
        }
    }
}
