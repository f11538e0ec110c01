//! Storage classes and archived objects in a plan.

use crate::world::{SOURCE, TARGET, World, run_id};
use serde_json::json;
use shardlift_core::value::{storage::StorageClass, tally::Count};

/// A source of these keys, each of a class; a key that begins with `thawed` is restored.
fn stored(objects: &[(&str, &str)]) -> World {
    let world = World::new();
    for (key, class) in objects {
        world.put_sources([*key]);
        world
            .buckets
            .change(SOURCE, &format!("data/{key}"), |object| {
                object.attributes.storage_class = (*class).to_owned();
                object.is_restored = key.starts_with("thawed");
            });
    }
    world
}

const CLASSES: [(&str, &str); 6] = [
    ("express", "EXPRESS_ONEZONE"),
    ("frozen", "GLACIER"),
    ("instant", "GLACIER_IR"),
    ("plain", "STANDARD"),
    ("thawed", "DEEP_ARCHIVE"),
    ("tomorrow", "TOMORROW"),
];

#[tokio::test]
async fn a_plan_counts_its_copies_by_class_and_those_that_change_it() {
    let world = stored(&CLASSES);
    world.plan(&json!({"mode": "copy"})).await.unwrap();
    let totals = world.ledger.run(&run_id()).unwrap().totals;
    assert_eq!(totals.planned.objects, 6);
    let copies = totals.classes.copies.iter();
    let copies: Vec<_> = copies.map(|(&class, work)| (class, work.objects)).collect();
    assert_eq!(
        copies,
        [
            (StorageClass::Standard, 3),
            (StorageClass::GlacierIr, 1),
            (StorageClass::Glacier, 1),
            (StorageClass::DeepArchive, 1),
        ]
    );
    assert_eq!(totals.classes.changed, 2, "no copy can be as these two are");

    let chosen = stored(&CLASSES);
    let input = json!({"mode": "copy", "storage_class": "STANDARD"});
    chosen.plan(&input).await.unwrap();
    let classes = chosen.ledger.run(&run_id()).unwrap().totals.classes;
    assert_eq!(classes.copies[&StorageClass::Standard].objects, 6);
    assert_eq!(classes.changed, 5);
}

#[tokio::test]
async fn archived_objects_are_left_out_where_the_run_says_so_and_restored_ones_are_not() {
    let world = stored(&CLASSES);
    let result = world.plan(&json!({"archived": "skip"})).await.unwrap();
    assert_eq!(result["status"], "COPY");
    let plan = world.planned();
    assert!(!plan.copies.contains_key("data/frozen"));
    assert!(plan.copies.contains_key("data/thawed"));
    let totals = world.ledger.run(&run_id()).unwrap().totals;
    let frozen = Count {
        objects: 1,
        bytes: 6,
    };
    assert_eq!((totals.archived, totals.planned.objects), (frozen, 5));
}

#[tokio::test]
async fn a_mirror_keeps_what_is_archived_at_the_source() {
    let world = stored(&[("frozen", "GLACIER")]);
    world.buckets.put(TARGET, "copy/frozen", "older", 99);
    world.buckets.put(TARGET, "copy/gone", "gone", 4);
    let input = json!({"mode": "mirror", "archived": "skip"});
    world.plan(&input).await.unwrap();
    let plan = world.planned();
    assert!(plan.copies.is_empty());
    assert!(plan.deletes.keys().eq(["copy/gone"]));
    let totals = world.ledger.run(&run_id()).unwrap().totals;
    assert!(!totals.deletes_held, "the source is not empty");
}

#[tokio::test]
async fn a_source_of_archived_objects_alone_is_planned_without_a_sample() {
    for (archived, status) in [("fail", "COPY"), ("skip", "REPORT")] {
        let world = stored(&[("frozen", "GLACIER")]);
        let result = world.plan(&json!({"archived": archived})).await.unwrap();
        assert_eq!(result["status"], status);
    }
}
