//! What the adapter makes of deletions that S3 refuses, one key at a time and the whole call.

use shardlift_core::{
    failure::fault::{CallFault, Effect, FaultKind},
    port::{ObjectToDelete, TargetBucket},
    value::{key::ObjectKey, object::ETag},
};
use shardlift_s3_model::{ErrorCode, Fault, ObjectSpec, Operation, Rule, Weather};

use super::world::{TARGET_ACCOUNT, World};

/// Objects at the target, doomed as they are.
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
async fn a_denied_key_is_told_apart_from_its_neighbours() {
    let world = World::new().await;
    // The key with the line break cannot be named in a list and goes alone.
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
async fn an_answer_that_was_lost_leaves_the_effect_open_and_asking_again_settles_it() {
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
            FaultKind::NoAnswer,
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

/// S3 answers 200 whatever became of the keys: an answer that was cut off must tell nothing of those that it lost.
#[tokio::test]
async fn an_answer_that_is_cut_off_tells_of_no_key_that_it_is_deleted() {
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
        // An empty body is an answer without a document, whose keys are missing one by one.
        match world.target.delete_objects(&objects).await {
            Err(fault) => assert_eq!(fault.kind, FaultKind::BadAnswer, "{percent} %: {fault}"),
            Ok(results) => {
                let unnamed = vec![Err(FaultKind::BadAnswer); objects.len()];
                assert_eq!(kinds(results), unnamed, "{percent} %");
            }
        }
    }
}
