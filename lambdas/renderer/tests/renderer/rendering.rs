//! What becomes of each object of a shard.

use std::{collections::BTreeMap, time::Duration};

use serde_json::json;
use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    failure::FailureCode,
    run::event::WorkerStatus,
    shard::ShardWork,
    value::skips::SkipReason,
};
use shardlift_testkit::Disturbance;

use crate::scene::{SOURCE, Scene, TARGET, picture, size_of};

const LONG: Duration = Duration::from_secs(900);

#[tokio::test(start_paused = true)]
async fn an_image_becomes_a_smaller_one_with_the_tags_of_its_source_and_says_what_made_it() {
    let scene = Scene::new(&json!({"storage_class": "STANDARD_IA"}));
    scene
        .buckets
        .put_bytes(SOURCE, "in/a/b.png", &picture(640, 320, 3));
    scene.buckets.change(SOURCE, "in/a/b.png", |object| {
        object.tags.insert("tier".into(), "gold".into());
        object
            .attributes
            .metadata
            .insert("gps".into(), "private".into());
    });
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    let rendition = scene.target("out/a/b.png").unwrap();
    let bytes = scene.buckets.bytes(TARGET, "out/a/b.png").unwrap();
    assert_eq!(size_of(&bytes), (64, 32));
    let attributes = &rendition.attributes;
    assert_eq!(
        attributes.headers["content-type"].as_text(),
        Some("image/png")
    );
    assert_eq!(attributes.storage_class, "STANDARD_IA");
    assert_eq!(rendition.tags["tier"], "gold");
    let text = |name: &str| attributes.metadata[name].as_text().unwrap().to_owned();
    assert!(text("shardlift-transform").starts_with("thumbnail:64,format=same"));
    let objects = scene.buckets.objects(SOURCE);
    let source = objects.values().next().unwrap();
    assert_eq!(
        text("shardlift-source-etag"),
        source.attributes.etag.to_string()
    );
    assert_eq!(attributes.metadata.len(), 2, "nothing of the source's");
    // The record vouches for the rendition, and counts the image.
    let outcome = scene.shard().outcome;
    assert_eq!(outcome.vouched.bytes, bytes.len() as u64);
    assert_eq!(outcome.tally.copied.bytes, source.attributes.size_bytes);
    let policy = session_policy(&scene.spec, SessionWork::Render);
    assert_eq!(
        scene.accounts.sessions()[0].policy.as_deref(),
        Some(policy.as_str())
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_no_image_is_skipped_and_a_large_one_is_not_read() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put_bytes(SOURCE, "in/text", b"<svg/>");
    scene.buckets.put(SOURCE, "in/video", "video", 900 << 30);
    scene.buckets.put(SOURCE, "in/folder/", "", 0);
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    let outcome = scene.shard().outcome;
    let skipped = outcome.tally.skipped.by_reason;
    assert_eq!(skipped, BTreeMap::from([(SkipReason::NotAnImage, 3)]));
    assert_eq!(outcome.requests["s3:GetObject"], 2, "none of a marker");
    assert!(scene.buckets.objects(TARGET).is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_empty_object_that_a_list_names_may_be_gone_or_an_image_by_now() {
    let list = json!({"bucket": "control-bucket", "key": "lists/keys", "format": "jsonl"});
    let scene = Scene::new(&json!({
        "source": {"bucket": SOURCE, "prefix": "in/", "list": list},
    }));
    for key in ["in/empty", "in/gone", "in/written"] {
        scene.buckets.put(SOURCE, key, "", 0);
    }
    scene.plan().await;
    scene.buckets.remove(SOURCE, "in/gone");
    scene
        .buckets
        .put_bytes(SOURCE, "in/written", &picture(300, 300, 1));
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    let skipped = scene.shard().outcome.tally.skipped.by_reason;
    assert_eq!(
        skipped,
        BTreeMap::from([(SkipReason::GoneAtSource, 1), (SkipReason::NotAnImage, 1)])
    );
    assert!(scene.target("out/written").is_some());
}

#[tokio::test(start_paused = true)]
async fn broken_and_very_large_images_fail_and_are_not_offered_again() {
    let scene = Scene::new(&json!({}));
    let whole = picture(300, 300, 1);
    scene
        .buckets
        .put_bytes(SOURCE, "in/cut", &whole[..whole.len() / 2]);
    // A bomb: it says 60,000 x 60,000 pixels.
    let mut bomb = picture(8, 8, 0);
    bomb[16..24].copy_from_slice(&[0, 0, 0xea, 0x60, 0, 0, 0xea, 0x60]);
    scene.buckets.put_bytes(SOURCE, "in/bomb", &bomb);
    scene.buckets.put_bytes(SOURCE, "in/good", &whole);
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    assert_eq!(scene.failure_of("in/cut"), "ImageUnreadable");
    assert!(matches!(
        scene.failure_of("in/bomb"),
        "ImageTooLarge" | "ImageUnreadable"
    ));
    assert!(
        scene.target("out/good").is_some(),
        "none takes its neighbours with it"
    );
    assert_eq!(scene.shard().outcome.retryable, 0);
}

#[tokio::test(start_paused = true)]
async fn a_changed_image_is_rendered_in_its_newer_version_or_fails_as_asked() {
    for (on_change, is_rendered) in [("copy_newer", true), ("fail", false)] {
        let scene = Scene::new(&json!({ "on_change": on_change }));
        scene
            .buckets
            .put_bytes(SOURCE, "in/a", &picture(100, 50, 1));
        scene.plan().await;
        scene
            .buckets
            .put_bytes(SOURCE, "in/a", &picture(50, 100, 1));
        assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
        match scene.buckets.bytes(TARGET, "out/a") {
            Some(bytes) => assert_eq!((size_of(&bytes), is_rendered), ((32, 64), true)),
            None => assert_eq!(scene.failure_of("in/a"), "SourceChanged"),
        }
        assert_eq!(scene.target("out/a").is_some(), is_rendered);
    }
}

#[tokio::test(start_paused = true)]
async fn tags_that_are_refused_stay_behind_where_the_run_does_without_them() {
    for (tags, is_rendered) in [("best_effort", true), ("preserve", false)] {
        let scene = Scene::new(&json!({ "tags": tags }));
        scene
            .buckets
            .put_bytes(SOURCE, "in/a", &picture(100, 50, 1));
        scene.buckets.change(SOURCE, "in/a", |object| {
            object.tags.insert("tier".into(), "gold".into());
        });
        scene.plan().await;
        scene.script.deny("s3:GetObjectTagging");
        assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
        assert_eq!(scene.target("out/a").is_some(), is_rendered, "{tags}");
        if !is_rendered {
            assert_eq!(scene.failure_of("in/a"), "AccessDenied");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_mirror_deletes_renditions_whose_image_is_gone() {
    let scene = Scene::new(&json!({"mode": "mirror"}));
    scene
        .buckets
        .put_bytes(TARGET, "out/gone", &picture(8, 8, 1));
    scene
        .buckets
        .put_bytes(TARGET, "out/back", &picture(8, 8, 2));
    scene.plan_work(TARGET, ShardWork::DeleteObjects).await;
    scene
        .buckets
        .put_bytes(SOURCE, "in/back", &picture(9, 9, 2));
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    assert!(scene.target("out/gone").is_none() && scene.target("out/back").is_some());
}

#[tokio::test(start_paused = true)]
async fn a_run_that_copies_is_not_rendered() {
    let scene = Scene::new(&json!({"transform": null}));
    scene
        .buckets
        .put_bytes(SOURCE, "in/a", &picture(100, 50, 1));
    scene.plan().await;
    let failure = scene.invoke(LONG).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvariantViolated);
    assert!(scene.buckets.objects(TARGET).is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_renderer_that_is_killed_leaves_the_rest_to_the_next_one() {
    let scene = Scene::new(&json!({}));
    for number in 0..20 {
        scene
            .buckets
            .put_bytes(SOURCE, &format!("in/{number}"), &picture(90, 60, number));
    }
    scene.plan().await;
    scene.script.disturb(25, Disturbance::KilledAfter);
    assert!(scene.invoke_until_done(LONG).await > 1);
    assert_eq!(scene.buckets.objects(TARGET).len(), 20);
    assert_eq!(scene.shard().outcome.tally.copied.objects, 20);
}
