//! Every call that a shard makes, disturbed in every way, then resumed: what remains is what an undisturbed run leaves.

use std::time::Duration;

use serde_json::json;
use shardlift_testkit::Disturbance;

use crate::scene::{Remains, SOURCE, Scene, picture};

const LONG: Duration = Duration::from_secs(900);

/// A shard with everything in it: images, one with tags, one that is read in two requests, one that changed, one that is gone, a
/// broken one, one that is too large, a text and a folder marker.
async fn shard() -> Scene {
    let scene = Scene::new(&json!({
        "transform": {"kind": "thumbnail", "longest_edge_px": 64, "pixels_max": 2_000_000},
    }));
    let buckets = &scene.buckets;
    for number in 0..3 {
        buckets.put_bytes(
            SOURCE,
            &format!("in/{number}.png"),
            &picture(128, 96, number),
        );
    }
    buckets.put_bytes(SOURCE, "in/tagged", &picture(100, 100, 9));
    buckets.change(SOURCE, "in/tagged", |object| {
        object.tags.insert("tier".into(), "gold".into());
    });
    // Bytes behind the end of an image are no part of it.
    let mut large = picture(70, 70, 5);
    large.resize(3 << 20, 0);
    buckets.put_bytes(SOURCE, "in/large.png", &large);
    buckets.put_bytes(SOURCE, "in/changed", &picture(80, 80, 6));
    buckets.put_bytes(SOURCE, "in/gone", &picture(80, 80, 7));
    buckets.put_bytes(SOURCE, "in/broken", &picture(80, 80, 8)[..60]);
    buckets.put_bytes(SOURCE, "in/huge", &picture(2_000, 1_001, 8));
    buckets.put_bytes(SOURCE, "in/text", b"a text");
    buckets.put(SOURCE, "in/folder/", "", 0);
    scene.plan().await;
    buckets.put_bytes(SOURCE, "in/changed", &picture(81, 81, 6));
    buckets.remove(SOURCE, "in/gone");
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
    assert_eq!(expected.target.len(), 6);
    let failed = [
        ("in/broken", "ImageUnreadable"),
        ("in/huge", "ImageTooLarge"),
    ];
    assert_eq!(
        expected.failed,
        failed.map(|(key, code)| (key.to_owned(), code))
    );
    for operation in [
        "s3:GetObject",
        "s3:PutObject",
        "s3:GetObjectTagging",
        "s3:HeadObject",
    ] {
        assert!(calls.contains(&operation), "{operation}");
    }
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
        }
    }
}
