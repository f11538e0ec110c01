//! A plan from a list is the plan from a listing of the same objects, wherever its invocations end.

use std::{collections::BTreeMap, time::Duration};

use parquet::file::properties::WriterProperties;
use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::CeilingParameters,
    failure::{Failure, FailureCode},
    plan::ListCounts,
    shard::ShardWork,
    value::{bucket::BucketName, time::Timestamp},
};
use shardlift_testkit::{Disturbance, widest_ceilings};

use crate::list_writers::{
    CSV_SCHEMA, InventoryRow, PARQUET_SCHEMA, gzip, inventory_csv, inventory_manifest,
    inventory_parquet, url_encoded,
};
use crate::world::{SOURCE, TARGET, World, run_id};

const CONTROL: &str = "control-bucket";
const LIST: &str = "lists/keys";
const INVENTORIES: &str = "inventory-bucket";

fn input(mode: &str, format: &str) -> Value {
    json!({
        "mode": mode, "filters": {"exclude": ["*5"]},
        "source": {"list": {"bucket": CONTROL, "key": LIST, "format": format}},
    })
}

/// 40 keys at the source, some of them hostile, and a target that has some of them, some in another size.
fn mixed_world() -> World {
    let mut world = World::new();
    world.parameters = Some(CeilingParameters {
        list_buckets: vec![BucketName::new(INVENTORIES).unwrap()],
        ..widest_ceilings()
    });
    let keys: Vec<String> = (0..38).map(|n| format!("k{n:02}")).collect();
    world.put_sources(keys.iter().map(String::as_str));
    world.put_sources(["a b+c%,\"\n", "\u{1f680}"]);
    world.buckets.set_time(Timestamp::from_millis(60_000));
    for n in (0..38).filter(|n| n % 3 == 0) {
        let key = format!("copy/k{n:02}");
        world.buckets.put(TARGET, &key, "x", 3 + n % 2);
    }
    world
}

/// The keys of the source: in key order, or shuffled.
fn keys(world: &World, is_sorted: bool) -> Vec<String> {
    let objects = world.buckets.objects(SOURCE);
    let mut keys: Vec<String> = objects.keys().map(ToString::to_string).collect();
    if !is_sorted {
        keys.sort_by_key(|key| key.bytes().rev().collect::<Vec<u8>>());
    }
    keys
}

fn csv(keys: &[String]) -> String {
    let line = |key: &String| format!("{SOURCE},{}\n", url_encoded(key));
    keys.iter().map(line).collect()
}

fn put_csv(world: &World, is_sorted: bool) {
    world.lists.put(CONTROL, LIST, csv(&keys(world, is_sorted)));
}

fn counts(world: &World) -> ListCounts {
    let run = world.ledger.run(&run_id()).unwrap();
    run.totals.list.expect("the run took a list")
}

/// What a list and a listing must agree in.
fn agreed(world: &World) -> (BTreeMap<String, u64>, Vec<String>, String) {
    let planned = world.planned();
    let same = planned.lists.kept.iter();
    let same = same.filter(|(_, outcome)| outcome.is_vouched());
    let same = same.map(|(key, _)| key.clone()).collect();
    (planned.copies, same, format!("{:?}", planned.lists.same))
}

async fn listed(mode: &str) -> World {
    let world = mixed_world();
    let input = json!({"mode": mode, "filters": {"exclude": ["*5"]}});
    world.plan(&input).await.unwrap();
    world
}

async fn refused(world: &World, input: &Value) -> String {
    let Failure { code, detail } = world.plan(input).await.unwrap_err();
    assert_eq!(code, FailureCode::InvalidRun, "{detail}");
    assert!(world.index_is_missing(), "nothing may be copied");
    detail
}

#[tokio::test]
async fn a_list_of_all_keys_gives_the_plan_and_the_digest_of_a_listing() {
    for mode in ["copy", "sync"] {
        let expected = agreed(&listed(mode).await);
        for is_sorted in [true, false] {
            let world = mixed_world();
            put_csv(&world, is_sorted);
            let result = world.plan(&input(mode, "csv")).await.unwrap();
            assert_eq!(result["status"], "COPY");
            assert_eq!(agreed(&world), expected, "{mode}, sorted: {is_sorted}");
            let counts = counts(&world);
            assert_eq!((counts.objects, counts.looked_up), (40, 40));
            assert_eq!(
                (counts.is_out_of_order, counts.problems.len()),
                (!is_sorted, 0)
            );
            let run = world.ledger.run(&run_id()).unwrap();
            assert!(run.totals.requests["s3:HeadObject"] >= 1);
            assert_eq!(run.totals.filtered.objects, 4);
        }
    }
}

#[tokio::test]
async fn an_inventory_in_either_format_gives_the_same_plan_without_a_look() {
    let expected = agreed(&listed("sync").await);
    for format in ["CSV", "Parquet"] {
        let world = mixed_world();
        let objects = world.buckets.objects(SOURCE);
        let row = |(key, object): (&_, &shardlift_testkit::StoredObject)| InventoryRow {
            key: ToString::to_string(key),
            version_id: "v".to_owned(),
            is_latest: true,
            is_delete_marker: false,
            size: i64::try_from(object.attributes.size_bytes).unwrap(),
            modified_ms: 0,
            etag: object.attributes.etag.to_string(),
            storage_class: "STANDARD".to_owned(),
        };
        let rows: Vec<InventoryRow> = objects.iter().map(row).collect();
        let files: Vec<Vec<u8>> = rows
            .chunks(9)
            .map(|rows| match format {
                "CSV" => inventory_csv(SOURCE, rows),
                _ => inventory_parquet(SOURCE, rows, 4, WriterProperties::default()).to_vec(),
            })
            .collect();
        let names: Vec<String> = (0..files.len()).map(|n| format!("data/{n}")).collect();
        for (name, file) in names.iter().zip(&files) {
            world.lists.put(INVENTORIES, name, file.clone());
        }
        let named: Vec<(&str, &[u8])> = names
            .iter()
            .zip(&files)
            .map(|(name, file)| (name.as_str(), file.as_slice()))
            .collect();
        let schema = if format == "CSV" {
            CSV_SCHEMA
        } else {
            PARQUET_SCHEMA
        };
        let manifest = inventory_manifest(SOURCE, format, schema, &named);
        world.lists.put(INVENTORIES, "a/manifest.json", manifest);
        let mut input = input("sync", "inventory");
        input["source"]["list"]["bucket"] = json!(INVENTORIES);
        input["source"]["list"]["key"] = json!("a/manifest.json");
        world.plan(&input).await.unwrap();
        assert_eq!(agreed(&world), expected, "{format}");
        assert_eq!(counts(&world).looked_up, 0);
        // A data file that is another one than the manifest says.
        let world = mixed_world();
        for name in &names {
            world.lists.put(INVENTORIES, name, files[0].clone());
        }
        let manifest = inventory_manifest(SOURCE, format, schema, &named);
        world.lists.put(INVENTORIES, "a/manifest.json", manifest);
        assert!(refused(&world, &input).await.contains("manifest says"));
    }
}

#[tokio::test]
async fn a_plan_cut_into_many_invocations_is_the_uncut_plan() {
    for (format, is_sorted) in [("csv", true), ("csv", false), ("gzip", false)] {
        let world = |step_ms| {
            let mut world = mixed_world();
            world.clock_step = Duration::from_millis(step_ms);
            let text = csv(&keys(&world, is_sorted));
            let body = if format == "gzip" {
                gzip(text.as_bytes())
            } else {
                text.into_bytes()
            };
            world.lists.put(CONTROL, LIST, body);
            world
        };
        let uncut = world(0);
        uncut.plan(&input("sync", "csv")).await.unwrap();
        for step_ms in [200_000, 500_000, 900_000] {
            let world = world(step_ms);
            let mut invocations = 1;
            while world.invoke(&input("sync", "csv")).await.unwrap()["status"] == "CONTINUE" {
                invocations += 1;
            }
            assert!(
                invocations > 1,
                "{step_ms} ms a look end within {invocations}"
            );
            assert_eq!(world.planned().content(), uncut.planned().content());
            assert_eq!(counts(&world), counts(&uncut));
        }
    }
}

#[tokio::test]
async fn a_planner_disturbed_at_any_call_ends_with_the_uncut_plan() {
    for (is_sorted, line) in [(false, 8), (true, 5)] {
        // In the sorted list it comes right behind itself, so that the list stays in order.
        let disturbed_world = || {
            let world = mixed_world();
            let mut keys = keys(&world, is_sorted);
            keys.insert(line - 1, keys[3].clone());
            let text = format!("{}{SOURCE},%zz\n", csv(&keys));
            world.lists.put(CONTROL, LIST, text);
            world
        };
        let uncut = disturbed_world();
        let input = input("sync", "csv");
        uncut.plan(&input).await.unwrap();
        let found = counts(&uncut);
        assert_eq!((found.repeated, found.wrong, found.objects), (1, 1, 40));
        assert_eq!(found.is_out_of_order, !is_sorted);
        let place = format!("lists/keys, line {line}");
        let is_named = |problem: &String| problem.starts_with(&place);
        assert!(found.problems.iter().any(is_named), "{found:?}");
        let calls = uncut.script.calls().len();
        for disturbance in Disturbance::MATRIX {
            for call in 0..calls {
                let world = disturbed_world();
                world.script.disturb(call, *disturbance);
                tokio::select! {
                    biased;
                    first = world.plan(&input) => {
                        if let Err(failure) = first {
                            let passes = ["Throttled", "ServiceFault"];
                            assert!(passes.contains(&failure.code.name()), "{failure}");
                        }
                    }
                    () = world.script.killed() => {}
                }
                world.script.clear();
                let result = world.plan(&input).await.unwrap();
                assert_eq!(result["status"], "COPY", "{disturbance:?} at call {call}");
                assert_eq!(world.planned().content(), uncut.planned().content());
                assert_eq!(counts(&world), found, "{disturbance:?} at call {call}");
            }
        }
    }
}

#[tokio::test]
async fn a_list_that_is_none_is_refused_and_nothing_is_copied() {
    let world = mixed_world();
    assert!(
        refused(&world, &input("copy", "csv"))
            .await
            .contains("no such object")
    );
    for (text, message) in [
        (String::new(), "names no object"),
        ("\n\n".to_owned(), "names no object"),
        ("elsewhere,data/a\n".repeat(5), "names no object"),
        (
            format!(
                "{}{}",
                csv(&keys(&world, true)),
                format!("{SOURCE},other/a\n").repeat(101)
            ),
            "more than one of a hundred",
        ),
    ] {
        let world = mixed_world();
        world.lists.put(CONTROL, LIST, text);
        let detail = refused(&world, &input("copy", "csv")).await;
        assert!(detail.contains(message), "{detail}");
        assert!(detail.contains(LIST), "{detail}");
    }
    let world = mixed_world();
    world
        .lists
        .put(CONTROL, LIST, format!("{SOURCE},data/k00\n").repeat(300));
    let detail = refused(&world, &input("copy", "csv")).await;
    assert!(
        detail.contains("of 300 lines 1 name an object, 299 name an object again"),
        "{detail}"
    );
    let world = mixed_world();
    let mut cut = gzip(csv(&keys(&world, true)).as_bytes());
    cut.truncate(cut.len() - 9);
    world.lists.put(CONTROL, LIST, cut);
    refused(&world, &input("copy", "csv")).await;
}

#[tokio::test]
async fn a_list_that_is_overwritten_while_it_is_read_ends_the_run() {
    let mut world = mixed_world();
    put_csv(&world, true);
    world.clock_step = Duration::from_secs(500);
    let first = world.invoke(&input("copy", "csv")).await.unwrap();
    assert_eq!(first["status"], "CONTINUE");
    put_csv(&world, true);
    let detail = refused(&world, &input("copy", "csv")).await;
    assert!(detail.contains("overwritten while it was read"), "{detail}");
}

#[tokio::test]
async fn lists_lie_where_the_stack_says_and_name_what_to_copy() {
    for (bucket, key, named) in [
        ("elsewhere", LIST, "AllowedListBuckets"),
        (CONTROL, "runs/nightly-1/manifests/1-1", "lists/"),
    ] {
        let world = mixed_world();
        let mut input = input("copy", "csv");
        input["source"]["list"]["bucket"] = json!(bucket);
        input["source"]["list"]["key"] = json!(key);
        let detail = refused(&world, &input).await;
        assert!(detail.contains(named), "{detail}");
        assert!(world.ledger.run(&run_id()).is_none());
    }
    for mode in ["mirror", "audit"] {
        let world = mixed_world();
        put_csv(&world, true);
        let mut input = input(mode, "csv");
        input["filters"] = Value::Null;
        assert!(refused(&world, &input).await.contains("`mode`"));
    }
}

#[tokio::test]
async fn what_is_gone_or_changed_is_counted_and_planned_so_that_its_copier_finds_that() {
    let lines = |world: &World| {
        let of = |key: &str, etag: &str| json!({"key": key, "etag": etag, "size": 3}).to_string();
        let sources = world.buckets.objects(SOURCE);
        let (key, object) = sources
            .iter()
            .find(|(key, _)| key.as_str() == "data/k00")
            .unwrap();
        [
            of(key.as_str(), object.attributes.etag.as_str()),
            of("data/k01", "of-an-earlier-version"),
            of("data/never", "e"),
        ]
        .join("\n")
    };
    for on_change in ["copy_newer", "fail"] {
        let world = mixed_world();
        world.lists.put(CONTROL, LIST, lines(&world));
        let mut input = input("copy", "jsonl");
        input["on_change"] = json!(on_change);
        world.plan(&input).await.unwrap();
        let found = counts(&world);
        assert_eq!((found.gone, found.changed, found.looked_up), (1, 1, 3));
        let planned = crate::earlier::planned(&world, &run_id(), ShardWork::CopyObjects);
        assert_eq!(planned["data/k01"], "not-the-listed-version");
        assert_eq!(planned["data/never"], "e");
        assert_eq!(planned.len(), 3);
    }
}

/// A world with the manifest of an inventory that names a data file, and the input of its run.
fn inventory_world(destination: &str) -> (World, Value) {
    let world = mixed_world();
    let manifest = inventory_manifest(
        SOURCE,
        "CSV",
        CSV_SCHEMA,
        &[("data/1.csv.gz", b"x".as_slice())],
    );
    let manifest = String::from_utf8(manifest).unwrap();
    let manifest = manifest.replace(INVENTORIES, destination);
    world.lists.put(INVENTORIES, "manifest.json", manifest);
    let mut input = input("copy", "inventory");
    input["source"]["list"]["bucket"] = json!(INVENTORIES);
    input["source"]["list"]["key"] = json!("manifest.json");
    (world, input)
}

#[tokio::test]
async fn a_data_file_that_is_missing_or_lies_elsewhere_is_named_and_not_the_manifest() {
    let (world, input) = inventory_world(INVENTORIES);
    let detail = refused(&world, &input).await;
    let named = format!("a file that the list names, s3://{INVENTORIES}/data/1.csv.gz: there is");
    assert!(detail.contains(&named), "{detail}");
    assert!(!detail.contains("--list FILE"), "{detail}");
    let (world, input) = inventory_world("forbidden-bucket");
    let detail = refused(&world, &input).await;
    let named = format!(
        "the list s3://{INVENTORIES}/manifest.json names s3://forbidden-bucket/data/1.csv.gz"
    );
    assert!(detail.contains(&named), "{detail}");
    assert!(detail.contains("AllowedListBuckets"), "{detail}");
}
