//! Large objects whose upload ended, or did not, without the copier seeing the response.

use std::time::Duration;

use crate::scene::{MIB, SOURCE, Scene, TARGET};
use serde_json::json;
use shardlift_core::{
    failure::{FailureCode, fault::FaultKind},
    port::{ChecksumType, Ledger, PutOutcome},
    run::event::WorkerStatus,
    shard::{ShardEvent, progress::ProgressMap},
    value::tally::Tally,
};
use shardlift_testkit::Disturbance;

const LONG: Duration = Duration::from_secs(900);
const PARTS: u64 = 4;
const PART_COPY: &str = "s3:UploadPartCopy";
const COMPLETE: &str = "s3:CompleteMultipartUpload";
const KEY: &str = "arn:aws:kms:eu-west-1:222222222222:key/target";

/// Whether the source has a checksum over the full object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Checksum {
    Full,
    Absent,
}

/// An object of four parts, planned.
async fn planned(key: Option<&str>, checksum: Checksum) -> Scene {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB, "kms_key_arn": key,
    }));
    scene.buckets.put(SOURCE, "in/large", "large", 20 * MIB);
    if checksum == Checksum::Full {
        scene.buckets.change(SOURCE, "in/large", |object| {
            let attributes = &mut object.attributes;
            attributes.checksums = [("CRC64NVME".to_owned(), "CRC64NVME of large".into())].into();
            attributes.checksum_type = Some(ChecksumType::FullObject);
        });
    }
    scene.plan().await;
    scene
}

/// The same, with its completion disturbed.
async fn disturbed(key: Option<&str>, checksum: Checksum, how: Disturbance) -> Scene {
    let undisturbed = planned(key, checksum).await;
    undisturbed.invoke_until_done(LONG).await;
    let calls = undisturbed.script.calls();
    let completion = calls.iter().position(|call| *call == COMPLETE);
    let scene = planned(key, checksum).await;
    scene
        .script
        .disturb(completion.expect("it is completed"), how);
    scene
}

fn calls_of(scene: &Scene, operation: &str) -> u64 {
    let calls = scene.script.calls();
    calls.iter().filter(|call| **call == operation).count() as u64
}

#[tokio::test(start_paused = true)]
async fn what_was_completed_without_a_word_is_found_where_it_can_be_shown() {
    let lost = [
        Disturbance::KilledAfter,
        Disturbance::EffectThenFault(FaultKind::ServiceError),
    ];
    for how in lost {
        for (key, checksum, parts) in [
            (None, Checksum::Absent, PARTS),
            (None, Checksum::Full, PARTS),
            (Some(KEY), Checksum::Full, PARTS),
            // Under a key too the ETag follows from those of the parts.
            (Some(KEY), Checksum::Absent, PARTS),
        ] {
            let scene = disturbed(key, checksum, how).await;
            scene.invoke_until_done(LONG).await;
            let case = format!("{how:?}, {key:?}, {checksum:?}");
            assert_eq!(scene.shard().outcome.tally.copied.objects, 1, "{case}");
            assert_eq!(calls_of(&scene, PART_COPY), parts, "{case}");
            assert_eq!(scene.buckets.unfinished_uploads(), 0, "{case}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_completion_under_a_key_that_was_disabled_meanwhile_says_so() {
    let disabled = Disturbance::RefusedBefore(FaultKind::KeyUnusable);
    let scene = disturbed(Some(KEY), Checksum::Absent, disabled).await;
    scene.invoke_until_done(LONG).await;
    let failures = scene.failures();
    assert_eq!(failures[0].code, FailureCode::AccessDenied, "{failures:?}");
    assert!(failures[0].detail.contains("KMS key"), "{failures:?}");
    assert_eq!(calls_of(&scene, COMPLETE), 1, "no retry enables it");
}

#[tokio::test(start_paused = true)]
async fn a_completion_that_failed_is_retried() {
    let failed = Disturbance::RefusedBefore(FaultKind::ServiceError);
    let scene = disturbed(None, Checksum::Absent, failed).await;
    scene.invoke_until_done(LONG).await;
    assert_eq!(calls_of(&scene, COMPLETE), 2);
    assert_eq!(scene.target_keys(), ["out/large"]);
}

#[tokio::test(start_paused = true)]
async fn an_object_of_somebody_else_in_the_place_of_a_lost_completion_is_a_conflict() {
    let scene = disturbed(None, Checksum::Absent, Disturbance::KilledAfter).await;
    tokio::select! {
        biased;
        _ = scene.invoke(LONG) => panic!("it was not killed"),
        () = scene.script.killed() => {}
    }
    scene
        .buckets
        .put(TARGET, "out/large", "of somebody else", 20 * MIB);
    scene.invoke_until_done(LONG).await;
    let failures = scene.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(
        failures[0].code,
        FailureCode::TargetConflict,
        "{failures:?}"
    );
    let left = scene.buckets.objects(TARGET).into_values().next().unwrap();
    assert_eq!(
        left.content, "of somebody else",
        "it is not overwritten silently"
    );
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}

#[tokio::test(start_paused = true)]
async fn under_a_key_parts_that_arrived_late_are_completed_as_they_are() {
    let scene = disturbed(Some(KEY), Checksum::Absent, Disturbance::Frozen).await;
    let mut copying = Box::pin(scene.invoke(LONG));
    tokio::select! {
        biased;
        _ = &mut copying => panic!("it was not frozen"),
        () = scene.script.killed() => {}
    }
    scene.buckets.let_late_parts_arrive();
    scene.script.release();
    assert_eq!(copying.await, Ok(WorkerStatus::Done));
    assert_eq!(scene.shard().outcome.tally.copied.objects, 1);
    assert_eq!(calls_of(&scene, COMPLETE), 2);
    assert_eq!(calls_of(&scene, PART_COPY), PARTS);
}

#[tokio::test(start_paused = true)]
async fn what_throttling_cut_off_continues_in_the_next_round() {
    for kind in [FaultKind::Throttled, FaultKind::ServiceError] {
        let scene = planned(None, Checksum::Absent).await;
        scene.script.exhaust_after(3, PART_COPY, kind);
        assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
        let first = scene.shard();
        assert_eq!(first.outcome.tally.failed.objects, 1);
        assert_eq!(first.outcome.uploads.len(), 1, "it stays recorded");
        assert_eq!(scene.buckets.unfinished_uploads(), 1);

        // As the reporter offers it again.
        let mut outcome = first.outcome.clone();
        outcome.progress = ProgressMap::default();
        outcome.tally = Tally::default();
        outcome.retryable = 0;
        outcome.failures_key = None;
        let reoffered = first.apply(ShardEvent::Reoffer { round: 2, outcome });
        let written = scene.ledger.replace_shard(&reoffered.unwrap()).await;
        assert_eq!(written, Ok(PutOutcome::Written));
        scene.script.clear();
        assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
        assert_eq!(scene.shard().outcome.tally.copied.objects, 1, "{kind:?}");
        assert_eq!(calls_of(&scene, PART_COPY), 1, "only what was missing");
        assert_eq!(calls_of(&scene, "s3:CreateMultipartUpload"), 0);
        assert_eq!(scene.buckets.unfinished_uploads(), 0);
    }
}

/// What `verify: checksum` notes on an object of one part, or of four.
async fn verified(size_bytes: u64, checksum: (&str, &str, ChecksumType)) -> Scene {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB, "verify": "checksum",
    }));
    scene.buckets.put(SOURCE, "in/object", "object", size_bytes);
    let (algorithm, value, kind) = checksum;
    scene.buckets.change(SOURCE, "in/object", |object| {
        object.attributes.checksums = [(algorithm.to_owned(), value.to_owned())].into();
        object.attributes.checksum_type = Some(kind);
        if kind == ChecksumType::Composite {
            object.attributes.etag = "0a1b-2".to_owned().try_into().expect("an ETag");
        }
    });
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await, Ok(WorkerStatus::Done));
    scene
}

#[tokio::test(start_paused = true)]
async fn checksums_prove_or_disprove_a_copy() {
    use ChecksumType::{Composite, FullObject};
    let right = ("CRC64NVME", "CRC64NVME of object", FullObject);
    let composite = ("SHA256", "a composite", Composite);
    for (size_bytes, checksum, expected) in [
        (1, right, vec!["proven_by_checksum"]),
        (20 * MIB, right, vec!["proven_by_checksum"]),
        (1, composite, vec!["checksum_changed", "unproven"]),
        (20 * MIB, composite, vec!["proven_by_parts"]),
        (
            20 * MIB,
            ("SHA256", "of one part", FullObject),
            vec!["checksum_changed", "proven_by_parts"],
        ),
        (
            20 * MIB,
            ("XXHASH64", "of one part", FullObject),
            vec!["checksum_changed", "proven_by_parts"],
        ),
    ] {
        let scene = verified(size_bytes, checksum).await;
        let notes = scene.shard().outcome.notes;
        let names: Vec<&str> = notes.keys().map(String::as_str).collect();
        assert_eq!(names, expected, "{size_bytes} bytes, {checksum:?}");
    }
    let wrong = ("CRC64NVME", "of other bytes", FullObject);
    let failures = verified(20 * MIB, wrong).await.failures();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].code, FailureCode::IntegrityMismatch);
}
