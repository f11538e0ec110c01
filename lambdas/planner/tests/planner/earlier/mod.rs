//! An earlier run that ended with objects undone, and the rerun of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shardlift_core::{
    documents::{
        control_key,
        failure_list::{self, FailedObject},
        manifest::Manifest,
    },
    failure::{Failure, FailureCode},
    port::{ControlStore, ExecutionState, Ledger, PutOutcome},
    run::record::RunState,
    shard::{ShardEvent, ShardOutcome, ShardRecord, ShardWork},
    value::{arn::ExecutionArn, id::RunId, time::Timestamp},
};

use crate::world::{SOURCE, World, noon, run_id};

pub(crate) fn again_id() -> RunId {
    RunId::new("again").unwrap()
}

pub(crate) fn input() -> Value {
    json!({"rerun_of": "nightly-1"})
}

fn arn_of(run_id: &RunId) -> ExecutionArn {
    let machine = "arn:aws:states:eu-central-1:111111111111:execution:shardlift";
    ExecutionArn::new(format!("{machine}:{run_id}")).unwrap()
}

/// One invocation of 15 minutes for the run `again`.
pub(crate) async fn invoke(world: &World, input: &Value) -> Result<Value, Failure> {
    invoke_as(world, &again_id(), input).await
}

async fn invoke_as(world: &World, run_id: &RunId, input: &Value) -> Result<Value, Failure> {
    let event = json!({
        "schema_version": 1,
        "run_id": run_id.as_str(),
        "execution_arn": arn_of(run_id).to_string(),
        "started_at": noon().to_string(),
        "input": input,
    });
    world.invoke_by(&event).await
}

/// Invocations for the run `again` until one does not say CONTINUE.
pub(crate) async fn plan_again(world: &World, input: &Value) -> Result<Value, Failure> {
    plan_as(world, &again_id(), input).await
}

/// As [`plan_again`], for another run.
pub(crate) async fn plan_as(
    world: &World,
    run_id: &RunId,
    input: &Value,
) -> Result<Value, Failure> {
    for _ in 0..2_000 {
        match invoke_as(world, run_id, input).await {
            Ok(result) if result["status"] == "CONTINUE" => {}
            other => return other,
        }
    }
    panic!("the plan never ends")
}

/// What a run planned to copy or to delete: ETags by key. Checks on the way that manifests and records agree.
pub(crate) fn planned(world: &World, run_id: &RunId, work: ShardWork) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for shard in world.ledger.shards(run_id) {
        if shard.work != work {
            continue;
        }
        let manifest = manifest(world, &shard);
        assert_eq!(manifest.objects.len() as u64, shard.planned.objects);
        let mut pairs = manifest.objects.windows(2);
        assert!(pairs.all(|two| two[0].key < two[1].key));
        for object in manifest.objects {
            let before = found.insert(object.key.to_string(), object.etag.to_string());
            assert_eq!(before, None, "{} is planned twice", object.key);
        }
    }
    found
}

/// The keys that the run `again` plans to copy.
pub(crate) fn copied_again(world: &World) -> Vec<String> {
    let copies = planned(world, &again_id(), ShardWork::CopyObjects);
    copies.into_keys().collect()
}

pub(crate) fn manifest(world: &World, shard: &ShardRecord) -> Manifest {
    let key = control_key::manifest(&shard.run_id, &shard.shard_id);
    let body = world.control.body(&key).unwrap();
    Manifest::decode(&body, &shard.run_id, &shard.shard_id).unwrap()
}

/// Ends a planned run: keys in `failed` failed, those in `open` have no outcome, all else was done. Deletions are held
/// back when something is undone. The report is written.
pub(crate) async fn end(world: &World, run_id: &RunId, failed: &[&str], open: &[&str]) {
    for shard in world.ledger.shards(run_id) {
        let is_held_back =
            shard.work == ShardWork::DeleteObjects && !(failed.is_empty() && open.is_empty());
        let has_objects = !matches!(shard.work, ShardWork::CopyParts { .. });
        if has_objects && !is_held_back {
            end_shard(world, shard, failed, open).await;
        }
    }
    let mut run = world.ledger.run(run_id).unwrap();
    run.state = RunState::Reported;
    run.revision += 1;
    assert_eq!(
        world.ledger.replace_run(&run).await.unwrap(),
        PutOutcome::Written
    );
    world.executions.set(&arn_of(run_id), ExecutionState::Ended);
    world.script.clear();
}

async fn end_shard(world: &World, shard: ShardRecord, failed: &[&str], open: &[&str]) {
    let mut outcome = ShardOutcome::default();
    let mut lines = Vec::new();
    let mut is_open = false;
    for (index, object) in (0_u32..).zip(manifest(world, &shard).objects) {
        let key = object.key.as_str();
        is_open |= open.contains(&key);
        // The list knows an open object too: it is written before the record.
        if failed.contains(&key) || open.contains(&key) {
            lines.push(FailedObject {
                index,
                key: object.key.clone(),
                version_id: object.version_id.clone(),
                size: object.size_bytes,
                code: FailureCode::AccessDenied,
                detail: "denied".into(),
            });
        }
        if open.contains(&key) {
            continue;
        }
        outcome.progress.settle(index);
        let tally = &mut outcome.tally;
        if failed.contains(&key) {
            tally
                .failed
                .add_object(FailureCode::AccessDenied, object.size_bytes);
        } else if shard.work == ShardWork::DeleteObjects {
            tally.deleted.add_object(object.size_bytes);
        } else {
            tally.copied.add_object(object.size_bytes);
        }
    }
    if !lines.is_empty() {
        let key = control_key::failures(&shard.run_id, &shard.shard_id, 2);
        let body = failure_list::encode(&lines).unwrap();
        let put = world.control.put(&key, "application/zstd", body).await;
        put.unwrap();
        outcome.failures_key = Some(key);
    }
    let (now, token) = (noon(), shard.revision + 1);
    let expires_at = noon();
    let claimed = shard.apply(ShardEvent::Claim { now, expires_at }).unwrap();
    let last = if is_open {
        ShardEvent::Yield {
            now,
            token,
            outcome,
            writes_taken: 1,
        }
    } else {
        ShardEvent::Finish {
            now,
            token,
            outcome,
        }
    };
    for record in [claimed.clone(), claimed.apply(last).unwrap()] {
        let written = world.ledger.replace_shard(&record).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
    }
}

/// An earlier run over 40 objects in shards of 5: k03, k11 and k12 failed, k12 is gone since, k11 has changed; k27 has
/// no outcome.
pub(crate) async fn ended_world() -> World {
    let world = World::new();
    let keys: Vec<String> = (0..40).map(|number| format!("k{number:02}")).collect();
    world.put_sources(keys.iter().map(String::as_str));
    world.plan(&json!({"mode": "copy"})).await.unwrap();
    let failed = ["data/k03", "data/k11", "data/k12"];
    end(&world, &run_id(), &failed, &["data/k27"]).await;
    world.buckets.set_time(Timestamp::from_millis(90_000));
    world.buckets.put(SOURCE, "data/k11", "changed", 7);
    world.buckets.remove(SOURCE, "data/k12");
    // Longer keys that begin like one that is gone are not it.
    world.buckets.put(SOURCE, "data/k12x", "new", 3);
    world
}
