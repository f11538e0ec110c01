//! Lists are merged with a listing of the target, many ranges at once, those in no order once they are sorted, and give the
//! plan that a slow reference gives, wherever invocations end.

mod case;

use std::{collections::BTreeMap, time::Duration};

use fastrand::Rng;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use shardlift_core::{failure::FailureCode, plan::ListWay, value::time::Timestamp};
use shardlift_testkit::Disturbance;

use self::case::{
    Case, INVENTORIES, LIST, MANIFEST, Written, counts, input, put_inventory, row, world,
};
use crate::{
    list_writers::{Cells, InventoryRow, inventory_csv, parquet, zstd},
    world::{SOURCE, TARGET, World, run_id},
};

const SEEDS: u64 = 150;

/// Six invocations, each disturbed at one call and with a clock of its own, and then a calm end.
async fn plan_disturbed(world: &mut World, input: &Value, seed: u64) {
    let mut random = Rng::with_seed(!seed);
    for _ in 0..6 {
        world.script.clear();
        let kind = random.usize(..Disturbance::MATRIX.len());
        world
            .script
            .disturb(random.usize(..60), Disturbance::MATRIX[kind]);
        world.clock_step = Duration::from_secs(random.u64(..200));
        tokio::select! {
            biased;
            _ = world.invoke(input) => {}
            () = world.script.killed() => {}
        }
    }
    world.script.clear();
    world.clock_step = Duration::ZERO;
    world.plan(input).await.unwrap();
}

#[tokio::test]
async fn seeds_of_lists_kills_and_deadlines_give_the_plan_of_a_slow_reference() {
    let (mut sorted, mut ranges) = (0, 0);
    for seed in 0..SEEDS {
        let case = Case::random(seed);
        if case.listed.is_empty() {
            continue;
        }
        let calm = case.world();
        calm.plan(&case.input()).await.unwrap();
        case.check(&calm, seed);
        sorted += u64::from(counts(&calm).is_out_of_order);
        ranges += calm.planned().ranges;
        let mut world = case.world();
        plan_disturbed(&mut world, &case.input(), seed).await;
        case.check(&world, seed);
    }
    println!("{SEEDS} seeds: {sorted} sorted, {ranges} ranges");
    assert!((SEEDS / 8..SEEDS / 2).contains(&sorted), "{sorted} sorted");
    assert!(
        ranges > 2 * usize::try_from(SEEDS).unwrap(),
        "{ranges} ranges"
    );
}

#[tokio::test]
async fn seeds_of_mirrors_of_an_inventory_delete_what_it_lacks() {
    for seed in 0..SEEDS / 3 {
        let mut case = Case::random(seed);
        (case.mode, case.written) = ("mirror", Written::Inventory);
        if case.listed.is_empty() {
            continue;
        }
        let mut world = case.world();
        plan_disturbed(&mut world, &case.input(), seed).await;
        case.check(&world, seed);
        let tally = world.planned().tally;
        assert_eq!(
            tally.at_target.objects,
            case.targets.len() as u64,
            "seed {seed}"
        );
    }
}

#[tokio::test]
async fn a_mirror_takes_no_other_list_than_an_inventory() {
    let case = Case::random(1);
    for (mode, format) in [
        ("mirror", "csv"),
        ("mirror", "parquet"),
        ("audit", "inventory"),
    ] {
        let mut input = input(mode, LIST, format);
        input["delete_max_percent"] = Value::Null;
        input["allow_empty_source"] = Value::Null;
        let refused = case.world().plan(&input).await.unwrap_err();
        assert!(
            refused.detail.contains("`mode`"),
            "{mode} {format}: {refused}"
        );
        assert_eq!(refused.code, FailureCode::InvalidRun);
    }
}

/// The listing requests of a sync of few keys at a target with many others.
async fn requests(listed: &[usize], is_sorted: bool) -> (u64, BTreeMap<String, u64>) {
    let mut world = world();
    world.page_objects = 10;
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for number in 0..2_000 {
        world
            .buckets
            .put(TARGET, &format!("copy/{number:05}"), "x", 1);
    }
    let mut rows: Vec<InventoryRow> = listed
        .iter()
        .map(|number| row(&format!("data/{number:05}"), 2))
        .collect();
    if !is_sorted {
        rows.reverse();
    }
    put_inventory(
        &world,
        &[("data/1".to_owned(), inventory_csv(SOURCE, &rows))],
    );
    world
        .plan(&input("sync", MANIFEST, "inventory"))
        .await
        .unwrap();
    let run = world.ledger.run(&run_id()).unwrap();
    let estimate = run.totals.estimate.requests;
    let asked = run.totals.requests["s3:ListObjectsV2"];
    assert!(
        estimate["s3:ListObjectsV2"] >= asked,
        "the estimate has the requests of planning"
    );
    (asked, world.planned().copies)
}

#[tokio::test]
async fn a_list_of_few_keys_does_not_list_what_lies_between_them() {
    for listed in [
        vec![5, 900, 1_999],
        (0..2_000).step_by(100).collect(),
        (0..300).collect(),
    ] {
        let (merged, plan) = requests(&listed, true).await;
        let (sorted, same_plan) = requests(&listed, false).await;
        assert_eq!(plan, same_plan);
        assert_eq!(plan.len(), listed.len());
        // Of neighbors a page has ten.
        let pages = if listed.len() == 300 {
            30
        } else {
            listed.len() as u64
        };
        println!("{pages} pages: {merged} requests in order, {sorted} sorted");
        assert!(merged <= pages + 2, "{merged} requests");
        // Of a sorted list more ranges are read at once, and each ends within a page, which the next one asks for again.
        // How many of them there are depends on how fast they are read.
        assert!(sorted <= pages * 2, "{sorted} requests");
    }
}

#[tokio::test]
async fn every_format_gives_the_plan_of_the_listing() {
    let mut case = Case::random(3);
    case.mode = "sync";
    let listed = case.sources.iter();
    case.listed = listed.map(|(key, size)| (key.clone(), *size)).collect();
    let expected = case.expected();
    let json = |(key, size): &(String, u64)| {
        json!({
            "bucket": SOURCE, "key": format!("data/{key}"), "version_id": null, "size": size, "etag": "e",
            "last_modified_date": "1970-01-01T00:00:00Z", "storage_class": "STANDARD", "is_delete_marker": false,
        })
    };
    let receipt = |(key, size): &(String, u64)| json!({"key": key, "outcome": "copied", "etag": "of-the-target", "size": size + 1});
    let lines = |line: &dyn Fn(&(String, u64)) -> Value| -> Vec<u8> {
        let lines = case
            .listed
            .iter()
            .map(|object| format!("{}\n", line(object)));
        lines.collect::<String>().into_bytes()
    };
    let keys: Vec<String> = case
        .listed
        .iter()
        .map(|(key, _)| format!("data/{key}"))
        .collect();
    let sizes = case
        .listed
        .iter()
        .map(|(_, size)| i64::try_from(*size).ok());
    let columns = [
        Cells::texts(&keys),
        Cells::Long(sizes.collect()),
        Cells::texts(&vec!["e"; keys.len()]),
        Cells::Long(vec![Some(0); keys.len()]),
        Cells::texts(&vec!["STANDARD"; keys.len()]),
    ];
    let fields = "required binary key (UTF8); required int64 size; required binary etag (UTF8); \
        required int64 last_modified_date (TIMESTAMP_MILLIS); required binary storage_class (UTF8);";
    let table = parquet(fields, &columns, keys.len(), 7, WriterProperties::default());
    for (format, body, looked_up) in [
        ("jsonl", lines(&json), 0),
        ("receipts", zstd(&lines(&receipt)), expected.objects),
        ("parquet", table.to_vec(), 0),
    ] {
        let world = case.world();
        world.lists.put(INVENTORIES, LIST, body);
        world.plan(&input("sync", LIST, format)).await.unwrap();
        let plan = world.planned();
        assert_eq!(plan.copies, expected.copies, "{format}");
        let counts = counts(&world);
        assert_eq!(
            (counts.objects, counts.looked_up),
            (expected.objects, looked_up),
            "{format}"
        );
        assert_eq!(
            (counts.way, counts.changed),
            (ListWay::Merged, 0),
            "{format}"
        );
    }
}
