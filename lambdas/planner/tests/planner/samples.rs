//! One object never decides about a run: the checks before it look at several that take part, and only when all of them
//! are refused is the run.

use crate::world::{SOURCE, World, run_id};
use serde_json::{Value, json};
use shardlift_core::{
    access::preflight::{Check, CheckResult, PREFLIGHT_DOCUMENT, Preflight},
    documents::control_key,
    failure::{FailureCode, fault::FaultKind},
};
use shardlift_testkit::Disturbance;

fn finding(world: &World, check: Check) -> CheckResult {
    let key = control_key::report_document(&run_id(), PREFLIGHT_DOCUMENT);
    let body = world.control.body(&key).expect("the table is written");
    let table: Preflight = serde_json::from_slice(&body).unwrap();
    let row = table.rows.into_iter().find(|row| row.check == check);
    row.unwrap().result
}

fn deny(world: &World, key: &str) {
    let deny = |object: &mut shardlift_testkit::StoredObject| object.is_denied = true;
    world.buckets.change(SOURCE, &format!("data/{key}"), deny);
}

/// Ten objects in ten folders, so many of which are denied; the first is the smallest.
fn denied(count: usize) -> World {
    let world = World::new();
    for index in 0..10 {
        let key = format!("folder-{index}/k");
        world
            .buckets
            .put(SOURCE, &format!("data/{key}"), &key, index + 1);
        if index < count as u64 {
            deny(&world, &key);
        }
    }
    world
}

#[tokio::test]
async fn some_refused_objects_are_counted_and_the_run_goes_on() {
    for input in [json!({}), json!({"dry_run": true})] {
        let world = denied(3);
        world.plan(&input).await.unwrap();
        for check in [Check::ReadSource, Check::ReadSourceTags] {
            match finding(&world, check) {
                CheckResult::WorksForSome {
                    works,
                    tried,
                    refusal,
                } => {
                    assert_eq!((works, tried), (7, 10), "{check:?}");
                    assert!(refusal.resource.as_str().ends_with("data/folder-0/k"));
                    assert!(!refusal.missing.is_empty());
                }
                other => panic!("{check:?}: {other:?}"),
            }
        }
        assert_eq!(finding(&world, Check::CopyPart), CheckResult::Works);
        assert_eq!(world.buckets.unfinished_uploads(), 0);
    }
}

#[tokio::test]
async fn all_refused_objects_refuse_the_run() {
    let world = denied(10);
    let failure = world.plan(&json!({})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::AccessDenied);
    assert!(matches!(
        finding(&world, Check::ReadSource),
        CheckResult::Refused(_)
    ));
}

#[tokio::test]
async fn only_objects_that_take_part_are_looked_at() {
    let planned = async |input: Value| {
        let world = World::new();
        world.put_sources(["excluded", "kept"]);
        deny(&world, "excluded");
        world.plan(&input).await.unwrap();
        finding(&world, Check::ReadSource)
    };
    let excluded = json!({"filters": {"exclude": ["excluded"]}});
    assert_eq!(planned(excluded).await, CheckResult::Works);
    let none = planned(json!({"filters": {"include": ["nothing"]}})).await;
    let CheckResult::NotChecked { reason } = none else {
        panic!("{none:?}");
    };
    assert!(reason.contains("takes part"), "{reason}");
}

#[tokio::test]
async fn a_large_first_folder_does_not_stand_for_the_whole_source() {
    let world = World::new();
    let first = (0..40).map(|index| format!("a/{index:02}"));
    let others = ["b/k".to_owned(), "c/k".to_owned()];
    for key in first.chain(others) {
        world.put_sources([key.as_str()]);
        if key.starts_with("a/") {
            deny(&world, &key);
        }
    }
    world.plan(&json!({})).await.unwrap();
    let found = finding(&world, Check::ReadSource);
    assert!(
        matches!(found, CheckResult::WorksForSome { works: 2, .. }),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_response_that_cannot_be_read_is_the_fate_of_its_object() {
    let undisturbed = denied(0);
    undisturbed.plan(&json!({})).await.unwrap();
    let calls = undisturbed.script.calls();
    let head = calls.iter().position(|&call| call == "s3:HeadObject");
    let world = denied(0);
    let unreadable = Disturbance::RefusedBefore(FaultKind::MalformedResponse);
    world.script.disturb(head.unwrap(), unreadable);
    world.plan(&json!({})).await.unwrap();
    assert_eq!(finding(&world, Check::ReadSource), CheckResult::Works);
}
