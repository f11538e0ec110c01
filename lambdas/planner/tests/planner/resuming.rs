//! Wherever an invocation ends, the next ones end with the same plan.

use std::time::Duration;

use crate::world::{TARGET, World};
use serde_json::json;
use shardlift_core::{failure::FailureCode, value::time::Timestamp};
use shardlift_testkit::Disturbance;

/// As the testkit counts a page of a listing.
const LIST: &str = "s3:ListObjectsV2";

/// A source of 40 keys with a target that has some of them, some in another size: planned, same, differing and filtered
/// objects take turns.
fn mixed_world() -> World {
    let world = World::new();
    let keys: Vec<String> = (0..40).map(|n| format!("k{:02}", n * 7 % 40)).collect();
    world.put_sources(keys.iter().map(String::as_str));
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for n in (0..60).filter(|n| n % 3 == 0) {
        world
            .buckets
            .put(TARGET, &format!("copy/k{n:02}"), "x", 3 + n % 2);
    }
    world
}

fn objects_in_shards(world: &World) -> usize {
    let shards = world.ledger.shards(&crate::world::run_id());
    let planned = shards.iter().map(|shard| shard.planned.objects);
    usize::try_from(planned.sum::<u64>()).unwrap()
}

fn input() -> serde_json::Value {
    json!({"mode": "sync", "filters": {"exclude": ["*5"]}})
}

#[tokio::test]
async fn a_plan_cut_into_many_invocations_is_the_uncut_plan() {
    let uncut = mixed_world();
    uncut.plan(&input()).await.unwrap();
    for step_ms in [40_000, 100_000, 500_000] {
        let mut world = mixed_world();
        world.clock_step = Duration::from_millis(step_ms);
        let mut invocations = 1;
        while world.invoke(&input()).await.unwrap()["status"] == "CONTINUE" {
            invocations += 1;
        }
        assert!(
            invocations > 1,
            "{step_ms} ms a look end within one invocation"
        );
        assert_eq!(world.planned().content(), uncut.planned().content());
    }
}

#[tokio::test]
async fn a_planner_disturbed_at_any_call_ends_with_the_uncut_plan() {
    let uncut = mixed_world();
    uncut.plan(&input()).await.unwrap();
    let calls = uncut.script.calls().len();
    assert!(calls > 30);
    for disturbance in Disturbance::MATRIX {
        for call in 0..calls {
            let world = mixed_world();
            let input = input();
            world.script.disturb(call, *disturbance);
            tokio::select! {
                biased;
                first = world.plan(&input) => {
                    // A failure is tried again by the state machine.
                    if let Err(failure) = first {
                        assert!(["Throttled", "ServiceFault"].contains(&failure.code.name()), "{failure}");
                    }
                }
                () = world.script.killed() => {}
            }
            world.script.clear();
            let result = world.plan(&input).await.unwrap();
            assert_eq!(result["status"], "COPY", "{disturbance:?} at call {call}");
            assert_eq!(
                world.planned().content(),
                uncut.planned().content(),
                "{disturbance:?} at call {call}"
            );
            let mut shards: Vec<String> = world
                .ledger
                .shards(&crate::world::run_id())
                .into_iter()
                .map(|shard| shard.shard_id.to_string())
                .collect();
            let mut index = world.index();
            shards.sort();
            index.sort();
            assert_eq!(index, shards);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_merged_before_a_listing_was_throttled_for_good_is_not_listed_again() {
    let keys: Vec<String> = (0..40).map(|n| format!("k{n:02}")).collect();
    let world = World::new();
    world.put_sources(keys.iter().map(String::as_str));
    let input = json!({"mode": "copy"});
    // Opening lists too.
    world.script.throttle_after(LIST, 8);
    let failure = world.plan(&input).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::Throttled);
    let kept = objects_in_shards(&world);
    assert!(kept > 0, "nothing was kept");
    world.script.clear();
    assert_eq!(world.plan(&input).await.unwrap()["status"], "COPY");
    let lists = world.script.calls().into_iter();
    let lists = lists.filter(|call| *call == LIST).count();
    assert!(
        lists * world.page_objects <= 40 - kept + 2 * world.page_objects,
        "{lists}"
    );
    assert_eq!(world.planned().copies.len(), 40);
}

#[tokio::test]
async fn a_long_listing_is_kept_minute_by_minute() {
    let keys: Vec<String> = (0..40).map(|n| format!("k{n:02}")).collect();
    let long = || {
        let mut world = World::new();
        world.shard_bounds.objects_max = 1_000;
        world.clock_step = Duration::from_secs(10);
        world.put_sources(keys.iter().map(String::as_str));
        world
    };
    let world = long();
    let input = json!({"mode": "copy"});
    let uncut = long();
    uncut.invoke(&input).await.unwrap();
    // The last response may come after the deadline, when nothing waits for it.
    let calls = uncut.script.calls().into_iter().enumerate();
    let lists: Vec<usize> = calls
        .filter_map(|(number, call)| (call == LIST).then_some(number))
        .collect();
    let late = lists[lists.len() - 2];
    world.script.disturb(late, Disturbance::KilledBefore);
    tokio::select! {
        biased;
        _ = world.invoke(&input) => panic!("it is killed before it ends"),
        () = world.script.killed() => {}
    }
    assert!(objects_in_shards(&world) > 0, "nothing was kept");
}

#[tokio::test]
async fn a_frozen_planner_that_wakes_up_after_another_one_doubles_nothing() {
    let uncut = mixed_world();
    uncut.plan(&input()).await.unwrap();
    for call in 0..uncut.script.calls().len() {
        let world = mixed_world();
        let input = input();
        world.script.disturb(call, Disturbance::Frozen);
        let mut frozen = Box::pin(world.plan(&input));
        tokio::select! {
            biased;
            _ = &mut frozen => panic!("call {call} is made"),
            () = world.script.killed() => {}
        }
        world.plan(&input).await.unwrap();
        let plan = world.planned();
        let index = world.index();
        world.script.release();
        let woken = match frozen.await {
            // Its trial upload may be gone by now; the machine tries again.
            Err(failure) if failure.code == FailureCode::ServiceFault => world.plan(&input).await,
            end => end,
        };
        let woken = woken.unwrap();
        assert_eq!(woken["status"], "COPY", "it learns that the plan is made");
        assert_eq!(world.planned(), plan, "frozen at call {call}");
        assert_eq!(world.index(), index);
        assert_eq!(plan.content(), uncut.planned().content());
    }
}
