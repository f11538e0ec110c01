//! Plans of runs that events started.

use std::time::Duration;

use serde_json::{Value, json};
use shardlift_core::{
    failure::FailureCode,
    port::{ExecutionState, Ledger, PutOutcome},
    run::lock::{LockRecord, LockState, LockedPrefix},
    value::{arn::ExecutionArn, id::RunId},
};
use tokio::time::Instant;

use crate::world::{TARGET, World, run_id};

const CONTROL: &str = "control-bucket";
const LIST: &str = "lists/events/merged/run.jsonl";

fn input(mode: &str, objects: u64) -> Value {
    json!({
        "mode": mode, "verify": "none", "filters": {"exclude": ["**.tmp"]},
        "source": {"list": {"bucket": CONTROL, "key": LIST, "format": "jsonl"}},
        "events": {"lists": [], "objects": objects, "oldest_at": "2026-11-22T11:59:00Z"},
    })
}

/// A source with `new` and `changed`, a target with `changed`, `gone` and `gone.tmp`, and a list of all of them.
fn world() -> World {
    let world = World::new();
    world.put_sources(["new", "changed"]);
    for (key, size) in [("changed", 99), ("gone", 1), ("gone.tmp", 1), ("beside", 1)] {
        world.buckets.put(TARGET, &format!("copy/{key}"), "x", size);
    }
    let keys = ["changed", "gone", "gone.tmp", "never", "new"];
    let line = |key: &&str| {
        format!(
            "{}\n",
            json!({"key": format!("data/{key}"), "sequencer": "0A", "deleted": true})
        )
    };
    world
        .lists
        .put(CONTROL, LIST, keys.iter().map(line).collect::<String>());
    world
}

#[tokio::test]
async fn a_mirror_of_events_deletes_what_is_gone_and_only_what_they_told_of() {
    let world = world();
    world.plan(&input("mirror", 5)).await.unwrap();
    let plan = world.planned();
    assert_eq!(
        plan.copies.keys().collect::<Vec<_>>(),
        ["data/changed", "data/new"]
    );
    assert_eq!(plan.deletes.len(), 1, "{:?}", plan.deletes);
    assert!(plan.deletes.keys().all(|key| key.ends_with("gone")));
}

#[tokio::test]
async fn without_a_mirror_nothing_is_deleted() {
    let world = world();
    world.plan(&input("sync", 5)).await.unwrap();
    assert_eq!(world.planned().deletes.len(), 0);
}

#[tokio::test]
async fn a_list_of_events_that_is_in_no_order_is_refused() {
    for keys in [["data/new", "data/changed"], ["data/new", "data/new"]] {
        let world = world();
        let line = |key: &str| format!("{}\n", json!({"key": key}));
        world.lists.put(CONTROL, LIST, keys.map(line).concat());
        let failure = world.plan(&input("sync", 2)).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::InvalidRun);
        let told = "line 2: the key";
        assert!(failure.detail.contains(told), "{failure}");
        assert!(failure.detail.contains("without `events`"), "{failure}");
    }
}

#[tokio::test]
async fn a_list_alone_is_no_mirror() {
    let mut input = input("mirror", 5);
    input.as_object_mut().unwrap().remove("events");
    let failure = world().plan(&input).await.unwrap_err();
    assert!(failure.detail.contains("`mode`"), "{failure}");
}

#[tokio::test]
async fn deletions_beyond_the_count_are_held_and_those_within_need_no_source_object() {
    for (max, is_held) in [(0, true), (1, false)] {
        let world = world();
        let only = format!("{}\n", json!({"key": "data/gone"}));
        world.lists.put(CONTROL, LIST, only);
        let mut input = input("mirror", 1);
        input["delete_max_objects"] = json!(max);
        input["delete_max_percent"] = json!(100);
        world.plan(&input).await.unwrap();
        let run = world.ledger.read_run(&run_id()).await.unwrap().unwrap();
        assert_eq!(run.totals.deletes_held, is_held, "{max}");
    }
}

#[tokio::test]
async fn a_small_run_makes_no_trials_and_names_its_shards_and_a_large_one_is_like_any_other() {
    for (objects, is_small) in [(1_000, true), (1_001, false)] {
        let world = world();
        world.plan(&input("sync", objects)).await.unwrap();
        let uploads = world.script.calls().contains(&"s3:CreateMultipartUpload");
        assert_eq!(uploads, !is_small, "{objects}");
        let run = world.ledger.read_run(&run_id()).await.unwrap().unwrap();
        assert_eq!(run.totals.few_shards.len(), usize::from(is_small));
        assert_eq!(world.planned().copies.len(), 2);
        assert_eq!(world.index().len(), 1);
    }
}

/// A run of events that runs, and holds a prefix; its execution.
async fn run_of_events(world: &World, holder: &str, prefix: &str) -> ExecutionArn {
    let execution =
        format!("arn:aws:states:eu-central-1:111111111111:execution:shardlift:{holder}");
    let execution = ExecutionArn::new(execution).unwrap();
    let lock = LockRecord {
        schema_version: 1,
        locked: LockedPrefix {
            bucket: TARGET.to_owned().try_into().unwrap(),
            prefix: prefix.to_owned().try_into().unwrap(),
        },
        run_id: RunId::new(holder).unwrap(),
        execution_arn: execution.clone(),
        state: LockState::Held,
        revision: 1,
    };
    let created = world.ledger.create_lock(&lock).await.unwrap();
    assert_eq!(created, PutOutcome::Written);
    world.executions.set(&execution, ExecutionState::Running);
    execution
}

#[tokio::test(start_paused = true)]
async fn a_nightly_run_waits_ten_minutes_for_a_run_of_events_and_for_no_other_one() {
    for (holder, prefix, ends_after_s, waits_s) in [
        ("events-1-a-1", "copy/", 120, 120..130),
        ("events-1-a-1", "copy/x/", 120, 120..130),
        ("events-1-a-1", "copy/", 590, 590..600),
        ("events-1-a-1", "copy/x/", 590, 590..600),
        ("events-1-a-1", "copy/", 700, 600..610),
        ("events-1-a-1", "copy/x/", 700, 600..610),
        ("other", "copy/", 120, 0..10),
    ] {
        let world = World::new();
        world.put_sources(["a"]);
        let execution = run_of_events(&world, holder, prefix).await;
        let executions = world.executions.clone();
        let ends = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(ends_after_s)).await;
            executions.set(&execution, ExecutionState::Ended);
        });
        let began = Instant::now();
        let planned = world.plan(&json!({})).await;
        let case = format!("{holder} {prefix}, which ends after {ends_after_s} s");
        let waited = began.elapsed().as_secs();
        assert!(waits_s.contains(&waited), "{case}: waited {waited} s");
        if waits_s.contains(&ends_after_s) {
            planned.unwrap_or_else(|failure| panic!("{case}: {failure}"));
        } else {
            let failure = planned.unwrap_err();
            assert_eq!(failure.code, FailureCode::RunOverlap, "{case}");
            assert!(failure.detail.contains(holder), "{case}: {failure}");
        }
        ends.abort();
    }
}

/// Of its own prefix and of one within it, one after the other: an invocation has time for one wait.
#[tokio::test(start_paused = true)]
async fn a_nightly_run_waits_ten_minutes_for_all_runs_of_events_together() {
    let world = World::new();
    world.put_sources(["a"]);
    let first = run_of_events(&world, "events-1-a-1", "copy/").await;
    run_of_events(&world, "events-2-b-1", "copy/x/").await;
    let executions = world.executions.clone();
    let ends = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(400)).await;
        executions.set(&first, ExecutionState::Ended);
    });
    let began = Instant::now();
    let failure = world.plan(&json!({})).await.unwrap_err();
    assert!(failure.detail.contains("events-2-b-1"), "{failure}");
    let waited = began.elapsed().as_secs();
    assert!((600..610).contains(&waited), "waited {waited} s");
    ends.abort();
}
