//! What a copy carries, and what is noted when it does not.

use std::time::Duration;

use crate::scene::{MIB, SOURCE, Scene, TARGET};
use serde_json::json;
use shardlift_core::run::event::WorkerStatus;

const LONG: Duration = Duration::from_secs(900);

#[tokio::test(start_paused = true)]
async fn an_object_above_the_threshold_is_copied_in_parts_with_all_that_it_carries() {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 8 * MIB, "part_bytes": 5 * MIB, "storage_class": "STANDARD_IA",
    }));
    scene
        .buckets
        .put(SOURCE, "in/at", "at the threshold", 8 * MIB);
    scene
        .buckets
        .put(SOURCE, "in/above", "above it", 8 * MIB + 1);
    scene.buckets.change(SOURCE, "in/above", |object| {
        object
            .attributes
            .metadata
            .insert("owner".into(), "søren".into());
        object
            .attributes
            .headers
            .insert("content-type".into(), "text/plain".into());
        object.tags.insert("tier".into(), "gold".into());
    });
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);

    let at_source = scene.buckets.objects(SOURCE);
    for (key, object) in scene.buckets.objects(TARGET) {
        let original = &at_source[&key.as_str().replace("out/", "in/").try_into().unwrap()];
        assert_eq!(object.content, original.content);
        assert_eq!(object.tags, original.tags);
        assert_eq!(object.attributes.metadata, original.attributes.metadata);
        assert_eq!(object.attributes.headers, original.attributes.headers);
        assert_eq!(object.attributes.storage_class, "STANDARD_IA");
    }
    let requests = scene.shard().outcome.requests;
    assert_eq!(requests["s3:CopyObject"], 1);
    assert_eq!(requests["s3:UploadPartCopy"], 2);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}

/// An annotated object of two parts, copied.
async fn copied_with_annotations(tags: &str, denied: Option<&'static str>) -> Scene {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB, "tags": tags,
    }));
    for (key, size_bytes) in [("in/in-parts", 8 * MIB), ("in/at-once", 1)] {
        scene.buckets.put(SOURCE, key, key, size_bytes);
        scene
            .buckets
            .change(SOURCE, key, |object| object.has_annotations = true);
    }
    scene.plan().await;
    if let Some(operation) = denied {
        scene.script.deny(operation);
    }
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    assert_eq!(scene.shard().outcome.tally.copied.objects, 2);
    scene
}

#[tokio::test(start_paused = true)]
async fn annotations_that_parts_do_not_carry_are_noted() {
    let scene = copied_with_annotations("preserve", None).await;
    let copies = scene.buckets.objects(TARGET);
    let carried: Vec<bool> = copies
        .values()
        .map(|object| object.has_annotations)
        .collect();
    assert_eq!(carried, [true, false], "at once, in parts");
    let outcome = scene.shard().outcome;
    assert_eq!(
        outcome.notes,
        [("annotations_left_behind".to_owned(), 1)].into()
    );
    assert_eq!(outcome.requests["s3:ListObjectAnnotations"], 1);
}

#[tokio::test(start_paused = true)]
async fn annotations_that_may_not_be_looked_for_are_noted_as_unknown() {
    let scene = copied_with_annotations("best_effort", Some("s3:ListObjectAnnotations")).await;
    let notes = scene.shard().outcome.notes;
    assert_eq!(notes, [("annotations_unknown".to_owned(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn annotations_that_nobody_asked_for_are_not_looked_for() {
    let scene = copied_with_annotations("ignore", None).await;
    let outcome = scene.shard().outcome;
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
    assert!(!outcome.requests.contains_key("s3:ListObjectAnnotations"));
}

#[tokio::test(start_paused = true)]
async fn best_effort_goes_without_tags_where_they_are_refused() {
    for (tags, copied) in [("best_effort", 1), ("preserve", 0), ("ignore", 1)] {
        let scene = Scene::new(&json!({
            "tags": tags, "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
        }));
        scene.buckets.put(SOURCE, "in/large", "large", 6 * MIB);
        scene.plan().await;
        scene.script.deny("s3:GetObjectTagging");
        assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, copied, "{tags}");
        let is_noted = outcome.notes.contains_key("tags_left_behind");
        assert_eq!(is_noted, tags == "best_effort", "{tags}");
    }
}
