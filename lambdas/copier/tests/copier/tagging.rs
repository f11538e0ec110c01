//! Tags that a header cannot state, and tags that are refused.

use std::time::Duration;

use crate::scene::{MIB, SOURCE, Scene, TARGET, largest_tags};
use serde_json::json;
use shardlift_core::{
    failure::{FailureCode, fault::FaultKind},
    run::event::WorkerStatus,
    value::key::ObjectKey,
};
use shardlift_testkit::{Disturbance, StoredObject};

const LONG: Duration = Duration::from_secs(900);
const PUT_TAGS: &str = "s3:PutObjectTagging";
const NOTE: &str = "tags_left_behind";

/// An object in parts with the largest tags.
async fn planned(tags: &str) -> Scene {
    let scene = Scene::new(&json!({
        "tags": tags, "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
    }));
    scene.buckets.put(SOURCE, "in/large", "large", 6 * MIB);
    let tag = |object: &mut StoredObject| object.tags = largest_tags();
    scene.buckets.change(SOURCE, "in/large", tag);
    scene.plan().await;
    scene
}

fn written(scene: &Scene) -> StoredObject {
    scene.buckets.objects(TARGET)[&ObjectKey::new("out/large").expect("a key")].clone()
}

fn calls_of(scene: &Scene, operation: &str) -> usize {
    let calls = scene.script.calls();
    calls.iter().filter(|call| **call == operation).count()
}

/// The place of the first call of this operation in an undisturbed run.
async fn place_of(operation: &str) -> usize {
    let scene = planned("preserve").await;
    scene.invoke_until_done(LONG).await;
    let calls = scene.script.calls();
    let place = calls.iter().position(|call| *call == operation);
    place.expect("it was called")
}

#[tokio::test(start_paused = true)]
async fn tags_that_do_not_fit_a_header_are_written_once_the_object_is_there() {
    for tags in ["preserve", "best_effort"] {
        let scene = planned(tags).await;
        assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
        assert_eq!(written(&scene).tags, largest_tags(), "{tags}");
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, 1);
        assert_eq!(outcome.requests[PUT_TAGS], 1);
        assert!(!outcome.notes.contains_key(NOTE));
    }
    let without = planned("ignore").await;
    assert_eq!(without.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert!(written(&without).tags.is_empty());
    assert_eq!(calls_of(&without, PUT_TAGS), 0);
}

#[tokio::test(start_paused = true)]
async fn no_disturbance_leaves_an_object_that_counts_as_copied_without_its_tags() {
    let place = place_of(PUT_TAGS).await;
    for &how in Disturbance::MATRIX {
        let scene = planned("preserve").await;
        scene.script.disturb(place, how);
        scene.invoke_until_done(LONG).await;
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, 1, "{how:?}");
        assert_eq!(written(&scene).tags, largest_tags(), "{how:?}");
        assert_eq!(scene.buckets.unfinished_uploads(), 0, "{how:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_tags_fail_the_object_or_are_noted_as_the_run_says() {
    for (tags, copied) in [("preserve", 0), ("best_effort", 1)] {
        let scene = planned(tags).await;
        scene.script.deny(PUT_TAGS);
        assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, copied, "{tags}");
        assert_eq!(outcome.notes.contains_key(NOTE), copied == 1, "{tags}");
        for failed in scene.failures() {
            assert_eq!(failed.code, FailureCode::AccessDenied);
            assert!(failed.detail.contains(PUT_TAGS), "{}", failed.detail);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn best_effort_goes_without_tags_whose_form_is_refused() {
    for operation in ["s3:CreateMultipartUpload", "s3:GetObjectTagging", PUT_TAGS] {
        let place = place_of(operation).await;
        let scene = planned("best_effort").await;
        let refused = Disturbance::RefusedBefore(FaultKind::Rejected);
        scene.script.disturb(place, refused);
        assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, 1, "{operation}");
        assert_eq!(outcome.notes[NOTE], 1, "{operation}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_object_that_is_gone_before_it_got_its_tags_is_no_copy() {
    let place = place_of(PUT_TAGS).await;
    let scene = planned("preserve").await;
    let gone = Disturbance::RefusedBefore(FaultKind::NoSuchKey);
    scene.script.disturb(place, gone);
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.failures()[0].code, FailureCode::TargetConflict);
}
