//! What is reported of refused calls.

use std::time::Duration;

use crate::scene::{CALLS_BEFORE_COPYING, MIB, SOURCE, Scene};
use serde_json::json;
use shardlift_core::{failure::FailureCode, run::event::WorkerStatus, shard::ShardState};
use shardlift_testkit::Disturbance;
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(900);

#[tokio::test(start_paused = true)]
async fn refused_copies_name_what_is_missing_without_probing_each_object() {
    let cases = [
        (vec!["s3:CopyObject", "s3:HeadObject"], "s3:GetObject"),
        (
            vec!["s3:CopyObject", "s3:GetObjectTagging"],
            "s3:GetObjectTagging",
        ),
        (vec!["s3:CopyObject"], "s3:PutObject"),
    ];
    for (denied, action) in cases {
        let scene = Scene::new(&json!({}));
        for number in 0..2_000 {
            scene
                .buckets
                .put(SOURCE, &format!("in/{number:04}"), "x", 1);
        }
        scene.plan().await;
        for operation in denied {
            scene.script.deny(operation);
        }
        assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
        let failures = scene.failures();
        assert_eq!(failures.len(), 2_000);
        for failed in &failures {
            let detail = &failed.detail;
            assert_eq!(failed.code, FailureCode::AccessDenied);
            assert!(
                detail.contains(&format!("may not {action} on arn:aws:s3:::")),
                "{detail}"
            );
            assert!(detail.contains("role/Shardlift"), "{detail}");
            let name = failed.key.as_str().trim_start_matches("in/");
            assert!(detail.contains(name), "{detail}");
        }
        let calls = scene.script.calls();
        let probes = calls
            .iter()
            .filter(|call| **call == "s3:HeadObject")
            .count();
        assert!(probes <= 8, "{probes} probes");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_looks_at_uploads_name_their_statement() {
    let scene = || async {
        let scene = Scene::new(&json!({
            "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
        }));
        scene.buckets.put(SOURCE, "in/large", "large", 12 * MIB);
        scene.plan().await;
        scene
    };
    let detail_of = |scene: &Scene| scene.failures()[0].detail.clone();

    // The shard had another copier before, so unrecorded uploads are looked for.
    let resumed = scene().await;
    resumed.invoke(Duration::ZERO).await.unwrap();
    resumed.script.deny("s3:ListMultipartUploads");
    assert_eq!(resumed.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    let detail = detail_of(&resumed);
    assert!(detail.contains("ListTheUploadsOfTheTarget"), "{detail}");

    // The copier before was killed in its first part: it had read the object and its tags, created its upload and
    // recorded it.
    let cut = scene().await;
    cut.script
        .disturb(CALLS_BEFORE_COPYING + 4, Disturbance::Frozen);
    let second = Duration::from_secs(1);
    assert!(timeout(second, cut.invoke(LONG)).await.is_err());
    assert_eq!(cut.shard().outcome.uploads.len(), 1);
    cut.script.deny("s3:ListParts");
    assert_eq!(cut.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    let detail = detail_of(&cut);
    assert!(detail.contains("s3:ListMultipartUploadParts"), "{detail}");
    assert!(detail.contains("WriteTheTarget"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_is_an_error_that_the_record_remembers() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    scene.script.deny("sts:AssumeRole");
    let failure = scene.invoke(LONG).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::RoleUnavailable);
    let record = scene.shard();
    assert_eq!(record.problem.unwrap().code, FailureCode::RoleUnavailable);
    assert_eq!(record.state, ShardState::Yielded);
}
