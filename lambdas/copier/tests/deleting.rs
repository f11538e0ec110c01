//! What a mirror's deletions leave behind.

mod scene;

use std::time::Duration;

use scene::{Scene, TARGET};
use serde_json::json;
use shardlift_core::{
    failure::{FailureCode, fault::FaultKind},
    run::event::CopierStatus,
    shard::ShardWork,
};
use shardlift_testkit::Disturbance;

const LONG: Duration = Duration::from_secs(900);

async fn planned() -> Scene {
    let scene = Scene::new(&json!({}));
    for number in 0..2_500 {
        let key = format!("out/{number:04}");
        scene.buckets.put(TARGET, &key, "old", 3);
    }
    scene.plan_work(TARGET, ShardWork::DeleteObjects).await;
    scene.buckets.put(TARGET, "out/0007", "written since", 3);
    scene.buckets.remove(TARGET, "out/0008");
    scene
}

#[tokio::test(start_paused = true)]
async fn what_was_listed_is_deleted_and_what_was_written_since_stays() {
    let scene = planned().await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    assert_eq!(scene.target_keys(), ["out/0007"]);
    let tally = scene.shard().outcome.tally;
    assert_eq!((tally.deleted.objects, tally.failed.objects), (2_499, 1));
    assert_eq!(scene.failures()[0].code, FailureCode::TargetConflict);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_fails_temporarily_is_deleted_by_a_further_request_for_it_alone() {
    let scene = planned().await;
    scene
        .script
        .fail_key("out/0100", FaultKind::ServiceError, 2);
    scene.script.fail_key("out/0200", FaultKind::Throttled, 1);
    scene
        .script
        .fail_key("out/0300", FaultKind::ServiceError, 100);
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    assert_eq!(scene.target_keys(), ["out/0007", "out/0300"]);
    let failed: Vec<_> = scene.failures().into_iter().map(|one| one.code).collect();
    assert_eq!(
        failed,
        [FailureCode::TargetConflict, FailureCode::ServiceFault]
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_outside_the_target_prefix_is_deleted_whatever_the_manifest_says() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(TARGET, "elsewhere/a", "a", 1);
    scene.plan_work(TARGET, ShardWork::DeleteObjects).await;
    let refused = scene.invoke(LONG).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::InvariantViolated);
    assert_eq!(scene.target_keys(), ["elsewhere/a"]);
}

#[tokio::test(start_paused = true)]
async fn any_disturbance_of_any_call_is_healed_by_resuming() {
    let undisturbed = planned().await;
    undisturbed.invoke_until_done(LONG).await;
    let (expected, calls) = (undisturbed.remains(), undisturbed.script.calls());
    for (number, operation) in calls.iter().enumerate() {
        for &disturbance in Disturbance::MATRIX {
            let scene = planned().await;
            scene.script.disturb(number, disturbance);
            scene.invoke_until_done(LONG).await;
            assert_eq!(
                scene.remains(),
                expected,
                "{operation} under {disturbance:?}"
            );
        }
    }
}
