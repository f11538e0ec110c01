//! A rerun plans exactly what the earlier run left undone, wherever its invocations end.

use std::time::Duration;

use crate::earlier::{
    again_id, copied_again, end, ended_world, input, invoke, manifest, plan_again, plan_as, planned,
};
use crate::world::{SOURCE, TARGET, World, run_id};
use serde_json::{Value, json};
use shardlift_core::{
    documents::control_key,
    failure::fault::FaultKind,
    port::Ledger,
    run::record::RunState,
    shard::{ShardRecord, ShardState, ShardWork},
    value::{id::RunId, time::Timestamp},
};
use shardlift_testkit::Disturbance;

/// How often both sides were listed.
fn listings(world: &World) -> usize {
    let calls = world.script.calls();
    let listings = calls.iter().filter(|call| **call == "s3:ListObjectsV2");
    listings.count()
}

/// Those that opening a run makes where the source has ten objects: one of the target, and four pages of three keys.
const LISTINGS_OF_THE_PREFLIGHT: usize = 5;

#[tokio::test]
async fn exactly_what_is_undone_is_planned_in_its_present_version() {
    let world = ended_world().await;
    let result = plan_again(&world, &input()).await.unwrap();
    assert_eq!(result["status"], "COPY");
    let planned = planned(&world, &again_id(), ShardWork::CopyObjects);
    let keys: Vec<&str> = planned.keys().map(String::as_str).collect();
    assert_eq!(keys, ["data/k03", "data/k11", "data/k27"]);
    let sources = world.buckets.objects(SOURCE);
    for (key, etag) in &planned {
        let mut objects = sources.iter();
        let (_, object) = objects.find(|(found, _)| found.as_str() == key).unwrap();
        assert_eq!(object.attributes.etag.as_str(), etag, "{key}");
    }
    let run = world.ledger.run(&again_id()).unwrap();
    assert_eq!(
        (run.state, run.totals.planned.objects),
        (RunState::Planned, 3)
    );
    assert_eq!(run.totals.gone.objects, 1);
    assert_eq!(run.spec.rerun.unwrap().of, run_id());
    let shards = world.ledger.shards(&again_id());
    assert_eq!(shards.len(), 1, "few objects share a shard");
    // k11 and k12 are neighbors: one page holds both.
    assert_eq!(listings(&world), LISTINGS_OF_THE_PREFLIGHT + 3);
    let reads = run.totals.requests["s3:GetObject"];
    assert_eq!(reads, 4, "three lists of failures, one manifest");
}

#[tokio::test]
async fn nothing_undone_is_nothing_to_copy() {
    let world = World::new();
    world.put_sources(["a", "b"]);
    world.plan(&json!({"mode": "copy"})).await.unwrap();
    end(&world, &run_id(), &[], &[]).await;
    let result = plan_again(&world, &input()).await.unwrap();
    assert_eq!(result["status"], "REPORT");
    assert!(world.ledger.shards(&again_id()).is_empty());
    assert_eq!(listings(&world), 2, "the preflight's, a page of each side");
}

/// A rerun of the shards of the run `of` that hold these objects.
fn of_shards_with(world: &World, of: &RunId, keys: &[&str]) -> Value {
    let is_chosen = |shard: &ShardRecord| {
        let objects = manifest(world, shard).objects;
        objects.iter().any(|o| keys.contains(&o.key.as_str()))
    };
    let shards = world.ledger.shards(of);
    let chosen = shards.iter().filter(|shard| is_chosen(shard));
    let ids: Vec<&str> = chosen.map(|shard| shard.shard_id.as_str()).collect();
    json!({"rerun_of": of.as_str(), "shards": ids})
}

#[tokio::test]
async fn chosen_shards_alone_are_planned_and_the_rest_is_counted() {
    let world = ended_world().await;
    let input = of_shards_with(&world, &run_id(), &["data/k27"]);
    plan_again(&world, &input).await.unwrap();
    assert_eq!(copied_again(&world), ["data/k27"]);
    let rerun = world.ledger.run(&again_id()).unwrap().spec.rerun.unwrap();
    assert_eq!(rerun.not_chosen.objects, 3);
    assert_eq!(rerun.rest_of(), Some(&run_id()));
}

#[tokio::test]
async fn what_was_not_chosen_once_stays_undone_along_a_chain_of_reruns() {
    let world = ended_world().await;
    let input = of_shards_with(&world, &run_id(), &["data/k27"]);
    plan_again(&world, &input).await.unwrap();
    end(&world, &again_id(), &["data/k27"], &[]).await;
    let mut of = again_id();
    for id in ["third", "fourth"] {
        let id = RunId::new(id).unwrap();
        let input = json!({"rerun_of": of.as_str()});
        plan_as(&world, &id, &input).await.unwrap();
        end(&world, &id, &[], &[]).await;
        let rerun = world.ledger.run(&id).unwrap().spec.rerun.unwrap();
        assert_eq!(rerun.not_chosen.objects, 3, "{id}");
        assert_eq!(rerun.rest_of(), Some(&run_id()), "{id}");
        of = id;
    }
    // The first run has them all: nothing is left out by a rerun of it.
    let whole = RunId::new("whole").unwrap();
    plan_as(&world, &whole, &json!({"rerun_of": "nightly-1"}))
        .await
        .unwrap();
    let rerun = world.ledger.run(&whole).unwrap().spec.rerun.unwrap();
    assert_eq!((rerun.not_chosen.objects, rerun.rest_of()), (0, None));
}

#[tokio::test]
async fn what_a_rerun_of_a_rerun_leaves_out_is_counted_beside_what_was_left_out_before() {
    let third = RunId::new("third").unwrap();
    let every = input();
    // Left out are k03 and k27: both by the third run, or k03 by the second already.
    for (is_whole, rest_of) in [(true, again_id()), (false, run_id())] {
        let mut world = ended_world().await;
        world.shard_bounds.objects_max = 1;
        let some = of_shards_with(&world, &run_id(), &["data/k11", "data/k27"]);
        let input = if is_whole { &every } else { &some };
        plan_again(&world, input).await.unwrap();
        let failed = copied_again(&world);
        let failed: Vec<&str> = failed.iter().map(String::as_str).collect();
        end(&world, &again_id(), &failed, &[]).await;
        let input = of_shards_with(&world, &again_id(), &["data/k11"]);
        plan_as(&world, &third, &input).await.unwrap();
        let rerun = world.ledger.run(&third).unwrap().spec.rerun.unwrap();
        assert_eq!(rerun.not_chosen.objects, 2);
        assert_eq!(rerun.rest_of(), Some(&rest_of));
    }
}

#[tokio::test]
async fn an_object_in_part_shards_is_planned_whole_also_when_a_part_is_chosen() {
    let world = World::new();
    world.put_sources(["a"]);
    world.buckets.put(SOURCE, "data/large", "large", 2 << 40);
    world.plan(&json!({"mode": "copy"})).await.unwrap();
    end(&world, &run_id(), &["data/a", "data/large"], &[]).await;
    let is_whole = |shard: &ShardRecord| matches!(shard.work, ShardWork::AssembleObject { .. });
    let shards = world.ledger.shards(&run_id());
    let whole = shards.iter().find(|shard| is_whole(shard)).unwrap();
    let part = whole.shard_id.part_shard(0);
    let of_a_part = json!({"rerun_of": "nightly-1", "shards": [part.as_str()]});
    for (id, input, copied, not_chosen) in [
        ("all", input(), vec!["data/a"], 0),
        ("part", of_a_part, vec![], 1),
    ] {
        let id = RunId::new(id).unwrap();
        plan_as(&world, &id, &input).await.unwrap();
        let shards = world.ledger.shards(&id);
        let again = shards.iter().find(|shard| is_whole(shard)).unwrap();
        let objects = manifest(&world, again).objects;
        assert_eq!(objects.len(), 1);
        assert_eq!(objects[0].key.as_str(), "data/large");
        let is_part = |shard: &&ShardRecord| matches!(shard.work, ShardWork::CopyParts { .. });
        let part_shards = u32::try_from(shards.iter().filter(is_part).count()).unwrap();
        assert!(part_shards > 1);
        assert_eq!(again.work, ShardWork::AssembleObject { part_shards });
        let copies = planned(&world, &id, ShardWork::CopyObjects);
        assert_eq!(copies.into_keys().collect::<Vec<_>>(), copied);
        let rerun = world.ledger.run(&id).unwrap().spec.rerun.unwrap();
        assert_eq!(rerun.not_chosen.objects, not_chosen);
        end(&world, &id, &[], &[]).await;
    }
}

#[tokio::test]
async fn a_rerun_of_a_rerun_plans_what_that_one_left_undone() {
    let world = ended_world().await;
    plan_again(&world, &input()).await.unwrap();
    end(&world, &again_id(), &["data/k11"], &[]).await;
    let third = RunId::new("third").unwrap();
    plan_as(&world, &third, &json!({"rerun_of": "again"}))
        .await
        .unwrap();
    let planned = planned(&world, &third, ShardWork::CopyObjects);
    assert_eq!(planned.keys().collect::<Vec<_>>(), ["data/k11"]);
    let rerun = world.ledger.run(&third).unwrap().spec.rerun.unwrap();
    assert_eq!((rerun.of, rerun.listed_by), (again_id(), run_id()));
}

#[tokio::test]
async fn an_object_that_the_filters_now_leave_out_is_not_copied() {
    let world = World::new();
    world.put_sources(["a", "b"]);
    let filters = json!({"mode": "copy", "filters": {"size_max_bytes": 10}});
    world.plan(&filters).await.unwrap();
    end(&world, &run_id(), &["data/a", "data/b"], &[]).await;
    world.buckets.put(SOURCE, "data/b", "grown", 11);
    plan_again(&world, &input()).await.unwrap();
    assert_eq!(copied_again(&world), ["data/a"]);
    let totals = world.ledger.run(&again_id()).unwrap().totals;
    assert_eq!((totals.filtered.objects, totals.gone.objects), (1, 0));
}

#[tokio::test]
async fn deletions_beyond_the_limits_are_held_in_every_rerun_too() {
    let world = World::new();
    world.put_sources(["a", "b"]);
    world.buckets.put(TARGET, "copy/stays", "x", 1);
    let mirror = json!({"mode": "mirror", "delete_max_percent": 5, "delete_max_objects": 0});
    world.plan(&mirror).await.unwrap();
    end(&world, &run_id(), &["data/b"], &[]).await;
    plan_again(&world, &input()).await.unwrap();
    assert_eq!(copied_again(&world), ["data/b"]);
    let totals = world.ledger.run(&again_id()).unwrap().totals;
    assert_eq!((totals.deletes, totals.deletes_held), (1, true));
}

#[tokio::test]
async fn held_back_deletions_of_a_mirror_are_planned_again_where_they_still_apply() {
    let world = World::new();
    world.put_sources(["a", "b"]);
    for deleted in ["back", "gone", "stays", "written"] {
        world
            .buckets
            .put(TARGET, &format!("copy/{deleted}"), "x", 1);
    }
    let mirror = json!({"mode": "mirror", "delete_max_percent": 100});
    world.plan(&mirror).await.unwrap();
    end(&world, &run_id(), &["data/b"], &[]).await;
    world.put_sources(["back"]);
    world.buckets.remove(TARGET, "copy/gone");
    world.buckets.set_time(Timestamp::from_millis(90_000));
    world.buckets.put(TARGET, "copy/written", "since", 5);
    plan_again(&world, &input()).await.unwrap();
    assert_eq!(copied_again(&world), ["data/b"]);
    let deletions = planned(&world, &again_id(), ShardWork::DeleteObjects);
    assert_eq!(
        deletions.keys().collect::<Vec<_>>(),
        ["copy/stays", "copy/written"]
    );
    let targets = world.buckets.objects(TARGET);
    let (_, written) = targets
        .iter()
        .find(|(key, _)| key.as_str() == "copy/written")
        .unwrap();
    assert_eq!(deletions["copy/written"], written.attributes.etag.as_str());
    let run = world.ledger.run(&again_id()).unwrap();
    assert_eq!((run.totals.deletes, run.totals.gone.objects), (2, 2));
    // They come after the copies, in a round of their own.
    let index = world.control.body(&control_key::index(&again_id(), 1));
    let first_round: Vec<String> = serde_json::from_slice(&index.unwrap()).unwrap();
    assert_eq!(first_round.len(), 1);
    let shards = world.ledger.shards(&again_id());
    assert!(shards.iter().all(|shard| shard.state == ShardState::Ready));
}

#[tokio::test]
async fn a_dense_stretch_is_looked_up_by_pages() {
    let mut world = World::new();
    world.shard_bounds.objects_max = 1_000;
    world.page_objects = 100;
    let keys: Vec<String> = (0..1_000).map(|number| format!("k{number:04}")).collect();
    world.put_sources(keys.iter().map(String::as_str));
    world.plan(&json!({"mode": "copy"})).await.unwrap();
    let sources: Vec<String> = keys.iter().map(|key| format!("data/{key}")).collect();
    let open: Vec<&str> = sources.iter().map(String::as_str).collect();
    end(&world, &run_id(), &[], &open).await;
    for gone in [0, 499, 500, 999] {
        world.buckets.remove(SOURCE, &sources[gone]);
    }
    plan_again(&world, &input()).await.unwrap();
    assert_eq!(copied_again(&world).len(), 996);
    let run = world.ledger.run(&again_id()).unwrap();
    assert_eq!(run.totals.gone.objects, 4);
    // Four groups of 250 keys, of 100 keys a page.
    let asked = listings(&world) - LISTINGS_OF_THE_PREFLIGHT;
    assert!((10..=4 * 4).contains(&asked), "{asked} listings");
}

#[tokio::test(start_paused = true)]
async fn a_lookup_that_fails_for_a_while_is_asked_again_and_a_refused_one_takes_nothing_for_gone() {
    let uncut = ended_world().await;
    plan_again(&uncut, &input()).await.unwrap();
    let calls = uncut.script.calls();
    let lookup = calls.iter().rposition(|call| *call == "s3:ListObjectsV2");
    for kind in [FaultKind::ServiceError, FaultKind::NoResponse] {
        let world = ended_world().await;
        let disturbance = Disturbance::RefusedBefore(kind);
        world.script.disturb(lookup.unwrap(), disturbance);
        invoke(&world, &input()).await.unwrap();
        assert_eq!(copied_again(&world), copied_again(&uncut));
    }
    let world = ended_world().await;
    let refused = Disturbance::RefusedBefore(FaultKind::AccessDenied);
    world.script.disturb(lookup.unwrap(), refused);
    let failure = invoke(&world, &input()).await.unwrap_err();
    assert_eq!(failure.code.name(), "AccessDenied");
    let run = world.ledger.read_run(&again_id()).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Planning);
}

#[tokio::test(start_paused = true)]
async fn a_rerun_disturbed_at_any_call_ends_with_the_same_plan() {
    let uncut = ended_world().await;
    plan_again(&uncut, &input()).await.unwrap();
    let (calls, expected) = (uncut.script.calls().len(), copied_again(&uncut));
    assert!(calls > 20, "{calls}");
    for disturbance in Disturbance::MATRIX {
        for call in 0..calls {
            let world = ended_world().await;
            world.script.disturb(call, *disturbance);
            let input = input();
            tokio::select! {
                biased;
                first = plan_again(&world, &input) => {
                    if let Err(failure) = first {
                        assert!(["Throttled", "ServiceFault"].contains(&failure.code.name()), "{failure}");
                    }
                }
                () = world.script.killed() => {}
            }
            world.script.clear();
            let result = plan_again(&world, &input).await.unwrap();
            assert_eq!(result["status"], "COPY", "{disturbance:?} at call {call}");
            assert_eq!(
                copied_again(&world),
                expected,
                "{disturbance:?} at call {call}"
            );
            let run = world.ledger.run(&again_id()).unwrap();
            assert_eq!(run.totals.gone.objects, 1);
        }
    }
}

#[tokio::test]
async fn a_rerun_cut_into_many_invocations_is_the_uncut_one() {
    let uncut = ended_world().await;
    plan_again(&uncut, &input()).await.unwrap();
    let mut world = ended_world().await;
    world.clock_step = Duration::from_secs(500);
    let mut invocations = 1;
    while invoke(&world, &input()).await.unwrap()["status"] == "CONTINUE" {
        invocations += 1;
    }
    assert!(invocations > 1);
    assert_eq!(copied_again(&world), copied_again(&uncut));
}

#[tokio::test(start_paused = true)]
async fn a_frozen_rerun_that_wakes_up_after_another_one_doubles_nothing() {
    let uncut = ended_world().await;
    plan_again(&uncut, &input()).await.unwrap();
    for call in 0..uncut.script.calls().len() {
        let world = ended_world().await;
        let input = input();
        world.script.disturb(call, Disturbance::Frozen);
        let mut frozen = Box::pin(plan_again(&world, &input));
        tokio::select! {
            biased;
            _ = &mut frozen => panic!("call {call} is made"),
            () = world.script.killed() => {}
        }
        plan_again(&world, &input).await.unwrap();
        let index = world.control.body(&control_key::index(&again_id(), 1));
        world.script.release();
        if let Err(failure) = frozen.await {
            // Its trial upload may be gone by now; the machine tries again.
            assert_eq!(failure.code.name(), "ServiceFault", "{failure}");
        }
        assert_eq!(
            copied_again(&world),
            copied_again(&uncut),
            "frozen at call {call}"
        );
        let index_now = world.control.body(&control_key::index(&again_id(), 1));
        assert_eq!(index_now, index);
    }
}
