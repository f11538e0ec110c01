//! What a run with a transform plans, and what it knows of the renditions that are there.

use serde_json::{Value, json};
use shardlift_core::{
    port::{Ledger, PutOutcome},
    run::renditions::RenditionsRecord,
    shard::ShardWork,
    value::{bucket::BucketName, time::Timestamp},
};
use shardlift_testkit::{conformance::renditions_record, widest_ceilings};

use crate::world::{SOURCE, TARGET, World, noon, run_id};

fn thumbnails(further: &Value) -> Value {
    let mut input = json!({"transform": {"kind": "thumbnail", "longest_edge_px": 64}});
    for (field, value) in further.as_object().unwrap() {
        input[field] = value.clone();
    }
    input
}

fn second(number: i64) -> Timestamp {
    Timestamp::from_millis(number * 1_000)
}

/// Images written at second 10, and renditions of all but one at second 60; one image was written again at second 90.
fn world() -> World {
    let world = World::new();
    world.buckets.set_time(second(10));
    world.put_sources(["missing", "older", "same"]);
    world.buckets.set_time(second(60));
    for key in ["older", "same", "gone"] {
        world.buckets.put(TARGET, &format!("copy/{key}"), key, 1);
    }
    world.buckets.set_time(second(90));
    world.put_sources(["older"]);
    world
}

/// A record of thumbnails under `copy/` by this transform since this second.
async fn know(world: &World, transform: &str, since: i64) {
    let mut record = renditions_record(TARGET, "copy/");
    let made = record.made.as_mut().unwrap();
    made.source_bucket = BucketName::new(SOURCE).unwrap();
    made.source_prefix = "data/".to_owned().try_into().unwrap();
    made.transform = transform.parse().unwrap();
    made.since = second(since);
    let written = world.ledger.create_renditions(&record).await;
    assert_eq!(written, Ok(PutOutcome::Written));
}

async fn known(world: &World) -> Option<RenditionsRecord> {
    let bucket = BucketName::new(TARGET).unwrap();
    world.ledger.read_renditions(&bucket).await.unwrap().pop()
}

async fn planned(world: &World, input: &Value) -> Vec<String> {
    world.plan(input).await.unwrap();
    world.planned().copies.into_keys().collect()
}

#[tokio::test]
async fn a_sync_renders_what_is_missing_or_older_than_its_image_whatever_the_sizes() {
    let world = world();
    know(&world, "thumbnail:64", 30).await;
    let reply = world.plan(&thumbnails(&json!({}))).await.unwrap();
    assert_eq!(
        (&reply["status"], &reply["kind"]),
        (&json!("COPY"), &json!("RENDER"))
    );
    let plan = world.planned();
    let keys: Vec<&str> = plan.copies.keys().map(String::as_str).collect();
    assert_eq!(keys, ["data/missing", "data/older"]);
    assert_eq!(plan.tally.same.objects, 1);
    assert_eq!(known(&world).await.unwrap().revision, 1, "nothing to note");
    assert_eq!(
        world.ledger.run(&run_id()).unwrap().renditions_since,
        Some(second(30))
    );
}

#[tokio::test]
async fn everything_is_rendered_again_where_what_is_there_was_made_otherwise() {
    let all = ["data/missing", "data/older", "data/same"];
    // Nothing is known: what is there may be copies.
    let unknown = world();
    assert_eq!(planned(&unknown, &thumbnails(&json!({}))).await, all);
    let made = known(&unknown).await.unwrap().made.unwrap();
    assert_eq!((made.since, made.transform.longest_edge_px), (noon(), 64));
    for (transform, since) in [("thumbnail:65", 30), ("thumbnail:64", 61)] {
        let world = world();
        know(&world, transform, since).await;
        assert_eq!(
            planned(&world, &thumbnails(&json!({}))).await,
            all,
            "{transform} {since}"
        );
    }
    let other_source = world();
    know(&other_source, "thumbnail:64", 30).await;
    let input =
        thumbnails(&json!({"source": {"prefix": "data/s"}, "target": {"prefix": "copy/s"}}));
    assert_eq!(planned(&other_source, &input).await, ["data/same"]);
    let records = BucketName::new(TARGET).unwrap();
    let records = other_source.ledger.read_renditions(&records).await.unwrap();
    assert_eq!(
        records
            .iter()
            .filter(|record| record.made.is_some())
            .count(),
        1
    );
}

#[tokio::test]
async fn a_run_that_copies_voids_what_was_known_and_a_dry_run_notes_nothing() {
    let copied = world();
    know(&copied, "thumbnail:64", 30).await;
    let reply = copied.plan(&json!({})).await.unwrap();
    assert_eq!(reply["kind"], "COPY");
    assert_eq!(known(&copied).await.unwrap().made, None);
    let dry = world();
    dry.plan(&thumbnails(&json!({"dry_run": true})))
        .await
        .unwrap();
    assert_eq!(dry.planned().copies.len(), 3);
    assert_eq!(known(&dry).await, None);
}

#[tokio::test]
async fn a_mirror_deletes_renditions_without_an_image() {
    let world = world();
    know(&world, "thumbnail:64", 30).await;
    world
        .plan(&thumbnails(&json!({"mode": "mirror"})))
        .await
        .unwrap();
    let plan = world.planned();
    assert_eq!(plan.deletes.into_keys().collect::<Vec<_>>(), ["copy/gone"]);
}

#[tokio::test]
async fn a_very_large_object_is_one_shard_and_has_no_parts() {
    let world = world();
    world.buckets.put(SOURCE, "data/video", "v", 2 << 40);
    world.plan(&thumbnails(&json!({}))).await.unwrap();
    let shards = world.ledger.shards(&run_id());
    assert!(
        shards
            .iter()
            .all(|shard| shard.work == ShardWork::CopyObjects)
    );
}

#[tokio::test]
async fn a_stack_without_transforms_refuses_one_and_reads_no_record() {
    let world = World {
        parameters: Some(shardlift_core::access::ceilings::CeilingParameters {
            enable_transforms: false,
            ..widest_ceilings()
        }),
        ..world()
    };
    let refused = world.plan(&thumbnails(&json!({}))).await.unwrap_err();
    assert!(refused.detail.contains("`transform`") && refused.detail.contains("EnableTransforms"));
    assert_eq!(known(&world).await, None);
}
