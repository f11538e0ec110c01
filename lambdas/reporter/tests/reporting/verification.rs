//! Both sides are listed again: what that finds, and what keeps it from being a proof.

use shardlift_core::{
    failure::fault::{CallFault, FaultKind},
    port::{Ledger, ObjectPage, PutOutcome},
    report::{Report, Verdict},
    run::event::ReporterStatus,
    value::key::ObjectKey,
};

use crate::scene::{Scene, run_id};

#[tokio::test]
async fn what_is_lost_at_the_target_is_found_by_listing_both_sides_again() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.buckets.remove("target", "out/0-2");
    scene.buckets.put("target", "out/1-1", "truncated", 1);
    let report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_eq!((report.verified.missing, report.verified.different), (1, 1));
}

#[tokio::test]
async fn what_appeared_at_the_source_meanwhile_is_counted_apart() {
    let scene = Scene::new(&[4]);
    scene.copy_everything();
    scene.write_later("in/0-1", "rewritten");
    scene.write_later("in/new", "new");
    let report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.verified.changed_since_start, 2);
    assert!(
        scene.published()[0]
            .text
            .contains("2 objects appeared or changed")
    );
}

/// S3 dates what was uploaded in parts by the beginning of the upload: here before the run, which it completed in.
#[tokio::test]
async fn an_upload_that_was_begun_before_the_run_and_completed_in_it_is_no_loss() {
    for cut in [false, true] {
        let scene = Scene::new(&[4]);
        scene.copy_everything();
        scene.complete_upload_begun_before("in/0-1", "overwritten-2");
        scene.complete_upload_begun_before("in/new", "new-1");
        if cut {
            scene.report_in_little_time().await;
        } else {
            scene.reported().await;
        }
        let report = scene.written_report();
        assert_eq!(report.verdict, Verdict::Complete, "{report:?}");
        assert_eq!(report.verified.changed_since_start, 2);
    }
}

#[tokio::test]
async fn what_was_planned_of_an_upload_is_missed_whenever_it_was_begun() {
    let scene = Scene::new(&[4]);
    scene.copy_everything();
    scene.plan_as_upload(0, 1, "planned-2");
    scene.buckets.remove("target", "out/0-1");
    let report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    let found = &report.verified;
    assert_eq!((found.missing, found.changed_since_start), (1, 0));
}

#[tokio::test]
async fn a_refused_listing_is_no_proof() {
    let scene = Scene::new(&[4]);
    scene.copy_everything();
    scene.script.deny("s3:ListObjectsV2");
    let report: Report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    let problem = report.problem.unwrap();
    assert_eq!(problem.code, "AccessDenied");
}

#[tokio::test]
async fn a_proof_cut_into_many_invocations_finds_what_an_uncut_one_finds() {
    let scene = Scene::new(&[9, 9, 9]);
    scene.copy_everything();
    scene.buckets.remove("target", "out/0-2");
    scene.buckets.remove("target", "out/2-8");
    scene.buckets.put("target", "out/1-1", "truncated", 1);
    let (calls, result) = scene.report_in_little_time().await;
    // Nine pages of three objects, one in each call, and the report in a call of its own.
    assert_eq!(calls, 10);
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let report = scene.written_report();
    assert_eq!((report.verified.missing, report.verified.different), (2, 1));
    assert_eq!(scene.published().len(), 1);
}

#[tokio::test]
async fn any_number_of_keys_that_the_source_lacks_is_passed_over_in_a_call() {
    let scene = Scene::new(&[3, 3]);
    scene.copy_everything();
    for extra in 0..3_000 {
        scene
            .buckets
            .put("target", &format!("out/0-2/extra-{extra:05}"), "old", 1);
    }
    scene.script.clear();
    let report = scene.reported().await;
    assert!(report.verified.agrees());
    let pages = scene
        .script
        .calls()
        .iter()
        .filter(|call| **call == "s3:ListObjectsV2")
        .count();
    assert!(pages < 20, "{pages} pages");
}

/// What a listing may say instead of its true page, and what no listing can say.
type Wrong = fn(ObjectPage) -> Result<ObjectPage, CallFault>;

const MALFORMED: [(&str, Wrong); 5] = [
    ("out of order", |mut page| {
        page.objects.reverse();
        Ok(page)
    }),
    ("a key twice", |mut page| {
        page.objects[1] = page.objects[0].clone();
        Ok(page)
    }),
    ("empty and cut off", |_| {
        Ok(ObjectPage {
            objects: Vec::new(),
            is_truncated: true,
        })
    }),
    ("outside the prefix", |mut page| {
        let last = page.objects.last_mut().unwrap();
        last.key = "elsewhere".to_owned().try_into().unwrap();
        Ok(page)
    }),
    // As the adapter of S3 says it, which checks a page itself.
    ("malformed", |_| {
        Err(CallFault::new(
            "s3:ListObjectsV2",
            FaultKind::MalformedResponse,
            "cut off",
        ))
    }),
];

#[tokio::test]
async fn a_malformed_page_is_an_incomplete_listing_as_it_is_in_planning() {
    for (side, bucket) in [("source", "source"), ("target", "target")] {
        for (what, wrong) in MALFORMED {
            let scene = Scene::new(&[4]);
            scene.copy_everything();
            scene
                .buckets
                .distort_listing(bucket, move |_, page| wrong(page));
            let (_, result) = scene.report_in_little_time().await;
            assert_eq!(result.status, ReporterStatus::Incomplete, "{side}, {what}");
            assert_eq!(result.code, "ListingIncomplete", "{side}, {what}");
            let problem = scene.written_report().problem.unwrap();
            let named = format!("the listing of the {side} cannot be trusted");
            assert!(problem.message.contains(&named), "{what}: {problem:?}");
        }
    }
}

/// A run that skips archived objects, whose plan left so many out, with one more object of this class at the source.
async fn reported_with_archived(class: &str, archived: u64) -> Report {
    let scene = Scene::with_input(&[2], serde_json::json!({"archived": "skip"}));
    let mut run = scene.ledger.run(&run_id()).unwrap();
    run.totals.archived.objects = archived;
    run.revision += 1;
    let written = scene.ledger.replace_run(&run).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
    scene.copy_everything();
    let source = scene.buckets.objects("source");
    let mut cold = source.values().next().unwrap().clone();
    cold.attributes.storage_class = class.to_owned();
    let key = ObjectKey::new("in/cold").unwrap();
    scene.buckets.install("source", &key, cold);
    scene.reported().await
}

#[tokio::test]
async fn as_many_objects_may_be_missing_as_were_skipped_because_they_are_archived() {
    for (class, archived, verdict, missing) in [
        ("GLACIER", 1, Verdict::Complete, 0),
        ("INTELLIGENT_TIERING", 1, Verdict::Complete, 0),
        ("GLACIER", 0, Verdict::Incomplete, 1),
        ("STANDARD_IA", 1, Verdict::Incomplete, 1),
    ] {
        let report = reported_with_archived(class, archived).await;
        assert_eq!(report.verdict, verdict, "{class}, {archived} skipped");
        assert_eq!(report.verified.missing, missing);
        assert_eq!(report.skipped.archived(), archived);
        assert_eq!(report.skipped.count.objects, archived);
    }
}
