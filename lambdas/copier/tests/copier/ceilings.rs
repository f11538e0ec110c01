//! A run that does more than the stack allows now is not copied, whenever it was planned.

use std::time::Duration;

use crate::scene::{MemoryPorts, SOURCE, Scene, TARGET, event_for, shard_id};
use serde_json::json;
use shardlift_copier::copier::Copier;
use shardlift_core::{
    access::ceilings::{CeilingParameters, Ceilings},
    failure::FailureCode,
    port::Clock,
    run::input::RunInput,
    shard::ShardWork,
    value::deadline::Deadline,
};

#[tokio::test(start_paused = true)]
async fn a_redriven_mirror_meets_the_parameters_of_today() {
    let scene = Scene::new(&json!({"mode": "mirror"}));
    scene.buckets.put(TARGET, "out/old", "x", 1);
    scene.buckets.put(SOURCE, "in/a", "x", 1);
    scene.plan_work(TARGET, ShardWork::DeleteObjects).await;
    let role = "arn:aws:iam::222222222222:role/Shardlift";
    for (prefix, parameter) in [("out/", "AllowMirror"), ("elsewhere/", "TargetPrefix")] {
        let defaults = json!({
            "source": {"bucket": SOURCE, "prefix": "in/"},
            "target": {"bucket": TARGET, "prefix": prefix, "role_arn": role},
        });
        let ceilings = Ceilings::new(
            &RunInput::parse(&defaults).unwrap(),
            CeilingParameters::default(),
        );
        let copier: Copier<MemoryPorts> = Copier::new(
            scene.accounts.clone(),
            scene.ledger.clone(),
            scene.control.clone(),
            scene.clock.clone(),
            ceilings,
        );
        let now = scene.clock.now();
        let deadline = Deadline::new(now, now.plus(Duration::from_secs(900)));
        let refused = copier.copy_shard(&event_for(&shard_id()), deadline).await;
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, FailureCode::InvalidRun);
        assert!(refused.detail.contains(parameter), "{refused}");
        let calls = scene.script.calls();
        assert!(
            calls.iter().all(|call| call.starts_with("dynamodb:")),
            "{calls:?}"
        );
        assert_eq!(scene.target_keys(), ["out/old"]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_redriven_run_whose_list_may_lie_there_no_longer_copies_nothing() {
    let list = json!({"bucket": "inventories", "key": "manifest.json", "format": "inventory"});
    let scene = Scene::new(&json!({
        "mode": "copy", "source": {"bucket": SOURCE, "prefix": "in/", "list": list},
    }));
    scene.buckets.put(SOURCE, "in/a", "x", 1);
    scene.plan().await;
    let defaults = RunInput::parse(&json!({
        "source": {"bucket": SOURCE, "prefix": "in/"},
        "target": {"bucket": TARGET, "prefix": "out/", "role_arn": "arn:aws:iam::222222222222:role/Shardlift"},
    }));
    let copier: Copier<MemoryPorts> = Copier::new(
        scene.accounts.clone(),
        scene.ledger.clone(),
        scene.control.clone(),
        scene.clock.clone(),
        Ceilings::new(&defaults.unwrap(), CeilingParameters::default()),
    );
    let now = scene.clock.now();
    let deadline = Deadline::new(now, now.plus(Duration::from_secs(900)));
    let refused = copier.copy_shard(&event_for(&shard_id()), deadline).await;
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, FailureCode::InvalidRun);
    assert!(refused.detail.contains("AllowedListBuckets"), "{refused}");
    assert!(scene.target_keys().is_empty());
}
