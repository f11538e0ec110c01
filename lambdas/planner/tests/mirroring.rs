//! What a mirror plans to delete, and what it refuses to.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot make, it cannot go on with"
)]

#[expect(dead_code, reason = "each test takes what it needs of it")]
mod world;

use serde_json::json;
use shardlift_core::{failure::FailureCode, run::record::RunState, value::time::Timestamp};
use world::{TARGET, World, run_id};

#[tokio::test]
async fn a_mirror_plans_to_delete_what_the_source_lacks_apart_from_the_copies() {
    let world = World::new();
    world.put_sources(["b", "d"]);
    for key in ["a", "b", "c", "keep/x"] {
        world.buckets.put(TARGET, &format!("copy/{key}"), key, 1);
    }
    let input =
        json!({"mode": "mirror", "delete_max_percent": 67, "filters": {"exclude": ["keep/**"]}});
    let result = world.plan(&input).await.unwrap();
    assert_eq!(result["status"], "COPY");
    let plan = world.planned();
    assert!(
        plan.deletes.keys().eq(["copy/a", "copy/c"]),
        "target keys; what is excluded stays"
    );
    assert_eq!(plan.tally.deletes.objects, 2);
    let run = world.ledger.run(&run_id()).unwrap();
    assert_eq!((run.totals.deletes, run.totals.shards), (2, 2));
    assert_eq!(
        world.index().len(),
        1,
        "deletions are not in the first round"
    );
}

#[tokio::test]
async fn a_mirror_deletes_no_more_than_its_limit_and_nothing_for_an_empty_source() {
    for (sources, limit, is_allowed) in [
        (vec!["a", "b", "c"], 25, true),
        (vec!["a", "b", "c"], 24, false),
        (vec![], 99, false),
        (vec![], 100, true),
    ] {
        let world = World::new();
        world.put_sources(sources.iter().copied());
        world.buckets.set_time(Timestamp::from_millis(60_000));
        for key in ["a", "b", "c", "d"] {
            world.buckets.put(TARGET, &format!("copy/{key}"), key, 1);
        }
        let end = world
            .plan(&json!({"mode": "mirror", "delete_max_percent": limit}))
            .await;
        match end {
            Ok(result) => assert!(is_allowed && result["status"] == "REPORT", "{limit}"),
            Err(failure) => {
                assert!(!is_allowed, "{failure}");
                assert_eq!(failure.code, FailureCode::DeleteLimitExceeded);
                assert_eq!(
                    world.ledger.run(&run_id()).unwrap().state,
                    RunState::Planning
                );
            }
        }
    }
}

#[tokio::test]
async fn what_the_globs_leave_out_does_not_make_a_mirror_s_share_smaller() {
    for filters in [
        json!({"include": ["logs/**"]}),
        json!({"exclude": ["archive/**"]}),
    ] {
        let world = World::new();
        world.buckets.set_time(Timestamp::from_millis(60_000));
        for key in 0..3 {
            world
                .buckets
                .put(TARGET, &format!("copy/logs/{key}"), "x", 1);
        }
        for key in 0..300 {
            let key = format!("copy/archive/{key}");
            world.buckets.put(TARGET, &key, "x", 1);
        }
        let input = json!({"mode": "mirror", "delete_max_percent": 99, "filters": filters});
        let failure = world.plan(&input).await.unwrap_err();
        assert_eq!(failure.code, FailureCode::DeleteLimitExceeded, "{filters}");
        assert!(failure.detail.contains("3 of the 3 objects"), "{failure}");
    }
}
