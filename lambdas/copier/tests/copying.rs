//! What a copier leaves behind: at the target, in the ledger, in the failure list.

mod scene;

use std::time::Duration;

use scene::{MIB, SOURCE, Scene, TARGET, event};
use serde_json::json;
use shardlift_core::{
    failure::{FailureCode, fault::FaultKind},
    port::Clock,
    run::event::CopierStatus,
    shard::ShardState,
    value::deadline::Deadline,
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
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);

    let mut expected: Vec<String> = names.iter().map(|name| format!("out/{name}")).collect();
    expected.sort();
    assert_eq!(scene.target_keys(), expected);
    let record = scene.shard();
    assert_eq!(record.state, ShardState::Done);
    assert_eq!(record.outcome.tally.copied, record.planned);
    assert_eq!(record.outcome.requests["s3:CopyObject"], names.len() as u64);
    assert_eq!(scene.accounts.sessions(), ["1-0@run-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_is_done_is_left_alone() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    scene.invoke_until_done(LONG).await;
    let before = scene.shard();
    scene.script.clear();
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    assert_eq!(scene.shard(), before);
    assert!(!scene.script.calls().contains(&"s3:CopyObject"));
}

#[tokio::test(start_paused = true)]
async fn bad_objects_are_told_apart_and_do_not_end_the_shard() {
    let scene = Scene::new(&json!({}));
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

    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
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
async fn an_object_above_the_threshold_is_copied_in_parts_with_all_that_it_carries() {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 8 * MIB, "part_bytes": 5 * MIB, "storage_class": "STANDARD_IA",
    }));
    scene
        .buckets
        .put(SOURCE, "in/at", "at the threshold", 8 * MIB);
    scene
        .buckets
        .put(SOURCE, "in/above", "above it", 8 * MIB + 1);
    scene.buckets.change(SOURCE, "in/above", |object| {
        object
            .attributes
            .metadata
            .insert("owner".into(), "søren".into());
        object
            .attributes
            .headers
            .insert("content-type".into(), "text/plain".into());
        object.tags.insert("tier".into(), "gold".into());
    });
    scene.plan().await;
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);

    let at_source = scene.buckets.objects(SOURCE);
    for (key, object) in scene.buckets.objects(TARGET) {
        let original = &at_source[&key.as_str().replace("out/", "in/").try_into().unwrap()];
        assert_eq!(object.content, original.content);
        assert_eq!(object.tags, original.tags);
        assert_eq!(object.attributes.metadata, original.attributes.metadata);
        assert_eq!(object.attributes.headers, original.attributes.headers);
        assert_eq!(object.attributes.storage_class, "STANDARD_IA");
    }
    let requests = scene.shard().outcome.requests;
    assert_eq!(requests["s3:CopyObject"], 1);
    assert_eq!(requests["s3:UploadPartCopy"], 2);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}

/// An annotated object of two parts, copied.
async fn copied_with_annotations(tags: &str, denied: Option<&'static str>) -> Scene {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB, "tags": tags,
    }));
    for (key, size_bytes) in [("in/in-parts", 8 * MIB), ("in/at-once", 1)] {
        scene.buckets.put(SOURCE, key, key, size_bytes);
        scene
            .buckets
            .change(SOURCE, key, |object| object.has_annotations = true);
    }
    scene.plan().await;
    if let Some(operation) = denied {
        scene.script.deny(operation);
    }
    assert_eq!(scene.invoke(LONG).await, Ok(CopierStatus::Done));
    assert_eq!(scene.shard().outcome.tally.copied.objects, 2);
    scene
}

#[tokio::test(start_paused = true)]
async fn annotations_that_parts_do_not_carry_are_noted() {
    let scene = copied_with_annotations("preserve", None).await;
    let copies = scene.buckets.objects(TARGET);
    let carried: Vec<bool> = copies
        .values()
        .map(|object| object.has_annotations)
        .collect();
    assert_eq!(carried, [true, false], "at once, in parts");
    let outcome = scene.shard().outcome;
    assert_eq!(
        outcome.notes,
        [("annotations_left_behind".to_owned(), 1)].into()
    );
    assert_eq!(outcome.requests["s3:ListObjectAnnotations"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_answer_was_lost_is_made_again_unless_the_target_shows_it() {
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
        let lost = Disturbance::EffectThenFault(FaultKind::NoAnswer);
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
async fn annotations_that_may_not_be_looked_for_are_noted_as_unknown() {
    let scene = copied_with_annotations("best_effort", Some("s3:ListObjectAnnotations")).await;
    let notes = scene.shard().outcome.notes;
    assert_eq!(notes, [("annotations_unknown".to_owned(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn annotations_that_nobody_asked_for_are_not_looked_for() {
    let scene = copied_with_annotations("ignore", None).await;
    let outcome = scene.shard().outcome;
    assert!(outcome.notes.is_empty(), "{:?}", outcome.notes);
    assert!(!outcome.requests.contains_key("s3:ListObjectAnnotations"));
}

#[tokio::test(start_paused = true)]
async fn a_failed_multipart_copy_leaves_no_upload_behind() {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
    }));
    scene.buckets.put(SOURCE, "in/large", "large", 20 * MIB);
    scene.plan().await;
    scene.script.deny("s3:CompleteMultipartUpload");
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
    assert!(scene.target_keys().is_empty());
    assert_eq!(scene.failures()[0].code, FailureCode::AccessDenied);
    assert!(scene.shard().outcome.uploads.is_empty());
}

#[tokio::test(start_paused = true)]
async fn refused_copies_name_what_is_missing_without_probing_each_object() {
    let cases = [
        (vec!["s3:CopyObject", "s3:HeadObject"], "s3:GetObject"),
        (
            vec!["s3:CopyObject", "s3:GetObjectTagging"],
            "s3:GetObjectTagging",
        ),
        (vec!["s3:CopyObject"], "s3:PutObject"),
    ];
    for (denied, action) in cases {
        let scene = Scene::new(&json!({}));
        for number in 0..2_000 {
            scene
                .buckets
                .put(SOURCE, &format!("in/{number:04}"), "x", 1);
        }
        scene.plan().await;
        for operation in denied {
            scene.script.deny(operation);
        }
        assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
        let failures = scene.failures();
        assert_eq!(failures.len(), 2_000);
        for failed in &failures {
            let detail = &failed.detail;
            assert_eq!(failed.code, FailureCode::AccessDenied);
            assert!(
                detail.contains(&format!("may not {action} on arn:aws:s3:::")),
                "{detail}"
            );
            assert!(detail.contains("role/Shardlift"), "{detail}");
            let name = failed.key.as_str().trim_start_matches("in/");
            assert!(detail.contains(name), "{detail}");
        }
        let calls = scene.script.calls();
        let probes = calls
            .iter()
            .filter(|call| **call == "s3:HeadObject")
            .count();
        assert!(probes <= 8, "{probes} probes");
    }
}

#[tokio::test(start_paused = true)]
async fn refused_looks_at_uploads_name_their_statement() {
    let scene = || async {
        let scene = Scene::new(&json!({
            "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
        }));
        scene.buckets.put(SOURCE, "in/large", "large", 12 * MIB);
        scene.plan().await;
        scene
    };
    let told = |scene: &Scene| scene.failures()[0].detail.clone();

    // The shard had another copier before, so unrecorded uploads are looked for.
    let resumed = scene().await;
    resumed.invoke(Duration::from_millis(400)).await.unwrap();
    resumed.script.deny("s3:ListMultipartUploads");
    assert_eq!(resumed.invoke(LONG).await.unwrap(), CopierStatus::Done);
    let detail = told(&resumed);
    assert!(detail.contains("ListTheUploadsOfTheTarget"), "{detail}");

    // The copier before was killed in its first part: it had read the object and its tags, created its upload and
    // recorded it.
    let cut = scene().await;
    cut.script
        .disturb(CALLS_BEFORE_COPYING + 4, Disturbance::Frozen);
    let second = Duration::from_secs(1);
    assert!(timeout(second, cut.invoke(LONG)).await.is_err());
    assert_eq!(cut.shard().outcome.uploads.len(), 1);
    cut.script.deny("s3:ListParts");
    assert_eq!(cut.invoke(LONG).await.unwrap(), CopierStatus::Done);
    let detail = told(&cut);
    assert!(detail.contains("s3:ListMultipartUploadParts"), "{detail}");
    assert!(detail.contains("WriteTheTarget"), "{detail}");
}

#[tokio::test(start_paused = true)]
async fn best_effort_goes_without_tags_where_they_are_refused() {
    for (tags, copied) in [("best_effort", 1), ("preserve", 0), ("ignore", 1)] {
        let scene = Scene::new(&json!({
            "tags": tags, "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
        }));
        scene.buckets.put(SOURCE, "in/large", "large", 6 * MIB);
        scene.plan().await;
        scene.script.deny("s3:GetObjectTagging");
        assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
        let outcome = scene.shard().outcome;
        assert_eq!(outcome.tally.copied.objects, copied, "{tags}");
        let is_noted = outcome.notes.contains_key("tags_left_behind");
        assert_eq!(is_noted, tags == "best_effort", "{tags}");
    }
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
async fn a_copier_that_lost_its_shard_stops_and_changes_nothing() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    // The first copier hangs in its only copy, and its shard is taken over meanwhile.
    scene
        .script
        .disturb(CALLS_BEFORE_COPYING, Disturbance::KilledBefore);
    let copier = scene.copier();
    let began_at = scene.clock.now();
    let this_event = event();
    let mut first = Box::pin(copier.copy_shard(
        &this_event,
        Deadline::new(began_at, began_at.plus(Duration::from_secs(60))),
    ));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it cannot end while its copy hangs"),
        () = scene.script.killed() => {}
    }
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    let after_second = scene.shard();

    // At its own deadline the first one writes what it has, and is refused.
    scene.clock.advance(Duration::from_secs(60));
    let refused = first.await.unwrap_err();
    assert_eq!(refused.code, FailureCode::LedgerConflict);
    assert_eq!(scene.shard(), after_second);
}

/// The number of calls that a copier makes before the first copy: it reads the run, reads and claims the shard, reads
/// the manifest, and assumes the role.
const CALLS_BEFORE_COPYING: usize = 5;

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
    assert_eq!(copying.await.unwrap(), CopierStatus::Done);
}

#[tokio::test(start_paused = true)]
async fn a_copier_that_settles_nothing_notices_that_it_lost_its_shard() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    let script = &scene.script;
    script.disturb(CALLS_BEFORE_COPYING, Disturbance::Frozen);
    let mut first = Box::pin(scene.invoke(LONG));
    assert!(timeout(Duration::ZERO, &mut first).await.is_err());
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);

    scene.clock.advance(Duration::from_secs(31));
    let refused = timeout(Duration::from_secs(31), first).await.unwrap();
    assert_eq!(refused.unwrap_err().code, FailureCode::LedgerConflict);
}

#[tokio::test(start_paused = true)]
async fn a_copier_that_lost_its_shard_aborts_the_uploads_that_nobody_else_knows() {
    let scene = Scene::new(&json!({
        "multipart_threshold_bytes": 5 * MIB, "part_bytes": 5 * MIB,
    }));
    scene.buckets.put(SOURCE, "in/large", "large", 12 * MIB);
    scene.plan().await;
    // It creates its upload only after another copier has taken the shard and put the object there.
    const CALLS_BEFORE_CREATING: usize = CALLS_BEFORE_COPYING + 2;
    let script = &scene.script;
    script.disturb(CALLS_BEFORE_CREATING, Disturbance::Frozen);
    let mut first = Box::pin(scene.invoke(LONG));
    assert!(
        timeout(Duration::from_secs(1), &mut first).await.is_err(),
        "it cannot end while its call is frozen"
    );
    assert_eq!(
        script.calls()[CALLS_BEFORE_CREATING..],
        ["s3:CreateMultipartUpload"]
    );
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    script.release();
    let refused = first.await.unwrap_err();
    assert_eq!(refused.code, FailureCode::LedgerConflict);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_shard_that_gets_nowhere_is_given_up_and_not_asked_for_again() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    let no_time = Duration::from_millis(400);
    for _ in 0..4 {
        assert_eq!(scene.invoke(no_time).await.unwrap(), CopierStatus::Yield);
    }
    let stuck = scene.invoke(no_time).await.unwrap_err();
    assert_eq!(stuck.code, FailureCode::ServiceFault);
    assert_eq!(scene.invoke(LONG).await.unwrap(), CopierStatus::Done);
    assert_eq!(scene.shard().idle_yields, 0);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_cannot_be_assumed_is_an_error_that_the_record_remembers() {
    let scene = Scene::new(&json!({}));
    scene.buckets.put(SOURCE, "in/a", "a", 1);
    scene.plan().await;
    scene.script.deny("sts:AssumeRole");
    let failure = scene.invoke(LONG).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::RoleUnavailable);
    let record = scene.shard();
    assert_eq!(record.problem.unwrap().code, FailureCode::RoleUnavailable);
    assert_eq!(record.state, ShardState::Yielded);
}
