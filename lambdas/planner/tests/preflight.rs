//! What is tried before a run is opened, and what it leaves behind: nothing but its table.

#![allow(
    clippy::unwrap_used,
    reason = "what a test cannot make, it cannot go on with"
)]

#[allow(dead_code, reason = "each test takes what it needs of it")]
mod world;

use serde_json::json;
use shardlift_core::{
    control_key,
    fault::FaultKind,
    preflight::{Check, Finding, PREFLIGHT_DOCUMENT, Preflight},
};
use shardlift_testkit::Disturbance;
use world::{TARGET, World, run_id};

fn table(world: &World) -> Preflight {
    let key = control_key::report_document(&run_id(), PREFLIGHT_DOCUMENT);
    serde_json::from_slice(&world.control.body(&key).expect("the table is written")).unwrap()
}

fn filled() -> World {
    let world = World::new();
    world.put_sources(["empty", "a", "larger than a"]);
    world
}

#[tokio::test]
async fn everything_that_can_be_tried_is_tried_and_nothing_is_left_behind() {
    let world = filled();
    world.plan(&json!({})).await.unwrap();
    for row in table(&world).rows {
        let expected = row.check != Check::DeleteTarget;
        assert_eq!(row.finding == Finding::Works, expected, "{row:?}");
    }
    assert!(world.buckets.objects(TARGET).is_empty());
    assert_eq!(world.buckets.unfinished_uploads(), 0);
}

#[tokio::test]
async fn each_refusal_names_its_check_and_its_statements() {
    for (operation, check, sids) in [
        ("s3:HeadBucket", Check::FindSource, vec!["ListTheSource"]),
        ("s3:ListObjectsV2", Check::ListSource, vec!["ListTheSource"]),
        (
            "sts:AssumeRole",
            Check::EnterTargetAccount,
            vec!["LetTheFunctionsEnter", "EnterTheTargetAccount"],
        ),
        (
            "s3:HeadObject",
            Check::ReadSource,
            vec!["ShardliftReadSource", "ReadTheSource"],
        ),
        (
            "s3:GetObjectTagging",
            Check::ReadSourceTags,
            vec!["ShardliftReadSource", "ReadTheSource"],
        ),
        (
            "s3:CreateMultipartUpload",
            Check::WriteTarget,
            vec!["WriteTheTarget", "LetTheRoleWrite"],
        ),
        (
            "s3:ListMultipartUploads",
            Check::ListUploads,
            vec!["ListTheUploadsOfTheTarget", "LetTheRoleListUploads"],
        ),
        (
            "s3:ListParts",
            Check::ListParts,
            vec!["WriteTheTarget", "LetTheRoleWrite"],
        ),
        (
            "s3:AbortMultipartUpload",
            Check::AbortUpload,
            vec!["WriteTheTarget", "LetTheRoleWrite"],
        ),
    ] {
        let world = filled();
        world.script.deny(operation);
        let failure = world.plan(&json!({})).await.unwrap_err();
        let table = table(&world);
        let (refused, refusal) = table.refusals().next().expect("something is refused");
        assert_eq!(refused, check, "{operation}");
        let found: Vec<&str> = refusal
            .missing
            .iter()
            .map(|missing| missing.sid.as_str())
            .collect();
        assert_eq!(found, sids, "{operation}");
        assert!(failure.detail.contains(sids[0]), "{}", failure.detail);
        assert_eq!(
            world.ledger.run(&run_id()),
            None,
            "{operation}: no run was opened"
        );
        assert!(world.buckets.objects(TARGET).is_empty(), "{operation}");
    }
}

#[tokio::test]
async fn a_sample_that_nobody_can_read_does_not_end_the_run() {
    for (operation, check) in [
        ("s3:HeadObject", Check::ReadSource),
        ("s3:UploadPartCopy", Check::CopyPart),
    ] {
        let calls = {
            let world = filled();
            world.plan(&json!({})).await.unwrap();
            world.script.calls()
        };
        let call = calls.iter().position(|&call| call == operation).unwrap();
        let world = filled();
        // What an SSE-C object answers, whose key nobody sends.
        let rejected = Disturbance::RefusedBefore(FaultKind::Rejected);
        world.script.disturb(call, rejected);
        world.plan(&json!({})).await.unwrap();
        let table = table(&world);
        let row = table.rows.iter().find(|row| row.check == check).unwrap();
        assert!(matches!(row.finding, Finding::NotTried { .. }), "{row:?}");
        assert_eq!(world.buckets.unfinished_uploads(), 0);
    }
}

#[tokio::test]
async fn a_role_of_another_account_is_refused_before_it_is_tried() {
    let world = filled();
    let input = json!({"target": {"role_arn": "arn:aws:iam::333333333333:role/Target"}});
    let failure = world.plan(&input).await.unwrap_err();
    assert_eq!(failure.code.name(), "InvalidRun");
    assert!(
        failure.detail.contains("target.role_arn"),
        "{}",
        failure.detail
    );
    assert!(!world.script.calls().contains(&"sts:AssumeRole"));
}

#[tokio::test]
async fn tags_that_may_stay_behind_are_not_asked_for() {
    for tags in ["ignore", "best_effort"] {
        let world = filled();
        world.script.deny("s3:GetObjectTagging");
        world.plan(&json!({"tags": tags})).await.unwrap();
    }
}

#[tokio::test]
async fn whatever_call_fails_nothing_is_left_behind_once_it_was_tried_again() {
    let calls = {
        let world = filled();
        world.plan(&json!({})).await.unwrap();
        let calls = world.script.calls();
        let aborted = calls
            .iter()
            .position(|&call| call == "s3:AbortMultipartUpload");
        aborted.expect("the trial's upload is aborted") + 1
    };
    for &disturbance in Disturbance::MATRIX {
        for call in 0..calls {
            let (world, input) = (filled(), json!({}));
            world.script.disturb(call, disturbance);
            tokio::select! {
                biased;
                _first = world.invoke(&input) => {}
                () = world.script.killed() => {}
            }
            world.script.clear();
            world.plan(&input).await.unwrap();
            assert_eq!(
                world.buckets.unfinished_uploads(),
                0,
                "call {call}, {disturbance:?}"
            );
        }
    }
}
