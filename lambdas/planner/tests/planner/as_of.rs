//! The plan of an instant is the plan that a listing would have made then, wherever its invocations end.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::CeilingParameters,
    documents::{control_key, manifest::Manifest},
    failure::{
        Failure, FailureCode,
        fault::{CallFault, FaultKind},
    },
    port::VersionPage,
    shard::ShardWork,
    value::{
        id::{RunId, VersionId},
        time::Timestamp,
    },
};
use shardlift_testkit::widest_ceilings;

use crate::earlier::{again_id, end, plan_again};
use crate::world::{SOURCE, TARGET, World, noon, run_id};

const LISTED: &str = "s3:ListObjectVersions";
const KEYS: usize = 60;

fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(second * 1_000)
}

fn input(mode: &str, second: i64) -> Value {
    json!({"mode": mode, "source": {"as_of": at(second).to_string()}})
}

/// Objects as they stand at second 100, and a target that has some of them.
fn world_before() -> World {
    let world = World::new();
    world.buckets.keep_versions(SOURCE);
    world.buckets.set_time(at(50));
    for number in 0..KEYS {
        world.buckets.put(SOURCE, &key(number), "first", 1);
    }
    world.buckets.set_time(at(60));
    for number in (0..KEYS).step_by(4) {
        world
            .buckets
            .put(TARGET, &format!("copy/k{number:02}"), "first", 1);
    }
    world.buckets.set_time(at(100));
    for number in (0..KEYS).step_by(3) {
        world.buckets.put(SOURCE, &key(number), "second", 2);
    }
    for number in (0..KEYS).step_by(5) {
        world.buckets.remove(SOURCE, &key(number));
    }
    world
}

/// The same, and what happened since.
fn world_since() -> World {
    let world = world_before();
    world.buckets.set_time(at(200));
    for number in 0..KEYS {
        match number % 4 {
            0 => world.buckets.put(SOURCE, &key(number), "third", 3),
            1 => world.buckets.remove(SOURCE, &key(number)),
            2 => {
                for size in 0..7 {
                    world.buckets.put(SOURCE, &key(number), "many", size);
                }
            }
            _ => {}
        }
    }
    world.put_sources(["a-new-one", "z-new-one"]);
    world
}

fn key(number: usize) -> String {
    format!("data/k{number:02}")
}

/// The planned version of each key of the run.
fn versions(world: &World, run: &RunId) -> BTreeMap<String, String> {
    let mut planned = BTreeMap::new();
    for shard in world.ledger.shards(run) {
        assert_eq!(shard.work, ShardWork::CopyObjects);
        let body = world
            .control
            .body(&control_key::manifest(run, &shard.shard_id));
        let manifest = Manifest::decode(&body.unwrap(), run, &shard.shard_id).unwrap();
        for object in manifest.objects {
            let version = object.version_id.map_or(String::new(), Into::into);
            planned.insert(object.key.into(), version);
        }
    }
    planned
}

async fn refused(world: &World, input: &Value, code: FailureCode) -> String {
    let Failure {
        code: found,
        detail,
    } = world.plan(input).await.unwrap_err();
    assert_eq!(found, code, "{detail}");
    assert!(world.index_is_missing(), "nothing may be copied");
    detail
}

#[tokio::test]
async fn the_state_of_an_instant_is_planned_as_it_was_listed_then() {
    for mode in ["copy", "sync"] {
        let before = world_before();
        let listing = json!({"mode": mode, "compare": "etag"});
        before.plan(&listing).await.unwrap();
        let expected = before.planned();
        for (page_objects, listers_max) in [(1, 1), (3, 8), (1_000, 1)] {
            let mut world = world_since();
            world.page_objects = page_objects;
            world.listers_max = listers_max;
            world.plan(&input(mode, 199)).await.unwrap();
            let planned = world.planned();
            assert_eq!(
                planned.copies, expected.copies,
                "{mode}, {page_objects} a page"
            );
            assert_eq!(planned.lists.same, expected.lists.same, "{mode}");
            let versions = versions(&world, &run_id());
            assert!(
                versions.values().all(|id| id.starts_with('v')),
                "each is named"
            );
            let run = world.ledger.run(&run_id()).unwrap();
            assert!(run.totals.requests[LISTED] > 0);
        }
    }
}

#[tokio::test]
async fn a_plan_that_is_cut_off_anywhere_plans_the_same() {
    let whole = world_since();
    whole.plan(&input("sync", 199)).await.unwrap();
    for seconds in [90, 300, 899] {
        let mut world = world_since();
        world.clock_step = Duration::from_secs(seconds);
        world.plan(&input("sync", 199)).await.unwrap();
        assert_eq!(world.planned().content(), whole.planned().content());
    }
}

#[tokio::test]
async fn a_long_stretch_of_deleted_keys_is_passed_invocation_by_invocation() {
    for mode in ["copy", "sync"] {
        let mut world = World::new();
        world.clock_step = Duration::from_secs(899);
        world.buckets.keep_versions(SOURCE);
        world.buckets.set_time(at(1));
        world.put_sources(["a", "z"]);
        for number in 0..300 {
            let key = format!("data/k{number:03}");
            world.buckets.put(SOURCE, &key, "gone", 1);
            world.buckets.remove(SOURCE, &key);
        }
        world.plan(&input(mode, 10)).await.unwrap();
        assert_eq!(world.planned().copies.len(), 2);
        let calls = world.script.calls();
        let pages = calls.iter().filter(|call| **call == LISTED).count();
        assert!(pages < 400, "602 versions, three a page: {pages} pages");
    }
}

type Wrong = fn(VersionPage) -> Result<VersionPage, CallFault>;

/// What a page says instead.
const WRONG_PAGES: [(&str, Wrong, FailureCode); 5] = [
    (
        "denied",
        |_| Err(CallFault::new(LISTED, FaultKind::AccessDenied, "no")),
        FailureCode::AccessDenied,
    ),
    (
        "out of order",
        |mut page| {
            page.versions.reverse();
            Ok(page)
        },
        FailureCode::ListingIncomplete,
    ),
    (
        "empty and cut off",
        |_| {
            Ok(VersionPage {
                versions: Vec::new(),
                is_truncated: true,
            })
        },
        FailureCode::ListingIncomplete,
    ),
    (
        "a version twice",
        |mut page| {
            page.versions[1] = page.versions[0].clone();
            Ok(page)
        },
        FailureCode::ListingIncomplete,
    ),
    (
        "failed for now",
        |_| Err(CallFault::new(LISTED, FaultKind::ServiceError, "500")),
        FailureCode::ServiceFault,
    ),
];

#[tokio::test(start_paused = true)]
async fn a_listing_of_versions_that_is_refused_or_wrong_is_never_an_empty_plan() {
    let whole = world_since();
    whole.plan(&input("sync", 199)).await.unwrap();
    for (what, wrong, code) in WRONG_PAGES {
        for after in ["", "data/k2"] {
            let mut world = world_since();
            // A page holds several keys.
            world.page_objects = 30;
            world
                .buckets
                .distort_versions(SOURCE, move |request, page| {
                    let from = request
                        .after
                        .as_ref()
                        .map_or("", |after| after.key.as_str());
                    if from >= after { wrong(page) } else { Ok(page) }
                });
            refused(&world, &input("sync", 199), code).await;
            world.buckets.heal_listing(SOURCE);
            world.plan(&input("sync", 199)).await.unwrap();
            let (found, expected) = (world.planned(), whole.planned());
            assert_eq!(
                found.content(),
                expected.content(),
                "{what} after {after:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_refusal_names_the_action_and_its_statement() {
    for (operation, action) in [
        (LISTED, "s3:ListBucketVersions"),
        ("s3:GetBucketVersioning", "s3:GetBucketVersioning"),
    ] {
        let world = world_since();
        world.script.deny(operation);
        let detail = refused(&world, &input("copy", 199), FailureCode::AccessDenied).await;
        assert!(detail.contains(action), "{detail}");
        assert!(detail.contains("ListTheVersionsOfTheSource"), "{detail}");
    }
}

#[tokio::test]
async fn an_instant_that_nobody_can_know_is_refused() {
    let never = World::new();
    never.put_sources(["a"]);
    let detail = refused(&never, &input("copy", 199), FailureCode::InvalidRun).await;
    assert!(detail.contains("never kept versions"), "{detail}");

    let suspended = world_before();
    suspended.buckets.suspend_versions(SOURCE);
    suspended.buckets.set_time(at(300));
    suspended.buckets.put(SOURCE, "data/in-place", "x", 1);
    let detail = refused(&suspended, &input("copy", 199), FailureCode::InvalidRun).await;
    let written = format!("its version null was written at {}", at(300));
    for told in [
        "what stood under \"data/in-place\" at ",
        &written,
        "while the bucket kept no versions",
        "Nothing was copied; choose an instant after versioning was enabled",
        "name the versions in a list (source.list)",
    ] {
        assert!(detail.contains(told), "{told}: {detail}");
    }

    let world = world_since();
    let future = json!({"source": {"as_of": noon().plus(Duration::from_secs(1)).to_string()}});
    let detail = refused(&world, &future, FailureCode::InvalidRun).await;
    assert!(
        detail.contains("`source.as_of`") && detail.contains("future"),
        "{detail}"
    );

    let mut closed = world_since();
    closed.parameters = Some(CeilingParameters {
        allow_versions: false,
        ..widest_ceilings()
    });
    let detail = refused(&closed, &input("copy", 199), FailureCode::InvalidRun).await;
    assert!(
        detail.contains("`source.as_of`") && detail.contains("AllowVersions"),
        "{detail}"
    );
}

#[tokio::test]
async fn a_rerun_plans_the_very_versions_of_the_earlier_run() {
    let world = world_since();
    world.plan(&input("copy", 199)).await.unwrap();
    let first = versions(&world, &run_id());
    let failed: Vec<&str> = first.keys().take(3).map(String::as_str).collect();
    end(&world, &run_id(), &failed, &[]).await;
    // One of them is removed for good, and there is an older version of it.
    let gone = failed
        .iter()
        .find(|key| world.buckets.versions(SOURCE, key).len() > 2)
        .unwrap();
    let id = VersionId::new(first[*gone].as_str()).unwrap();
    world.buckets.remove_version(SOURCE, gone, &id);
    plan_again(&world, &crate::earlier::input()).await.unwrap();
    let again = versions(&world, &again_id());
    let expected: BTreeMap<String, String> = first
        .iter()
        .filter(|(key, _)| failed.contains(&key.as_str()))
        .map(|(key, id)| (key.clone(), id.clone()))
        .collect();
    assert_eq!(
        again, expected,
        "the version that is gone is planned, and will fail"
    );
}

#[tokio::test]
async fn a_list_names_versions_and_each_is_planned_as_it_is() {
    let world = world_since();
    let of = |number: usize, index: usize| {
        world.buckets.versions(SOURCE, &key(number))[index]
            .0
            .clone()
    };
    let (old, newest) = (of(3, 0), of(7, 0));
    let list = [
        format!("{SOURCE},{},{old}\n", key(3)),
        format!("{SOURCE},{},{newest}\n", key(7)),
        format!("{SOURCE},{},no-such-version\n", key(11)),
        format!("{SOURCE},{},\n", key(2)),
    ];
    world
        .lists
        .put("control-bucket", "lists/keys", list.concat());
    let input = json!({"mode": "copy", "source": {"list": {
        "bucket": "control-bucket", "key": "lists/keys", "format": "csv"}}});
    world.plan(&input).await.unwrap();
    let expected = [
        (key(2), String::new()),
        (key(3), old.to_string()),
        (key(7), newest.to_string()),
        (key(11), "no-such-version".to_owned()),
    ];
    assert_eq!(versions(&world, &run_id()), BTreeMap::from(expected));
    let counts = world.ledger.run(&run_id()).unwrap().totals.list.unwrap();
    assert_eq!((counts.objects, counts.looked_up, counts.gone), (4, 4, 1));

    let mut closed = world_since();
    closed.parameters = Some(CeilingParameters {
        allow_versions: false,
        ..widest_ceilings()
    });
    closed
        .lists
        .put("control-bucket", "lists/keys", list.concat());
    let detail = refused(&closed, &input, FailureCode::InvalidRun).await;
    assert!(
        detail.contains("AllowVersions") && detail.contains("line 1"),
        "{detail}"
    );
}
