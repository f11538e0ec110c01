//! What a copier leaves behind: at the target, in the ledger, in the failure list.

use std::time::Duration;

use crate::scene::{CALLS_BEFORE_COPYING, MIB, SOURCE, Scene, TARGET, run_id};
use serde_json::json;
use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    failure::{FailureCode, fault::FaultKind},
    port::Clock,
    run::event::WorkerStatus,
    shard::ShardState,
};
use shardlift_testkit::{Disturbance, ManualClock};
use tokio::time::timeout;

const LONG: Duration = Duration::from_secs(900);

#[tokio::test(start_paused = true)]
async fn every_object_arrives_under_its_own_key_and_is_counted() {
    let scene = Scene::new(&json!({}));
    let names = [
        "a//b", "/lead", "..", "%2F", "+", " ", "dir/", "😀", "e\u{301}",
    ];
    for (at, name) in names.iter().enumerate() {
        scene
            .buckets
            .put(SOURCE, &format!("in/{name}"), name, at as u64);
    }
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);

    let mut expected: Vec<String> = names.iter().map(|name| format!("out/{name}")).collect();
    expected.sort();
    assert_eq!(scene.target_keys(), expected);
    let record = scene.shard();
    assert_eq!(record.state, ShardState::Done);
    assert_eq!(record.outcome.tally.copied, record.planned);
    assert_eq!(record.outcome.requests["s3:CopyObject"], names.len() as u64);
    let [session] = scene.accounts.sessions().try_into().unwrap();
    assert_eq!(session.name, "1-0@run-1");
    let spec = &scene.ledger.run(&run_id()).unwrap().spec;
    let policy = session_policy(spec, SessionWork::Copy);
    assert_eq!(session.policy, Some(policy));
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_done_is_left_alone() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    scene.invoke_until_done(LONG).await;
    let before = scene.shard();
    scene.script.clear();
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.shard(), before);
    assert!(!scene.script.calls().contains(&"s3:CopyObject"));
}

#[tokio::test(start_paused = true)]
async fn bad_objects_have_their_own_codes_and_do_not_end_the_shard() {
    let scene = Scene::new(&json!({"on_change": "fail"}));
    for key in ["changed", "fine", "frozen", "gone"] {
        scene.buckets.put(SOURCE, &format!("in/{key}"), key, 5);
    }
    // At the target it would be one byte too long.
    scene
        .buckets
        .put(SOURCE, &format!("in/{}", "k".repeat(1021)), "long", 5);
    scene.buckets.change(SOURCE, "in/frozen", |object| {
        object.attributes.storage_class = "GLACIER".into();
    });
    scene.plan().await;
    scene
        .buckets
        .put(SOURCE, "in/changed", "another content", 5);
    scene.buckets.remove(SOURCE, "in/gone");

    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.target_keys(), ["out/fine"]);
    let codes: Vec<FailureCode> = scene.failures().iter().map(|failed| failed.code).collect();
    assert_eq!(
        codes,
        [
            FailureCode::SourceChanged,
            FailureCode::ObjectArchived,
            FailureCode::SourceMissing,
            FailureCode::ObjectUnsupported,
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_response_was_lost_is_retried_unless_the_target_shows_it() {
    for (silence_s, has_annotations, copies) in [(60, false, 1), (60, true, 2), (1, false, 2)] {
        let planned = || async {
            let scene = Scene::new(&json!({}));
            scene.buckets.put(SOURCE, "in/a", "a", 1);
            scene.buckets.change(SOURCE, "in/a", |object| {
                object.has_annotations = has_annotations;
            });
            scene.plan().await;
            scene
        };
        let undisturbed = planned().await;
        undisturbed.invoke_until_done(LONG).await;
        let calls = undisturbed.script.calls();
        let copy = calls.iter().position(|call| *call == "s3:CopyObject");
        let scene = planned().await;
        let lost = Disturbance::EffectThenFault(FaultKind::NoResponse);
        scene.script.disturb(copy.unwrap(), lost);
        scene.script.keep_silent_for(Duration::from_secs(silence_s));
        scene.invoke_until_done(LONG).await;
        let requests = scene.shard().outcome.requests;
        assert_eq!(
            requests["s3:CopyObject"], copies,
            "after {silence_s} s, annotated: {has_annotations}"
        );
        assert_eq!(scene.buckets.objects(TARGET).len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_multipart_copy_leaves_no_upload_behind() {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
    }));
    scene.buckets.put(SOURCE, "in/large", "large", 20 * MIB);
    scene.plan().await;
    scene.script.deny("s3:CompleteMultipartUpload");
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
    assert!(scene.target_keys().is_empty());
    assert_eq!(scene.failures()[0].code, FailureCode::AccessDenied);
    assert!(scene.shard().outcome.uploads.is_empty());
}

#[tokio::test(start_paused = true)]
async fn many_short_invocations_end_as_one_long_one_does() {
    let build = |scene: &Scene| {
        for number in 0..3_000 {
            scene
                .buckets
                .put(SOURCE, &format!("in/{number:04}"), &number.to_string(), 1);
        }
    };
    let uncut = Scene::new(&json!({}));
    build(&uncut);
    uncut.plan().await;
    assert_eq!(uncut.invoke_until_done(LONG).await, 1);

    let mut cut = Scene::new(&json!({}));
    build(&cut);
    cut.plan().await;
    cut.clock = ManualClock::stepping(cut.clock.now(), Duration::from_millis(10));
    let invocations = cut.invoke_until_done(Duration::from_secs(4)).await;
    assert!(invocations > 3, "{invocations} invocations were not cut");
    assert_eq!(cut.remains(), uncut.remains());
}

#[tokio::test(start_paused = true)]
async fn what_is_settled_is_recorded_while_a_slow_copy_runs_on() {
    let scene = Scene::new(&json!({}));
    for number in 0..10 {
        scene.buckets.put(SOURCE, &format!("in/{number}"), "a", 1);
    }
    scene.plan().await;
    let script = &scene.script;
    script.disturb(CALLS_BEFORE_COPYING, Disturbance::Frozen);
    let mut copying = Box::pin(scene.invoke(LONG));
    let meanwhile = Duration::from_secs(1);
    assert!(timeout(meanwhile, &mut copying).await.is_err());
    assert_eq!(scene.shard().outcome.progress.settled_count(), 0);

    scene.clock.advance(Duration::from_secs(4));
    assert!(timeout(4 * meanwhile, &mut copying).await.is_err());
    assert_eq!(scene.shard().outcome.progress.settled_count(), 9);

    script.release();
    assert_eq!(copying.await.unwrap(), WorkerStatus::Done);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_gets_nowhere_is_given_up_and_not_yielded_again() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    let no_time = Duration::ZERO;
    for _ in 0..4 {
        assert_eq!(scene.invoke(no_time).await.unwrap(), WorkerStatus::Yield);
    }
    let stuck = scene.invoke(no_time).await.unwrap_err();
    assert_eq!(stuck.code, FailureCode::ServiceFault);
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    assert_eq!(scene.shard().idle_yields, 0);
}

#[tokio::test(start_paused = true)]
async fn every_copy_has_the_class_of_its_source_unless_no_copy_can() {
    let further = json!({"multipart_threshold_bytes": 8 * MIB, "part_bytes": 5 * MIB});
    let scene = Scene::new(&further);
    for (key, class, size_bytes, is_restored) in [
        ("express", "EXPRESS_ONEZONE", 1, false),
        ("instant", "GLACIER_IR", 1, false),
        ("large", "STANDARD_IA", 9 * MIB, false),
        ("plain", "STANDARD", 1, false),
        ("thawed", "DEEP_ARCHIVE", 1, true),
        ("tomorrow", "GLACIER_TOMORROW", 9 * MIB, false),
    ] {
        let key = format!("in/{key}");
        scene.buckets.put(SOURCE, &key, &key, size_bytes);
        scene.buckets.change(SOURCE, &key, |object| {
            object.attributes.storage_class = class.into();
            object.is_restored = is_restored;
        });
    }
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    let target = scene.buckets.objects(TARGET);
    let classes: Vec<&str> = target
        .values()
        .map(|object| object.attributes.storage_class.as_str())
        .collect();
    assert_eq!(
        classes,
        [
            "STANDARD",
            "GLACIER_IR",
            "STANDARD_IA",
            "STANDARD",
            "DEEP_ARCHIVE",
            "STANDARD"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_listed_as_archived_fails_without_a_request() {
    let scene = Scene::new(&json!({}));
    frozen(&scene, "in/a", "GLACIER");
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
    let [failed] = &scene.failures()[..] else {
        panic!("{:?}", scene.failures())
    };
    assert_eq!(failed.code, FailureCode::ObjectArchived);
    assert!(failed.detail.contains("GLACIER"), "{}", failed.detail);
    let requests = scene.shard().outcome.requests;
    assert!(
        !requests.keys().any(|name| name.contains("Object")),
        "{requests:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_archive_tier_is_found_by_the_refused_call_and_skipped_or_failed_as_asked() {
    for (archived, skipped, failed) in [("skip", 1, 0), ("fail", 0, 1)] {
        for size_bytes in [1, 9 * MIB] {
            let scene = Scene::new(&json!({
                "archived": archived, "multipart_threshold_bytes": 8 * MIB, "part_bytes": 5 * MIB,
            }));
            scene.buckets.put(SOURCE, "in/tiered", "tiered", size_bytes);
            scene.buckets.change(SOURCE, "in/tiered", |object| {
                object.attributes.storage_class = "INTELLIGENT_TIERING".into();
                object.is_in_archive_tier = true;
            });
            scene.plan().await;
            assert_eq!(scene.invoke(LONG).await.unwrap(), WorkerStatus::Done);
            let tally = scene.shard().outcome.tally;
            assert_eq!(
                (tally.skipped.objects, tally.failed.objects),
                (skipped, failed)
            );
            assert_eq!(scene.buckets.unfinished_uploads(), 0);
        }
    }
}

fn frozen(scene: &Scene, key: &str, class: &str) {
    scene.buckets.put(SOURCE, key, key, 5);
    scene.buckets.change(SOURCE, key, |object| {
        object.attributes.storage_class = class.into();
    });
}
