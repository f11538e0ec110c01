//! A run that was stopped, and is redriven after another run to its target began.

use std::time::Duration;

use serde_json::json;
use shardlift_core::{
    failure::FailureCode,
    port::{Ledger, PutOutcome},
    run::lock::{LockRecord, LockState, LockedPrefix},
    value::id::RunId,
};

use crate::scene::{SOURCE, Scene};

/// Whoever holds the lock now, also if nobody does any more.
#[tokio::test(start_paused = true)]
async fn copies_nothing_and_gives_its_claim_back() {
    for (holder, state) in [
        (Some("nightly-2"), LockState::Held),
        (Some("nightly-2"), LockState::Claimed),
        (Some("nightly-2"), LockState::GivenUp),
        (None, LockState::GivenUp),
    ] {
        let scene = Scene::new(&json!({}));
        scene.buckets.put(SOURCE, "in/a", "x", 1);
        scene.plan().await;
        let run = scene.run_record();
        let locked = LockedPrefix::of(&run.spec.pair);
        let own = scene.ledger.read_lock(&locked).await.unwrap().unwrap();
        if let Some(holder) = holder {
            let run_id = RunId::new(holder).unwrap();
            let execution = format!(
                "{}:{holder}",
                own.execution_arn.as_str().rsplit_once(':').unwrap().0
            );
            let taken = LockRecord {
                run_id,
                execution_arn: execution.try_into().unwrap(),
                state,
                revision: own.revision + 1,
                ..own.clone()
            };
            let written = scene.ledger.replace_lock(&own, &taken).await.unwrap();
            assert_eq!(written, PutOutcome::Written);
        } else {
            scene
                .ledger
                .delete_lock(&locked, &own.run_id)
                .await
                .unwrap();
        }
        scene.script.clear();
        let refused = scene.invoke(Duration::from_secs(900)).await.unwrap_err();
        assert_eq!(refused.code, FailureCode::RunOverlap, "{refused}");
        assert!(refused.detail.contains("start a rerun"), "{refused}");
        assert!(refused.detail.contains(holder.unwrap_or("another run")));
        // It reads the run and claims its shard, asks for the lock behind that, and gives the shard back.
        let calls = ["GetItem", "GetItem", "PutItem", "GetItem", "PutItem"];
        let calls = calls.map(|call| format!("dynamodb:{call}"));
        assert_eq!(scene.script.calls(), calls);
        let shards = scene.ledger.shards(&run.run_id);
        assert!(shards.iter().all(|shard| shard.lease.is_none()));
        assert_eq!(scene.target_keys(), Vec::<String>::new());
    }
}
