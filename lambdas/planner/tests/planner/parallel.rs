//! Many ranges at once: whatever the key space, and wherever it is split, every key is planned once.

use std::{collections::BTreeSet, time::Duration};

use crate::world::{TARGET, World, run_id};
use proptest::prelude::*;
use serde_json::json;
use shardlift_core::{
    plan::range::{KeyRange, RangeRecord},
    value::{key::RelativeKey, time::Timestamp},
};
use shardlift_testkit::{Disturbance, key_strategies::hard_to_split_key};

/// Every range meets the next one: the first begins open, the last ends open.
fn assert_tiles(mut ranges: Vec<RangeRecord>) {
    ranges.sort_by(|one, other| one.bounds.after.cmp(&other.bounds.after));
    let bounds: Vec<KeyRange> = ranges.into_iter().map(|range| range.bounds).collect();
    assert_eq!(bounds.first().unwrap().after, None);
    assert_eq!(bounds.last().unwrap().until, None);
    for two in bounds.windows(2) {
        assert!(two[0].until.is_some());
        assert_eq!(two[0].until, two[1].after);
    }
}

fn parallel_world(sources: &BTreeSet<String>, targets: &BTreeSet<String>) -> World {
    let mut world = World::new();
    world.listers_max = 8;
    world.put_sources(sources.iter().map(String::as_str));
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for key in targets {
        let size = sources.get(key).map_or(1, String::len) as u64;
        world.buckets.put(TARGET, &format!("copy/{key}"), key, size);
    }
    world
}

fn keys(count: usize) -> impl Strategy<Value = BTreeSet<String>> {
    prop::collection::btree_set(hard_to_split_key(), 0..count)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_key_space_is_planned_once_over_ranges_that_tile_it(sources in keys(200), targets in keys(120)) {
        let world = parallel_world(&sources, &targets);
        let input = json!({"mode": "mirror", "delete_max_percent": 100});
        runtime().block_on(world.plan(&input)).unwrap();
        assert_tiles(world.ledger.ranges(&run_id()));
        let plan = world.planned();
        let missing = sources.iter().filter(|key| !targets.contains(*key));
        let missing: Vec<String> = missing.map(|key| format!("data/{key}")).collect();
        prop_assert!(plan.copies.keys().eq(&missing));
        let extra = targets.iter().filter(|key| !sources.contains(*key));
        let extra: Vec<String> = extra.map(|key| format!("copy/{key}")).collect();
        prop_assert!(plan.deletes.keys().eq(&extra));
        prop_assert_eq!(plan.tally.at_target.objects, targets.len() as u64);
        prop_assert_eq!(plan.tally.same.objects, sources.intersection(&targets).count() as u64);
    }

    #[test]
    fn splitting_anywhere_keeps_every_key_in_one_range(cuts in prop::collection::btree_set("(?s).{0,3}", 0..9), key in "(?s).{0,4}") {
        let mut ranges = vec![KeyRange::default()];
        for cut in cuts {
            let cut = RelativeKey::new(cut).unwrap();
            let last = ranges.pop().unwrap();
            let (left, right) = last.split(cut).unwrap();
            ranges.extend([left, right]);
        }
        prop_assert_eq!(ranges.iter().filter(|range| range.contains(&key)).count(), 1);
    }
}

fn uuid_like(count: u64) -> BTreeSet<String> {
    (0..count)
        .map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect()
}

#[tokio::test]
async fn a_flat_key_space_is_listed_by_many_and_its_shards_are_nearly_full() {
    let sources = uuid_like(600);
    let mut world = parallel_world(&sources, &BTreeSet::new());
    world.shard_bounds.objects_max = 50;
    world.plan(&json!({"mode": "copy"})).await.unwrap();
    let plan = world.planned();
    assert_eq!(plan.copies.len(), 600);
    assert!(plan.ranges > 4, "{} ranges", plan.ranges);
    assert!(plan.shard_sizes.len() <= 15, "{:?}", plan.shard_sizes);
}

/// A hundred seeds: random sides, random disturbances one after the other, random deadlines; the plan is the same.
#[test]
fn a_hundred_seeds_of_kills_faults_and_deadlines_end_with_the_uncut_plan() {
    for seed in 0_u64..100 {
        let mut random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut next = move |below: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % below
        };
        let sources: BTreeSet<String> = uuid_like(60 + next(100));
        let mut targets = BTreeSet::new();
        for key in &sources {
            if next(3) > 0 {
                let mark = if next(9) == 0 { "+" } else { "" };
                targets.insert(format!("{key}{mark}"));
            }
        }
        let input = json!({"mode": "mirror", "delete_max_percent": 100});
        let uncut = parallel_world(&sources, &targets);
        runtime().block_on(uncut.plan(&input)).unwrap();
        let mut world = parallel_world(&sources, &targets);
        runtime().block_on(async {
            for _ in 0..6 {
                world.script.clear();
                let call = usize::try_from(next(60)).unwrap();
                let kind = usize::try_from(next(Disturbance::MATRIX.len() as u64)).unwrap();
                world.script.disturb(call, Disturbance::MATRIX[kind]);
                world.clock_step = Duration::from_secs(next(60));
                tokio::select! {
                    biased;
                    _ = world.invoke(&input) => {}
                    () = world.script.killed() => {}
                }
            }
            world.script.clear();
            world.clock_step = Duration::ZERO;
            world.plan(&input).await.unwrap();
        });
        assert_eq!(
            world.planned().content(),
            uncut.planned().content(),
            "seed {seed}"
        );
        assert_tiles(world.ledger.ranges(&run_id()));
    }
}
