//! An audit compares both sides and writes nothing at the target.

use serde_json::json;
use shardlift_core::{
    failure::FailureCode,
    verify::DifferenceKind::{self, Content, Extra, Missing, Older, Size},
};

use crate::world::{SOURCE, TARGET, World, run_id};

/// Calls that change the target, or that need a right to.
const WRITES: [&str; 7] = [
    "s3:PutObject",
    "s3:CopyObject",
    "s3:CreateMultipartUpload",
    "s3:UploadPartCopy",
    "s3:AbortMultipartUpload",
    "s3:DeleteObjects",
    "s3:PutObjectTagging",
];

fn differing() -> World {
    let world = World::new();
    let minute = |minute: i64| shardlift_core::value::time::Timestamp::from_millis(minute * 60_000);
    world.buckets.set_time(minute(2));
    for key in ["bent", "older", "lost", "larger", "same", "left-out.tmp"] {
        world.buckets.put(SOURCE, &format!("data/{key}"), key, 5);
    }
    for (key, content, size, at) in [
        ("bent", "other", 5, 3),
        ("older", "older", 5, 1),
        ("larger", "larger", 6, 3),
        ("same", "same", 5, 3),
        ("extra", "extra", 5, 3),
        ("left-out.tmp", "anything", 9, 3),
    ] {
        world.buckets.set_time(minute(at));
        world
            .buckets
            .put(TARGET, &format!("copy/{key}"), content, size);
    }
    world
}

fn input(compare: &str) -> serde_json::Value {
    json!({"mode": "audit", "compare": compare, "filters": {"exclude": ["**.tmp"]}})
}

#[tokio::test]
async fn each_key_that_differs_is_named_with_how_and_nothing_is_written() {
    let by_etag: &[(&str, DifferenceKind)] = &[
        ("bent", Content),
        ("extra", Extra),
        ("larger", Size),
        ("lost", Missing),
    ];
    let by_time: &[(&str, DifferenceKind)] = &[
        ("extra", Extra),
        ("larger", Size),
        ("lost", Missing),
        ("older", Older),
    ];
    for (compare, expected) in [("etag", by_etag), ("size_and_mtime", by_time)] {
        for page_objects in [1, 3, 1_000] {
            let world = World {
                page_objects,
                ..differing()
            };
            let before = world.buckets.objects(TARGET);
            let result = world.plan(&input(compare)).await.unwrap();
            assert_eq!(result["status"], "REPORT");
            let lists = world.planned().lists;
            let found: Vec<(&str, DifferenceKind)> = lists
                .differences
                .iter()
                .map(|(key, kind)| (key.as_str(), *kind))
                .collect();
            assert_eq!(found, expected, "{compare}");
            let sums = lists.audited;
            assert_eq!((sums.source.objects, sums.target.objects), (5, 5));
            assert_eq!(lists.same.objects, 2);
            assert_eq!(lists.beside.objects, 1, "what the filters leave out");
            assert_eq!(world.buckets.objects(TARGET), before);
            for call in world.script.calls() {
                assert!(!WRITES.contains(&call) || call == "s3:PutObject", "{call}");
            }
        }
    }
}

#[tokio::test]
async fn an_audit_asks_for_no_right_to_write_and_waits_for_nobody() {
    let world = differing();
    for write in WRITES.into_iter().filter(|call| *call != "s3:PutObject") {
        world.script.deny(write);
    }
    for read in ["s3:HeadObject", "s3:GetObject", "s3:ListMultipartUploads"] {
        world.script.deny(read);
    }
    let result = world.plan(&input("size_and_mtime")).await.unwrap();
    assert_eq!(result["status"], "REPORT");
    assert_eq!(world.planned().lists.differences.len(), 4);
    assert!(world.ledger.run(&run_id()).is_some());
    let locks = world.script.calls();
    assert!(!locks.contains(&"dynamodb:DeleteItem"));
}

#[tokio::test]
async fn an_audit_that_keeps_nothing_names_no_list_of_what_it_keeps() {
    let world = World::new();
    world.put_sources(["a", "b"]);
    world.plan(&input("etag")).await.unwrap();
    let [record] = &world.ledger.kept(&run_id())[..] else {
        panic!("one record")
    };
    assert!(!record.has_list());
    assert_eq!(world.planned().lists.differences.len(), 2);
}

#[tokio::test]
async fn an_audit_has_no_dry_run() {
    let world = differing();
    let mut input = input("etag");
    input["dry_run"] = json!(true);
    let refused = world.plan(&input).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::InvalidRun);
    assert!(refused.detail.contains("dry_run"), "{refused}");
}
