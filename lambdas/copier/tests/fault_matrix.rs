//! Every call that a shard makes, disturbed in every way, then resumed: what remains is what an undisturbed run leaves.

mod scene;

use std::time::Duration;

use scene::{MIB, Remains, SOURCE, Scene};
use serde_json::json;
use shardlift_testkit::Disturbance;

const LONG: Duration = Duration::from_secs(900);

/// A shard with everything in it: small objects, an empty one, one in parts with tags, and three that must fail.
async fn shard() -> Scene {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
    }));
    for number in 0..4 {
        scene.buckets.put(
            SOURCE,
            &format!("in/small-{number}"),
            &number.to_string(),
            100,
        );
    }
    scene.buckets.put(SOURCE, "in/empty", "", 0);
    scene.buckets.put(SOURCE, "in/large", "large", 12 * MIB);
    scene.buckets.change(SOURCE, "in/large", |object| {
        object.tags.insert("tier".into(), "gold".into());
        object
            .attributes
            .metadata
            .insert("owner".into(), "me".into());
    });
    scene.buckets.put(SOURCE, "in/changed", "planned", 7);
    scene.buckets.put(SOURCE, "in/gone", "gone", 7);
    scene
        .buckets
        .put(SOURCE, &format!("in/{}", "k".repeat(1021)), "long", 5);
    scene.plan().await;
    scene.buckets.put(SOURCE, "in/changed", "newer", 7);
    scene.buckets.remove(SOURCE, "in/gone");
    scene
}

async fn undisturbed() -> (Remains, Vec<&'static str>) {
    let scene = shard().await;
    assert_eq!(scene.invoke_until_done(LONG).await, 1);
    (scene.remains(), scene.script.calls())
}

#[tokio::test(start_paused = true)]
async fn any_disturbance_of_any_call_is_healed_by_resuming() {
    let (expected, calls) = undisturbed().await;
    assert_eq!(expected.failed.len(), 3);
    assert_eq!(expected.unfinished_uploads, 0);
    let mut cells = 0;
    for (number, operation) in calls.iter().enumerate() {
        for &disturbance in Disturbance::MATRIX {
            let scene = shard().await;
            scene.script.disturb(number, disturbance);
            scene.invoke_until_done(LONG).await;
            assert_eq!(
                scene.remains(),
                expected,
                "call {number} ({operation}) under {disturbance:?}"
            );
            cells += 1;
        }
    }
    assert_eq!(cells, calls.len() * Disturbance::MATRIX.len());
    println!(
        "fault matrix: {} calls x {} disturbances = {cells} cells, all equal to the undisturbed run",
        calls.len(),
        Disturbance::MATRIX.len()
    );
}
