//! What cannot be rerun is refused by name, before anything is written.

use std::time::Duration;

use crate::earlier::{again_id, copied_again, end, ended_world, input, invoke, plan_again};
use crate::world::{TARGET, World, noon, run_id};
use serde_json::{Value, json};
use shardlift_core::{
    documents::control_key,
    failure::FailureCode,
    plan::range::RangeState,
    port::{ExecutionState, Ledger, PutOutcome},
    run::record::{RunRecord, RunState},
    shard::{ShardEvent, ShardState, ShardWork},
    value::{arn::ExecutionArn, time::Timestamp},
};

/// The rerun is refused as wrong input that names `named`, and left no trace but its preflight's absence.
async fn refused(world: &World, input: &Value, named: &str) {
    refused_as(FailureCode::InvalidRun, world, input, named).await;
}

/// The same under this code.
async fn refused_as(code: FailureCode, world: &World, input: &Value, named: &str) {
    let failure = invoke(world, input).await.unwrap_err();
    assert_eq!(failure.code, code, "{failure}");
    assert!(failure.detail.contains(named), "{named} in {failure}");
    assert!(world.ledger.run(&again_id()).is_none());
    let keys = world.control.keys();
    assert!(!keys.iter().any(|key| key.starts_with("runs/again/")));
}

async fn change_earlier(world: &World, change: impl FnOnce(&mut RunRecord)) {
    let mut run = world.ledger.run(&run_id()).unwrap();
    change(&mut run);
    run.revision += 1;
    let written = world.ledger.replace_run(&run).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
}

#[tokio::test]
async fn wrong_input_is_refused_by_the_name_of_its_field() {
    for (input, named) in [
        (json!({"rerun_of": "nobody"}), "no run nobody"),
        (json!({"rerun_of": "nightly-1", "mode": "copy"}), "`mode`"),
        (
            json!({"rerun_of": "nightly-1", "source": {"bucket": "other"}}),
            "`source`",
        ),
        (
            json!({"rerun_of": "nightly-1", "shards": ["9-9"]}),
            "no shard 9-9",
        ),
        (json!({"rerun_of": "nightly-1", "shards": []}), "`shards`"),
    ] {
        let world = ended_world().await;
        refused(&world, &input, named).await;
    }
}

#[tokio::test]
async fn a_run_that_is_under_way_is_refused() {
    let world = ended_world().await;
    let run = world.ledger.run(&run_id()).unwrap();
    let arn: ExecutionArn = run.execution_arn;
    world.executions.set(&arn, ExecutionState::Running);
    // The input is right: it has to wait.
    let overlap = FailureCode::RunOverlap;
    refused_as(
        overlap,
        &world,
        &input(),
        "run nightly-1 is still under way",
    )
    .await;
}

/// A copier took the shard that is not done, and was not heard of again.
async fn claim_undone(world: &World, expires_at: Timestamp) {
    let mut shards = world.ledger.shards(&run_id()).into_iter();
    let undone = shards.find(|shard| shard.state != ShardState::Done);
    let claim = ShardEvent::Claim {
        now: noon(),
        expires_at,
    };
    let claimed = undone.unwrap().apply(claim).unwrap();
    let written = world.ledger.replace_shard(&claimed).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
}

#[tokio::test]
async fn a_stopped_run_is_refused_until_its_last_copier_is_gone() {
    let world = ended_world().await;
    claim_undone(&world, noon().plus(Duration::from_secs(600))).await;
    let named = "may still work until 2026-11-22T12:10:00";
    refused_as(FailureCode::RunOverlap, &world, &input(), named).await;

    let world = ended_world().await;
    claim_undone(&world, noon()).await;
    plan_again(&world, &input()).await.unwrap();
    assert_eq!(copied_again(&world), ["data/k03", "data/k11", "data/k27"]);
}

#[tokio::test]
async fn a_dry_run_is_refused() {
    let world = World::new();
    world.put_sources(["a"]);
    world.plan(&json!({"dry_run": true})).await.unwrap();
    end(&world, &run_id(), &[], &[]).await;
    refused(&world, &input(), "run nightly-1 was a dry run").await;
}

#[tokio::test]
async fn an_audit_is_refused() {
    let world = World::new();
    world.put_sources(["a"]);
    world.plan(&json!({"mode": "audit"})).await.unwrap();
    end(&world, &run_id(), &[], &[]).await;
    refused(&world, &input(), "run nightly-1 was an audit").await;
}

#[tokio::test]
async fn a_run_whose_plan_was_never_finished_is_refused_whether_or_not_it_was_reported() {
    for state in [RunState::Planning, RunState::Reported] {
        let mut world = World::new();
        let keys: Vec<String> = (0..40).map(|number| format!("k{number:02}")).collect();
        world.put_sources(keys.iter().map(String::as_str));
        world.clock_step = Duration::from_secs(500);
        let result = world.invoke(&json!({"mode": "copy"})).await.unwrap();
        assert_eq!(result["status"], "CONTINUE");
        let ranges = world.ledger.ranges(&run_id());
        assert!(
            ranges
                .iter()
                .any(|range| range.state == RangeState::Listing)
        );
        change_earlier(&world, |run| run.state = state).await;
        refused(&world, &input(), "broke before its plan was finished").await;
    }
}

#[tokio::test]
async fn deletions_are_not_chosen_before_the_copies() {
    let world = World::new();
    world.put_sources(["a"]);
    world.buckets.put(TARGET, "copy/b", "x", 1);
    let mirror = json!({"mode": "mirror", "delete_max_percent": 100});
    world.plan(&mirror).await.unwrap();
    end(&world, &run_id(), &[], &["data/a"]).await;
    let shards = world.ledger.shards(&run_id());
    let mut shards = shards.into_iter();
    let deleting = shards.find(|shard| shard.work == ShardWork::DeleteObjects);
    let id = deleting.unwrap().shard_id;
    let input = json!({"rerun_of": "nightly-1", "shards": [id.as_str()]});
    refused(&world, &input, &format!("shard {id} deletes")).await;
}

#[tokio::test]
async fn a_run_that_the_ledger_forgets_is_refused() {
    let world = ended_world().await;
    let soon = noon().plus(Duration::from_secs(3_600)).as_epoch_seconds();
    change_earlier(&world, |run| run.expires_at = soon).await;
    refused(&world, &input(), "can no longer be rerun").await;
    let world = ended_world().await;
    change_earlier(&world, |run| run.totals.shards += 1).await;
    refused(&world, &input(), "can no longer be rerun").await;
}

#[tokio::test]
async fn documents_that_are_no_longer_kept_end_the_rerun_before_it_copies() {
    let world = ended_world().await;
    let shards = world.ledger.shards(&run_id());
    let key = shards
        .iter()
        .find_map(|shard| shard.outcome.failures_key.clone());
    world.control.remove(&key.unwrap());
    let failure = invoke(&world, &input()).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::InvalidRun);
    assert!(failure.detail.contains("no longer kept"), "{failure}");
    let index = world.control.body(&control_key::index(&again_id(), 1));
    assert_eq!(index, None);
}
