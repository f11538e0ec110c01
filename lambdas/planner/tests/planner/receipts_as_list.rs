//! The receipts of a run, by their index, as the list of another run.

use std::time::Duration;

use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::CeilingParameters,
    documents::json_lines,
    failure::{Failure, FailureCode},
    plan::{ListCounts, ListWay},
};
use shardlift_testkit::widest_ceilings;

use crate::world::{World, run_id};

const CONTROL: &str = "control-bucket";
const INDEX: &str = "runs/nightly/receipts-index/symlink.txt";
const COPIED: &str = "runs/nightly/receipts/1-0/2.jsonl.zst";
const AGAIN: &str = "runs/first/receipts/1-0/1.jsonl.zst";
const KEPT: &str = "runs/nightly/kept/1-0.jsonl.zst";

fn input() -> Value {
    let list = json!({"bucket": CONTROL, "key": INDEX, "format": "receipts"});
    json!({"mode": "copy", "source": {"list": list}})
}

fn receipts(of: &[(&str, &str)]) -> Vec<u8> {
    let line = |(key, outcome): &(&str, &str)| json!({"key": key, "outcome": outcome, "etag": "of-the-target", "size": 7});
    let lines: Vec<Value> = of.iter().map(line).collect();
    json_lines::encode(&lines).unwrap()
}

fn index(keys: &[&str]) -> String {
    let line = |key: &&str| format!("s3://{CONTROL}/{key}\n");
    keys.iter().map(line).collect()
}

/// A run of two lists of copies, one of them of the run that it was a rerun of, and one of what stood there.
fn world() -> World {
    let mut world = World::new();
    world.parameters = Some(widest_ceilings());
    world.put_sources(["a", "b", "c", "d", "e", "f"]);
    let copied = receipts(&[("e", "copied"), ("c", "failed"), ("a", "copied")]);
    world.lists.put(CONTROL, COPIED, copied);
    let again = receipts(&[("b", "copied"), ("f", "deleted"), ("gone", "copied")]);
    world.lists.put(CONTROL, AGAIN, again);
    let kept = receipts(&[("d", "same"), ("c", "beside")]);
    world.lists.put(CONTROL, KEPT, kept);
    let index = index(&[KEPT, COPIED, AGAIN]);
    world.lists.put(CONTROL, INDEX, index);
    world
}

async fn refused(world: &World) -> String {
    let Failure { code, detail } = world.plan(&input()).await.unwrap_err();
    assert_eq!(code, FailureCode::InvalidRun, "{detail}");
    assert!(world.index_is_missing(), "nothing may be copied");
    detail
}

fn counts(world: &World) -> ListCounts {
    let run = world.ledger.run(&run_id()).unwrap();
    run.totals.list.expect("the run took a list")
}

#[tokio::test]
async fn the_index_of_a_run_stands_for_what_it_copied_and_found_the_same() {
    for clock_step in [Duration::ZERO, Duration::from_secs(300)] {
        let mut world = world();
        world.clock_step = clock_step;
        world.plan(&input()).await.unwrap();
        let copies: Vec<String> = world.planned().copies.into_keys().collect();
        let listed = ["data/a", "data/b", "data/d", "data/e", "data/gone"];
        assert_eq!(copies, listed, "the copier of what is gone says so");
        let found = counts(&world);
        assert_eq!((found.objects, found.left_out), (5, 3));
        assert_eq!(
            (found.looked_up, found.gone),
            (5, 1),
            "ETags are the target's"
        );
        assert_eq!(found.way, ListWay::Merged);
        assert!(found.problems.is_empty(), "{:?}", found.problems);
    }
}

#[tokio::test]
async fn a_list_that_is_missing_or_cut_off_ends_the_run_by_its_name() {
    let without = world();
    let key = "runs/nightly/receipts/2-0/1.jsonl.zst";
    without.lists.put(CONTROL, INDEX, index(&[COPIED, key]));
    let detail = refused(&without).await;
    assert!(
        detail.contains(key) && detail.contains("no such object"),
        "{detail}"
    );

    let cut = world();
    let mut list = receipts(&[("a", "copied"), ("b", "copied")]);
    list.truncate(list.len() - 3);
    cut.lists.put(CONTROL, AGAIN, list);
    let detail = refused(&cut).await;
    assert!(
        detail.contains(AGAIN) && detail.contains("cut off"),
        "{detail}"
    );
}

#[tokio::test]
async fn an_index_that_is_cut_off_empty_or_missing_ends_the_run() {
    let whole = index(&[KEPT, COPIED]);
    for (text, problem) in [
        (&whole[..whole.len() - 5], "cut off within a line"),
        ("", "names no object"),
        ("a receipt\n", "line 1 of the index"),
    ] {
        let world = world();
        world.lists.put(CONTROL, INDEX, text);
        let detail = refused(&world).await;
        assert!(
            detail.contains(INDEX) && detail.contains(problem),
            "{detail}"
        );
    }
    let mut none = World::new();
    none.parameters = Some(widest_ceilings());
    assert!(refused(&none).await.contains("no such object"));
}

#[tokio::test]
async fn an_index_leads_nowhere_where_no_list_may_lie() {
    for (place, named) in [
        (
            "s3://elsewhere/runs/nightly/receipts/1-0/2.jsonl.zst",
            "AllowedListBuckets",
        ),
        (
            "s3://control-bucket/runs/nightly/manifests/1-0.jsonl.zst",
            "lists/",
        ),
        ("s3://control-bucket/runs/nightly/report.json", "lists/"),
        ("s3://control-bucket/secrets", "lists/"),
    ] {
        let world = world();
        world.lists.put(CONTROL, INDEX, format!("{place}\n"));
        let calls = world.script.calls().len();
        let detail = refused(&world).await;
        assert!(detail.contains(named), "{detail}");
        let read = world.script.calls().split_off(calls);
        let reads = read.iter().filter(|call| **call == "list:GetObject");
        assert_eq!(reads.count(), 1, "the index alone is read: {read:?}");
    }
}

/// What one invocation began, the next one does not go on with where the stack allows it no longer.
#[tokio::test]
async fn a_bucket_that_is_allowed_no_longer_is_not_read() {
    let mut world = world();
    let list = json!({"bucket": "archive", "key": "symlink.txt", "format": "receipts"});
    let input = json!({"mode": "copy", "source": {"list": list}});
    let archive = vec![shardlift_core::value::bucket::BucketName::new("archive").unwrap()];
    let allowed = CeilingParameters {
        list_buckets: archive,
        ..widest_ceilings()
    };
    world.parameters = Some(allowed);
    world.clock_step = Duration::from_secs(500);
    let index = index(&[KEPT, COPIED, AGAIN]);
    world.lists.put("archive", "symlink.txt", index);
    assert_eq!(world.invoke(&input).await.unwrap()["status"], "CONTINUE");
    world.parameters = Some(CeilingParameters {
        list_buckets: Vec::new(),
        ..widest_ceilings()
    });
    let calls = world.script.calls().len();
    let refused = world.plan(&input).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::InvalidRun);
    assert!(refused.detail.contains("AllowedListBuckets"), "{refused}");
    let after = world.script.calls().split_off(calls);
    assert!(
        after.iter().all(|call| call.starts_with("dynamodb:")),
        "{after:?}"
    );
}
