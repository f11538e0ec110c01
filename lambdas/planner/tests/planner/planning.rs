//! What a plan holds, and what is refused before anything is written.

use std::time::Duration;

use crate::world::{SOURCE, TARGET, World, event, noon, run_id};
use serde_json::json;
use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    failure::FailureCode,
    run::{event::parse_value, record::RunState},
    shard::ShardWork,
    value::{deadline::Deadline, skips::SkipReason, time::Timestamp},
};

/// Keys that break planners: empty below the prefix, separators, dots, escapes, any script, the highest character.
const AWKWARD: [&str; 14] = [
    "",
    " ",
    "%2F",
    "+",
    "..",
    "/lead",
    "a",
    "a/",
    "a//b",
    "e\u{301}",
    "\u{e9}",
    "\u{ffff}",
    "\u{1f680}",
    "\u{10ffff}\u{10ffff}",
];

#[tokio::test]
async fn everything_at_the_source_is_planned_once_in_nearly_full_shards() {
    let world = World::new();
    world.put_sources(AWKWARD);
    world.buckets.put(SOURCE, "database", "outside", 1);
    let result = world.plan(&json!({"mode": "copy"})).await.unwrap();
    assert_eq!(result["status"], "COPY");
    assert_eq!(result["max_concurrency"], 7);
    assert_eq!(result["index"]["key"], "runs/nightly-1/rounds/1/index.json");
    let plan = world.planned();
    let keys: Vec<String> = AWKWARD.iter().map(|key| format!("data/{key}")).collect();
    assert!(plan.copies.keys().eq(&keys));
    assert_eq!(plan.shard_sizes.iter().sum::<u64>(), 14);
    assert_eq!(plan.shard_sizes.len(), 3, "{:?}", plan.shard_sizes);
    assert_eq!(world.index().len(), 3);
    let run = world.ledger.run(&run_id()).unwrap();
    assert_eq!(run.state, RunState::Planned);
    assert_eq!(run.totals.planned.objects, 14);
    assert_eq!(run.source.region.as_str(), "eu-central-1");
    assert_eq!(run.target.owner.as_str(), crate::world::TARGET_ACCOUNT);
}

#[tokio::test]
async fn the_planner_enters_the_target_account_for_its_checks_and_then_only_to_list() {
    let world = World::new();
    world.put_sources(["a"]);
    let planner = world.planner();
    let event = parse_value(&event(&json!({"mode": "mirror"}))).unwrap();
    let deadline = Deadline::new(noon(), noon().plus(Duration::from_secs(900)));
    planner.plan(&event, deadline).await.unwrap();
    let run = world.ledger.run(&run_id()).unwrap();
    let sessions = planner.accounts.sessions().into_iter();
    let policies: Vec<_> = sessions.map(|session| session.policy.unwrap()).collect();
    let expected = [SessionWork::Check, SessionWork::List];
    assert_eq!(
        policies,
        expected.map(|work| session_policy(&run.spec, work))
    );
}

#[tokio::test]
async fn the_marker_of_the_source_prefix_has_no_place_in_a_whole_bucket_and_is_left_out() {
    for mode in ["copy", "sync", "mirror"] {
        let world = World::new();
        world.put_sources(["", "a", "b/"]);
        let input = json!({"mode": mode, "target": {"prefix": ""}});
        world.plan(&input).await.unwrap();
        let plan = world.planned();
        let keys: Vec<&str> = plan.copies.keys().map(String::as_str).collect();
        assert_eq!(keys, ["data/a", "data/b/"], "{mode}");
        let totals = world.ledger.run(&run_id()).unwrap().totals;
        assert_eq!(
            (totals.planned.objects, totals.root_markers.objects),
            (2, 1)
        );
        assert_eq!(
            totals.skipped().by_reason,
            [(SkipReason::RootMarker, 1)].into()
        );
    }
    // It has a place in a folder.
    let world = World::new();
    world.put_sources(["", "a"]);
    world.plan(&json!({"mode": "sync"})).await.unwrap();
    assert_eq!(world.planned().copies.len(), 2);
}

#[tokio::test]
async fn a_sync_plans_what_is_missing_or_differs() {
    let world = World::new();
    world.put_sources(["same", "older", "missing", "size"]);
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for key in ["same", "extra"] {
        world
            .buckets
            .put(TARGET, &format!("copy/{key}"), key, key.len() as u64);
    }
    world.buckets.put(TARGET, "copy/size", "size", 99);
    world.buckets.put(TARGET, "copy/older", "older", 5);
    world.buckets.set_time(Timestamp::from_millis(120_000));
    world.put_sources(["older"]);
    world.plan(&json!({"mode": "sync"})).await.unwrap();
    let plan = world.planned();
    let keys: Vec<&str> = plan.copies.keys().map(String::as_str).collect();
    assert_eq!(keys, ["data/missing", "data/older", "data/size"]);
    assert_eq!(
        (plan.tally.same.objects, plan.tally.at_target.objects),
        (1, 4)
    );
    assert!(plan.deletes.is_empty());
}

#[tokio::test]
async fn a_second_sync_of_an_equal_target_has_nothing_to_copy() {
    let world = World::new();
    world.put_sources(AWKWARD);
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for key in AWKWARD {
        world
            .buckets
            .put(TARGET, &format!("copy/{key}"), key, key.len() as u64);
    }
    let result = world.plan(&json!({})).await.unwrap();
    assert_eq!(
        (&result["status"], &result["index"]),
        (&json!("REPORT"), &json!(null))
    );
    assert_eq!(world.planned().tally.same.objects, 14);
    assert!(world.index().is_empty());
}

#[tokio::test]
async fn filters_leave_objects_out_and_count_them() {
    let world = World::new();
    world.put_sources(["logs/a.gz", "logs/a.tmp", "x/logs/a.gz", "b"]);
    let input =
        json!({"mode": "copy", "filters": {"include": ["logs/**"], "exclude": ["**/*.tmp"]}});
    world.plan(&input).await.unwrap();
    let plan = world.planned();
    assert!(plan.copies.keys().eq(["data/logs/a.gz"]));
    assert_eq!(plan.tally.filtered.objects, 3);
}

#[tokio::test]
async fn an_object_whose_target_key_is_too_long_is_planned_not_dropped() {
    let world = World::new();
    let long = "k".repeat(1019);
    world.put_sources([long.as_str(), "short"]);
    let input = json!({"target": {"prefix": "a/longer/prefix/"}});
    world.plan(&input).await.unwrap();
    assert_eq!(
        world.planned().copies.len(),
        2,
        "its copier reports it as unsupported"
    );
}

#[tokio::test]
async fn an_empty_source_is_nothing_to_copy() {
    let world = World::new();
    let result = world.plan(&json!({})).await.unwrap();
    assert_eq!(result["status"], "REPORT");
}

#[tokio::test]
async fn a_planned_run_gives_the_same_result_again() {
    let world = World::new();
    world.put_sources(["a", "b"]);
    let first = world.plan(&json!({})).await.unwrap();
    world.put_sources(["c"]);
    assert_eq!(world.plan(&json!({})).await.unwrap(), first);
    assert_eq!(world.planned().copies.len(), 2);
}

#[tokio::test]
async fn wrong_input_changes_nothing() {
    let world = World::new();
    for (input, field) in [
        (json!({"mode": "move"}), "`mode`"),
        (json!({"source": {"bucket": "NO"}}), "`source.bucket`"),
        (
            json!({"target": {"bucket": SOURCE, "prefix": "data/x/"}}),
            "`target`",
        ),
        (json!({"colour": 1}), "colour"),
    ] {
        let failure = world.invoke(&input).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        assert!(failure.detail.contains(field), "{}", failure.detail);
    }
    // Only what the fields alone do not tell is found after a look for the run's record.
    assert_eq!(world.script.calls(), ["dynamodb:GetItem"]);
}

#[tokio::test]
async fn another_input_or_execution_is_not_continued() {
    let world = World::new();
    world.put_sources(["a"]);
    world.plan(&json!({})).await.unwrap();
    let failure = world.invoke(&json!({"mode": "copy"})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRun);
    let mut event = crate::world::event(&json!({}));
    event["execution_arn"] =
        json!("arn:aws:states:eu-central-1:111111111111:execution:other:nightly-1");
    let failure = world.invoke_by(&event).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRun);
}

#[tokio::test]
async fn a_denied_call_names_who_may_not_do_what() {
    for (operation, code, parts) in [
        (
            "s3:ListObjectsV2",
            FailureCode::AccessDenied,
            ["execution role", "s3:ListBucket", "arn:aws:s3:::source"],
        ),
        (
            "s3:HeadObject",
            FailureCode::AccessDenied,
            ["role/Target", "s3:GetObject", "the source bucket's policy"],
        ),
        (
            "sts:AssumeRole",
            FailureCode::RoleUnavailable,
            ["execution role", "sts:AssumeRole", "trust policy"],
        ),
    ] {
        let world = World::new();
        world.put_sources(["a"]);
        world.script.deny(operation);
        // A HEAD does not say why it is refused, so the planner asks.
        world.script.deny("s3:GetObject");
        let failure = world.plan(&json!({})).await.unwrap_err();
        assert_eq!(failure.code, code, "{operation}");
        for part in parts {
            assert!(
                failure.detail.contains(part),
                "{part} in {}",
                failure.detail
            );
        }
        assert_eq!(world.ledger.run(&run_id()), None, "nothing was written");
    }
}

#[tokio::test]
async fn a_dry_run_plans_and_estimates_and_goes_to_the_reporter() {
    let world = World::new();
    world.put_sources(["a", "b", "c"]);
    let result = world.plan(&json!({"dry_run": true})).await.unwrap();
    assert_eq!(result["status"], "REPORT");
    let totals = world.ledger.run(&run_id()).unwrap().totals;
    assert_eq!(totals.planned.objects, 3);
    assert_eq!(totals.estimate.requests["s3:CopyObject"], 3);
    assert!(totals.estimate.copy_seconds > 0);
    assert!(totals.estimate.requests["s3:ListObjectsV2"] > totals.requests["s3:ListObjectsV2"]);
}

#[tokio::test]
async fn an_object_too_large_for_one_copier_becomes_part_shards() {
    let world = World::new();
    let tib = 1_u64 << 40;
    world.buckets.put(SOURCE, "data/large", "large", 48 * tib);
    world.put_sources(["a", "b", "z"]);
    let result = world.plan(&json!({})).await.unwrap();
    assert_eq!(result["status"], "COPY");
    let plan = world.planned();
    assert_eq!(plan.copies.len(), 4);
    let shards = world.ledger.shards(&run_id());
    let parts: Vec<_> = shards
        .iter()
        .filter(|shard| matches!(shard.work, ShardWork::CopyParts { .. }))
        .collect();
    assert!(parts.len() > 1);
    let index = world.index();
    assert!(
        parts
            .iter()
            .all(|part| index.contains(&part.shard_id.to_string()))
    );
    let run = world.ledger.run(&run_id()).unwrap();
    assert_eq!(run.totals.shards, shards.len() as u64);
    assert_eq!(
        index.len(),
        shards.len() - 1,
        "the whole is put together by the last of its parts"
    );
}
