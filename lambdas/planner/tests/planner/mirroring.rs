//! What a mirror plans to delete, and what it refuses to.

use crate::world::{TARGET, World, run_id};
use serde_json::json;
use shardlift_core::{run::record::RunState, value::time::Timestamp};

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

/// Whether a mirror holds its deletions whose source has the first of the target's objects.
async fn is_held(sources: usize, targets: usize, limits: &serde_json::Value) -> bool {
    let world = World::new();
    let keys: Vec<String> = (0..targets).map(|number| format!("{number:03}")).collect();
    world.put_sources(keys.iter().take(sources).map(String::as_str));
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for key in &keys {
        world.buckets.put(TARGET, &format!("copy/{key}"), key, 3);
    }
    let mut input = limits.clone();
    input["mode"] = json!("mirror");
    world.plan(&input).await.unwrap();
    let totals = world.ledger.run(&run_id()).unwrap().totals;
    assert_eq!(totals.deletes, (targets - sources) as u64);
    assert_eq!(totals.deletable, targets as u64);
    let requests = &totals.estimate.requests;
    let is_estimated = requests.contains_key("s3:DeleteObjects");
    assert_eq!(is_estimated, !totals.deletes_held, "{requests:?}");
    totals.deletes_held
}

#[tokio::test]
async fn deletions_within_either_limit_are_made_and_those_beyond_both_are_held() {
    let limits =
        |percent, objects| json!({"delete_max_percent": percent, "delete_max_objects": objects});
    for (sources, targets, limits, expected) in [
        (3, 4, limits(25, 0), false),
        (3, 4, limits(24, 0), true),
        (3, 4, limits(0, 1), false),
        (1, 4, limits(0, 2), true),
        (1, 4, limits(75, 2), false),
        (15, 19, json!({}), false),
        (30, 40, json!({}), false),
        (30, 41, json!({}), true),
    ] {
        let held = is_held(sources, targets, &limits).await;
        assert_eq!(held, expected, "{sources} of {targets}, {limits}");
    }
}

#[tokio::test]
async fn an_empty_source_deletes_only_where_the_input_says_so_and_the_limits_allow_it() {
    let limits = |percent, objects, is_allowed| {
        json!({
            "delete_max_percent": percent, "delete_max_objects": objects, "allow_empty_source": is_allowed,
        })
    };
    for (limits, expected) in [
        (json!({}), true),
        (json!({"delete_max_percent": 100}), true),
        (limits(100, 1_000, false), true),
        (limits(99, 3, true), true),
        (limits(100, 0, true), false),
        (limits(0, 4, true), false),
    ] {
        assert_eq!(is_held(0, 4, &limits).await, expected, "{limits}");
    }
}

#[tokio::test]
async fn a_source_that_the_filters_leave_out_whole_is_as_empty_as_one_without_objects() {
    for (allowed, held) in [(false, true), (true, false)] {
        let world = World::new();
        world.put_sources(["logs/a", "logs/b"]);
        world.buckets.put(TARGET, "copy/old", "x", 1);
        let input = json!({
            "mode": "mirror", "delete_max_percent": 100, "allow_empty_source": allowed,
            "filters": {"include": ["*"]},
        });
        world.plan(&input).await.unwrap();
        let totals = world.ledger.run(&run_id()).unwrap().totals;
        assert_eq!((totals.filtered.objects, totals.deletes), (2, 1));
        assert_eq!(totals.deletes_held, held);
    }
}

#[tokio::test]
async fn copies_are_planned_whether_or_not_deletions_are_held() {
    let world = World::new();
    world.put_sources(["new"]);
    world.buckets.put(TARGET, "copy/old", "x", 1);
    let input = json!({"mode": "mirror", "delete_max_objects": 0});
    let result = world.plan(&input).await.unwrap();
    assert_eq!(result["status"], "COPY");
    let run = world.ledger.run(&run_id()).unwrap();
    assert_eq!(run.state, RunState::Planned);
    assert!(run.totals.deletes_held);
    assert_eq!((run.totals.planned.objects, run.totals.deletes), (1, 1));
    assert_eq!(world.index().len(), 1);
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
        world.plan(&input).await.unwrap();
        let totals = world.ledger.run(&run_id()).unwrap().totals;
        assert!(totals.deletes_held, "{filters}");
        assert_eq!((totals.deletes, totals.deletable), (3, 3));
    }
}
