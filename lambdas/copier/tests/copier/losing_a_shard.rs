//! A copier whose shard another copier takes over.

use std::time::Duration;

use crate::scene::{CALLS_BEFORE_COPYING, MIB, SOURCE, Scene, event};
use serde_json::json;
use shardlift_core::{
    failure::FailureCode, port::Clock, run::event::WorkerStatus, value::deadline::Deadline,
};
use shardlift_testkit::Disturbance;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(900);

#[tokio::test(start_paused = true)]
async fn a_copier_that_lost_its_shard_stops_and_changes_nothing() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    // The first copier hangs in its only copy, and its shard is taken over meanwhile.
    scene
        .script
        .disturb(CALLS_BEFORE_COPYING, Disturbance::KilledBefore);
    let copier = scene.copier();
    let began_at = scene.clock.now();
    let this_event = event();
    let mut first = Box::pin(copier.copy_shard(
        &this_event,
        Deadline::new(began_at, began_at.plus(Duration::from_secs(60))),
    ));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it cannot end while its copy hangs"),
        () = scene.script.killed() => {}
    }
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    let after_second = scene.shard();

    // At its own deadline the first one writes what it has, and is refused.
    scene.clock.advance(Duration::from_secs(60));
    let refused = first.await.unwrap_err();
    assert_eq!(refused.code, FailureCode::LedgerConflict);
    assert_eq!(scene.shard(), after_second);
}

#[tokio::test(start_paused = true)]
async fn a_copier_that_settles_nothing_notices_that_it_lost_its_shard() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    let script = &scene.script;
    script.disturb(CALLS_BEFORE_COPYING, Disturbance::Frozen);
    let mut first = Box::pin(scene.invoke(LONG));
    assert!(timeout(Duration::ZERO, &mut first).await.is_err());
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);

    scene.clock.advance(Duration::from_secs(31));
    let refused = timeout(Duration::from_secs(31), first).await.unwrap();
    assert_eq!(refused.unwrap_err().code, FailureCode::LedgerConflict);
}

#[tokio::test(start_paused = true)]
async fn a_copier_that_lost_its_shard_aborts_its_orphaned_uploads() {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
    }));
    scene.buckets.put(SOURCE, "in/large", "large", 12 * MIB);
    scene.plan().await;
    // It creates its upload only after another copier has taken the shard and put the object there.
    const CALLS_BEFORE_CREATING: usize = CALLS_BEFORE_COPYING + 2;
    let script = &scene.script;
    script.disturb(CALLS_BEFORE_CREATING, Disturbance::Frozen);
    let mut first = Box::pin(scene.invoke(LONG));
    assert!(
        timeout(Duration::from_secs(1), &mut first).await.is_err(),
        "it cannot end while its call is frozen"
    );
    assert_eq!(
        script.calls()[CALLS_BEFORE_CREATING..],
        ["s3:CreateMultipartUpload"]
    );
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    script.release();
    let refused = first.await.unwrap_err();
    assert_eq!(refused.code, FailureCode::LedgerConflict);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}
