//! A listing that is refused, cut off or wrong ends the run before anything is copied or deleted (P11).

use crate::world::{SOURCE, TARGET, World, run_id};
use serde_json::{Value, json};
use shardlift_core::{
    documents::control_key,
    failure::{
        FailureCode,
        fault::{CallFault, FaultKind},
    },
    plan::range::RangeState,
    port::{ListRequest, ObjectPage},
    run::record::RunState,
    value::object::ListedObject,
};

const PAGE_OBJECTS: usize = 3;
const LIST: &str = "s3:ListObjectsV2";

fn input() -> Value {
    json!({"mode": "mirror", "delete_max_percent": 100})
}

/// 12 objects at the source, as many at the target; half of them are on both sides.
fn small_world() -> World {
    let mut world = World::new();
    world.page_objects = PAGE_OBJECTS;
    for number in 0..12 {
        let (source, target) = (format!("data/{number:02}"), number + 6);
        world.buckets.put(SOURCE, &source, "content", 1);
        world
            .buckets
            .put(TARGET, &format!("copy/{target:02}"), "content", 1);
    }
    world
}

/// The run ends so, in the survey, and nothing of its plan is offered to anybody.
async fn assert_ends(world: &World, code: FailureCode, what: &str) {
    let before = [SOURCE, TARGET].map(|bucket| world.buckets.objects(bucket));
    let ended = world.plan(&input()).await;
    assert_eq!(ended.unwrap_err().code, code, "{what}");
    let run = world.ledger.run(&run_id()).unwrap();
    assert_eq!(run.state, RunState::Planning, "{what}");
    let index = control_key::index(&run_id(), 1);
    assert_eq!(world.control.body(&index), None, "{what}");
    let after = [SOURCE, TARGET].map(|bucket| world.buckets.objects(bucket));
    assert_eq!(before, after, "{what}");
    assert!(
        world
            .ledger
            .ranges(&run_id())
            .iter()
            .any(|range| range.state == RangeState::Listing),
        "{what}: what was not listed is not called listed"
    );
}

fn denied() -> Result<ObjectPage, CallFault> {
    Err(CallFault::new(LIST, FaultKind::AccessDenied, "no"))
}

/// Whether a request is for the page after the object with this number, or a later one.
fn is_past(request: &ListRequest, number: usize) -> bool {
    let after = request.after.as_ref().map(ToString::to_string);
    let past = after.and_then(|key| key.get(5..7)?.parse::<usize>().ok());
    past.is_some_and(|past| past >= number)
}

type Wrong = fn(ObjectPage) -> Result<ObjectPage, CallFault>;

/// What the third page says instead.
const THIRD_PAGES: [(&str, Wrong, FailureCode); 5] = [
    ("denied", |_| denied(), FailureCode::AccessDenied),
    (
        "out of order",
        |mut page| {
            page.objects.reverse();
            Ok(page)
        },
        FailureCode::ListingIncomplete,
    ),
    (
        "empty and cut off",
        |_| {
            Ok(ObjectPage {
                listed_through: None,
                objects: Vec::new(),
                is_truncated: true,
            })
        },
        FailureCode::ListingIncomplete,
    ),
    (
        "a key twice",
        |mut page| {
            page.objects[1] = page.objects[0].clone();
            Ok(page)
        },
        FailureCode::ListingIncomplete,
    ),
    (
        "outside the prefix",
        |mut page| {
            let last = page.objects.last_mut().unwrap();
            last.key = "elsewhere".to_owned().try_into().unwrap();
            Ok(page)
        },
        FailureCode::ListingIncomplete,
    ),
];

#[tokio::test]
async fn a_third_page_that_is_refused_or_wrong_ends_the_run_and_a_healed_one_ends_the_plan() {
    let whole = small_world();
    whole.plan(&input()).await.unwrap();
    for (bucket, first) in [(SOURCE, 0), (TARGET, 6)] {
        for (what, wrong, code) in THIRD_PAGES {
            let world = small_world();
            world.buckets.distort_listing(bucket, move |request, page| {
                let is_third = is_past(request, first + 2 * PAGE_OBJECTS - 1);
                if is_third { wrong(page) } else { Ok(page) }
            });
            let what = format!("{bucket}: {what}");
            assert_ends(&world, code, &what).await;
            world.buckets.heal_listing(bucket);
            world.plan(&input()).await.unwrap();
            assert_eq!(
                world.planned().content(),
                whole.planned().content(),
                "{what}"
            );
        }
    }
}

#[tokio::test]
async fn a_listing_that_begins_anew_ends_the_run() {
    for bucket in [SOURCE, TARGET] {
        let world = small_world();
        let all: Vec<ListedObject> = world
            .buckets
            .objects(bucket)
            .iter()
            .map(|(key, object)| object.listed(key))
            .collect();
        // Whatever is asked, the first page: never an end, were it believed.
        world.buckets.distort_listing(bucket, move |_, _| {
            Ok(ObjectPage {
                listed_through: None,
                objects: all[..PAGE_OBJECTS].to_vec(),
                is_truncated: true,
            })
        });
        assert_ends(&world, FailureCode::ListingIncomplete, bucket).await;
    }
}

#[tokio::test]
async fn one_range_that_is_refused_among_others_that_are_listed_ends_the_run() {
    for bucket in [SOURCE, TARGET] {
        let mut world = World::new();
        world.listers_max = 8;
        for number in 0..900 {
            for (bucket, prefix) in [(SOURCE, "data"), (TARGET, "copy")] {
                let key = format!("{prefix}/{number:03}");
                world.buckets.put(bucket, &key, "content", 1);
            }
        }
        // A search for splits asks after longer texts than a key: it may look.
        world.buckets.distort_listing(bucket, |request, page| {
            let after = request.after.as_ref().map_or("", |key| key.as_str());
            let is_refused = after.len() == "data/700".len() && after[5..].starts_with('7');
            if is_refused { denied() } else { Ok(page) }
        });
        assert_ends(&world, FailureCode::AccessDenied, bucket).await;
        let ranges = world.ledger.ranges(&run_id());
        assert!(ranges.len() > 2, "it was split: {}", ranges.len());
    }
}
