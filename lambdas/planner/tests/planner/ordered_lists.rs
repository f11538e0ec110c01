//! Lists in key order are merged with a listing of the target, many ranges at once, and give the plan that a slow reference
//! gives, wherever invocations end.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fastrand::Rng;
use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::CeilingParameters,
    failure::FailureCode,
    plan::{ListCounts, ListWay},
    value::{bucket::BucketName, time::Timestamp},
};
use shardlift_testkit::{Disturbance, widest_ceilings};

use crate::{
    list_writers::{
        CSV_SCHEMA, Cells, InventoryRow, inventory_csv, inventory_manifest, md5_of, parquet,
        url_encoded, zstd,
    },
    world::{SOURCE, TARGET, World, run_id},
};

const INVENTORIES: &str = "inventory-bucket";
const LIST: &str = "list";
const MANIFEST: &str = "a/manifest.json";
const SEEDS: u64 = 150;

/// How the list of a case is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    /// Keys alone, each of which is looked up.
    Keys,
    /// Everything, in files.
    Inventory,
}

/// Both sides, a list, and what the plan of it must be.
#[derive(Debug)]
struct Case {
    mode: &'static str,
    written: Written,
    is_sorted: bool,
    sources: BTreeMap<String, u64>,
    targets: BTreeMap<String, u64>,
    /// What the list names, in its order.
    listed: Vec<(String, u64)>,
    files: usize,
    wrong: u64,
    repeated: u64,
    shard_objects: u64,
}

/// What a plan must be.
#[derive(Debug, PartialEq, Default)]
struct Expected {
    copies: BTreeMap<String, u64>,
    same: BTreeSet<String>,
    deletes: BTreeSet<String>,
    objects: u64,
    looked_up: u64,
    gone: u64,
}

fn random_keys(random: &mut Rng, count: usize) -> BTreeSet<String> {
    let hostile = ["a b+c%,\"\n", "\u{1f680}", "x/", "x//y", "\u{e9}", "~"];
    let mut keys: BTreeSet<String> = (0..count)
        .map(|_| format!("{:x}/{:04x}", random.u8(..4), random.u16(..)))
        .collect();
    keys.extend(
        hostile
            .iter()
            .filter(|_| random.bool())
            .map(ToString::to_string),
    );
    keys
}

impl Case {
    fn random(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let count = random.usize(20..160);
        let all: Vec<String> = random_keys(&mut random, count).into_iter().collect();
        let mut case = Self {
            mode: ["copy", "sync"][random.usize(..2)],
            written: [Written::Keys, Written::Inventory][random.usize(..2)],
            is_sorted: random.u8(..4) > 0,
            sources: BTreeMap::new(),
            targets: BTreeMap::new(),
            listed: Vec::new(),
            files: random.usize(1..7),
            wrong: random.u64(..4),
            repeated: random.u64(..4),
            shard_objects: random.u64(1..7),
        };
        for key in all {
            let size = random.u64(1..4);
            if random.u8(..10) > 0 {
                case.sources.insert(key.clone(), size);
            }
            if random.u8(..10) > 3 {
                let other = u64::from(random.u8(..5) == 0);
                case.targets.insert(key.clone(), size + other);
            }
            if random.u8(..10) > 1 {
                case.listed.push((key, size));
            }
        }
        if !case.is_sorted {
            random.shuffle(&mut case.listed);
        }
        case
    }

    fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        for (key, size) in &self.listed {
            expected.objects += 1;
            if self.written == Written::Keys {
                expected.looked_up += 1;
                if !self.sources.contains_key(key) {
                    expected.gone += 1;
                    continue;
                }
            }
            if self.mode != "copy" && self.targets.get(key) == Some(size) {
                expected.same.insert(key.clone());
            } else {
                expected.copies.insert(format!("data/{key}"), *size);
            }
        }
        if self.mode == "mirror" {
            let listed: BTreeSet<&String> = self.listed.iter().map(|(key, _)| key).collect();
            let extra = self.targets.keys().filter(|key| !listed.contains(key));
            expected.deletes = extra.map(|key| format!("copy/{key}")).collect();
        }
        expected
    }

    fn world(&self) -> World {
        let mut world = world();
        world.shard_bounds.objects_max = self.shard_objects;
        for (key, size) in &self.sources {
            world
                .buckets
                .put(SOURCE, &format!("data/{key}"), key, *size);
        }
        world.buckets.set_time(Timestamp::from_millis(60_000));
        for (key, size) in &self.targets {
            world
                .buckets
                .put(TARGET, &format!("copy/{key}"), key, *size);
        }
        match self.written {
            Written::Keys => world.lists.put(INVENTORIES, LIST, self.keys()),
            Written::Inventory => self.put_inventory(&world),
        }
        world
    }

    /// The keys alone; the first ones come twice in a row.
    fn keys(&self) -> String {
        let mut text = String::new();
        for (number, (key, _)) in (0_u64..).zip(&self.listed) {
            let line = format!("{SOURCE},{}\n", url_encoded(&format!("data/{key}")));
            text.push_str(&line);
            if number < self.repeated {
                text.push_str(&line);
            }
            if number < self.wrong {
                text.push_str("source,%zz\n");
            }
        }
        text
    }

    /// Files of about the same length, the last one first.
    fn put_inventory(&self, world: &World) {
        let per_file = self.listed.len().div_ceil(self.files).max(1);
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for (number, listed) in self.listed.chunks(per_file).enumerate() {
            let mut rows: Vec<InventoryRow> = Vec::new();
            for (key, size) in listed {
                rows.push(row(&format!("data/{key}"), *size));
                rows.push(InventoryRow {
                    is_latest: false,
                    ..row(&format!("data/{key}"), 9)
                });
            }
            rows.push(row("elsewhere", 1));
            files.push((format!("data/{number}"), inventory_csv(SOURCE, &rows)));
        }
        files.reverse();
        put_inventory(world, &files);
    }

    fn input(&self) -> Value {
        let (key, format) = match self.written {
            Written::Keys => (LIST, "csv"),
            Written::Inventory => (MANIFEST, "inventory"),
        };
        input(self.mode, key, format)
    }

    /// Holds what a world planned to what it should have.
    fn check(&self, world: &World, seed: u64) {
        let plan = world.planned();
        let counts = counts(world);
        let same = plan.lists.kept.iter();
        let same = same.filter(|(_, outcome)| outcome.is_vouched());
        let found = Expected {
            copies: plan.copies,
            same: same.map(|(key, _)| key.clone()).collect(),
            deletes: plan.deletes.into_keys().collect(),
            objects: counts.objects,
            looked_up: counts.looked_up,
            gone: counts.gone,
        };
        assert_eq!(found, self.expected(), "seed {seed}");
        assert_eq!(plan.tally.gone.objects, counts.gone, "seed {seed}");
        if self.written == Written::Keys {
            assert_eq!(counts.wrong, self.wrong.min(counts.objects), "seed {seed}");
            assert_eq!(
                counts.repeated,
                self.repeated.min(counts.objects),
                "seed {seed}"
            );
        } else {
            assert_eq!((counts.wrong, counts.repeated), (0, 0), "seed {seed}");
            assert!(counts.left_out > counts.objects, "seed {seed}");
        }
        let keys = self.listed.iter().map(|(key, _)| key);
        let way = if keys.is_sorted() {
            ListWay::Merged
        } else {
            ListWay::Lookups
        };
        assert_eq!(counts.way, way, "seed {seed}");
        if self.mode != "mirror" {
            assert_eq!(plan.tally.at_target.objects, 0, "seed {seed}");
        }
    }
}

fn world() -> World {
    let mut world = World::new();
    world.listers_max = 8;
    world.parameters = Some(CeilingParameters {
        list_buckets: vec![BucketName::new(INVENTORIES).unwrap()],
        ..widest_ceilings()
    });
    world
}

fn row(key: &str, size: u64) -> InventoryRow {
    InventoryRow {
        key: key.to_owned(),
        version_id: "v".to_owned(),
        is_latest: true,
        is_delete_marker: false,
        size: i64::try_from(size).unwrap(),
        modified_ms: 0,
        etag: "e".to_owned(),
        storage_class: "STANDARD".to_owned(),
    }
}

fn put_inventory(world: &World, files: &[(String, Vec<u8>)]) {
    for (name, file) in files {
        world.lists.put(INVENTORIES, name, file.clone());
    }
    let named: Vec<(&str, &[u8])> = files
        .iter()
        .map(|(name, file)| (name.as_str(), file.as_slice()))
        .collect();
    let manifest = inventory_manifest(SOURCE, "CSV", CSV_SCHEMA, &named);
    world
        .lists
        .put(INVENTORIES, "a/manifest.checksum", md5_of(&manifest));
    world.lists.put(INVENTORIES, MANIFEST, manifest);
}

fn input(mode: &str, key: &str, format: &str) -> Value {
    json!({
        "mode": mode, "delete_max_percent": 100, "allow_empty_source": true,
        "source": {"list": {"bucket": INVENTORIES, "key": key, "format": format}},
    })
}

fn counts(world: &World) -> ListCounts {
    let run = world.ledger.run(&run_id()).unwrap();
    run.totals.list.expect("the run took a list")
}

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
    let (mut merged, mut ranges) = (0, 0);
    for seed in 0..SEEDS {
        let case = Case::random(seed);
        if case.listed.is_empty() {
            continue;
        }
        let calm = case.world();
        calm.plan(&case.input()).await.unwrap();
        case.check(&calm, seed);
        merged += u64::from(counts(&calm).way == ListWay::Merged);
        ranges += calm.planned().ranges;
        let mut world = case.world();
        plan_disturbed(&mut world, &case.input(), seed).await;
        case.check(&world, seed);
    }
    println!("{SEEDS} seeds: {merged} merged, {ranges} ranges");
    assert!(merged > SEEDS / 2, "{merged} merged");
    assert!(
        ranges > 2 * usize::try_from(SEEDS).unwrap(),
        "{ranges} ranges"
    );
}

#[tokio::test]
async fn seeds_of_mirrors_of_an_inventory_delete_what_it_lacks() {
    for seed in 0..SEEDS / 3 {
        let mut case = Case::random(seed);
        (case.mode, case.written, case.is_sorted) = ("mirror", Written::Inventory, true);
        case.listed.sort();
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
async fn a_mirror_takes_no_other_list_than_an_inventory_in_key_order() {
    let mut case = Case::random(1);
    (case.mode, case.written) = ("mirror", Written::Inventory);
    case.listed.sort();
    case.listed.reverse();
    let world = case.world();
    let refused = world.plan(&case.input()).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::InvalidRun);
    assert!(refused.detail.contains("not in order"), "{refused}");
    assert!(world.index_is_missing());
    for (mode, format) in [
        ("mirror", "csv"),
        ("mirror", "parquet"),
        ("audit", "inventory"),
    ] {
        let mut input = input(mode, LIST, format);
        input["delete_max_percent"] = Value::Null;
        input["allow_empty_source"] = Value::Null;
        let refused = world.plan(&input).await.unwrap_err();
        assert!(
            refused.detail.contains("`mode`"),
            "{mode} {format}: {refused}"
        );
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
        let (looked_up, same_plan) = requests(&listed, false).await;
        assert_eq!(plan, same_plan);
        assert_eq!(plan.len(), listed.len());
        assert!(
            merged <= looked_up + 2,
            "{merged} requests, {looked_up} by lookups"
        );
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
