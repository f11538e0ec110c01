//! What a mirror's deletions leave behind.

use std::time::Duration;

use crate::scene::{SOURCE, Scene, TARGET};
use serde_json::json;
use shardlift_core::{
    failure::{FailureCode, fault::FaultKind},
    run::event::WorkerStatus,
    shard::ShardWork,
};
use shardlift_testkit::Disturbance;

const LONG: Duration = Duration::from_secs(900);

async fn planned() -> Scene {
    planned_with(2_500).await
}

async fn planned_with(objects: u32) -> Scene {
    let scene = Scene::new(&json!({}));
    for number in 0..objects {
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
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
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
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
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
async fn a_key_that_is_back_at_the_source_is_not_deleted() {
    let scene = planned_with(20).await;
    scene.buckets.put(SOURCE, "in/0003", "new", 3);
    scene.buckets.put(SOURCE, "in/elsewhere/0004", "new", 3);
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.target_keys(), ["out/0003", "out/0007"]);
    let tally = scene.shard().outcome.tally;
    assert_eq!((tally.deleted.objects, tally.skipped.objects), (18, 1));
    assert_eq!(tally.failed.objects, 1, "0007, which was written since");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_asked_to_be_deleted_when_everything_is_back() {
    let scene = planned_with(9).await;
    for number in 0..9 {
        let key = format!("in/{number:04}");
        scene.buckets.put(SOURCE, &key, "new", 3);
    }
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert!(!scene.script.calls().contains(&"s3:DeleteObjects"));
    assert_eq!(scene.target_keys().len(), 8);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_say_whether_it_has_a_key_again_keeps_it_from_being_deleted() {
    for (kind, code) in [
        (FaultKind::AccessDenied, FailureCode::AccessDenied),
        (FaultKind::ServiceError, FailureCode::ServiceFault),
    ] {
        let scene = planned_with(9).await;
        scene.script.exhaust_after(0, "s3:HeadObject", kind);
        assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
        assert_eq!(scene.target_keys().len(), 8, "none is deleted");
        assert_eq!(scene.shard().outcome.tally.failed.objects, 9);
        let failed = &scene.failures()[0];
        assert_eq!(failed.code, code);
        assert!(failed.detail.contains("before deleting it"), "{failed:?}");
    }
}

/// The calls of a disturbed run; the undisturbed one leaves what every other must leave.
async fn heals(objects: u32, is_disturbed: impl Fn(&str) -> bool) {
    let set = async || {
        let scene = planned_with(objects).await;
        scene.buckets.put(SOURCE, "in/0003", "new", 3);
        scene
    };
    let undisturbed = set().await;
    undisturbed.invoke_until_done(LONG).await;
    let (expected, calls) = (undisturbed.remains(), undisturbed.script.calls());
    for (number, operation) in calls.iter().enumerate() {
        if !is_disturbed(operation) {
            continue;
        }
        for &disturbance in Disturbance::MATRIX {
            let scene = set().await;
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

#[tokio::test(start_paused = true)]
async fn any_disturbance_of_any_call_is_healed_by_resuming() {
    heals(12, |_| true).await;
}

/// Of several requests to delete; with all looks at the source disturbed too this would take minutes.
#[tokio::test(start_paused = true)]
async fn any_disturbance_of_any_of_several_deletions_is_healed_by_resuming() {
    heals(2_500, |operation| operation != "s3:HeadObject").await;
}
