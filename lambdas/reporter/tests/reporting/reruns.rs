//! The report of a rerun: what it is of, and what its COMPLETE says.

use shardlift_core::{
    failure::FailureCode,
    port::{Ledger, PutOutcome},
    report::{Verdict, Verification},
    run::{option::Verify, rerun::Rerun},
    value::{id::RunId, tally::Count, time::Timestamp},
    verify::CarriedProof,
};

use crate::scene::{FailedAt, Scene, run_id};

/// An earlier run that listed before that, and one that listed after it.
const BEFORE: Timestamp = Timestamp::from_millis(500_000);
const AFTER: Timestamp = Timestamp::from_millis(1_500_000);

const TWO: Count = Count {
    objects: 2,
    bytes: 20,
};

/// The scene's run is the rerun of one that listed at `listed_since`.
async fn rerun(objects: &[u32], listed_since: Timestamp) -> Scene {
    rerun_without(objects, listed_since, Count::default(), Count::default()).await
}

/// As [`rerun`], of some shards; of what was not chosen, `before` was not chosen by the earlier run.
async fn rerun_without(
    objects: &[u32],
    listed_since: Timestamp,
    not_chosen: Count,
    before: Count,
) -> Scene {
    let scene = Scene::new(objects);
    let mut run = scene.ledger.run(&run_id()).unwrap();
    run.totals.gone = TWO;
    run.spec.rerun = Some(Rerun {
        of: RunId::new("earlier").unwrap(),
        shards: None,
        not_chosen,
        not_chosen_before: before,
        deletions_held: false,
        listed_by: RunId::new("first").unwrap(),
        listed_since,
        carried: CarriedProof::default(),
    });
    run.revision += 1;
    let written = scene.ledger.replace_run(&run).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
    scene.copy_everything();
    scene
}

#[tokio::test]
async fn the_report_says_what_it_is_a_rerun_of_and_what_is_gone() {
    let scene = rerun(&[2, 3], AFTER).await;
    let report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.rerun_of, Some(RunId::new("earlier").unwrap()));
    assert_eq!(report.not_planned.unwrap().gone, TWO);
    assert_eq!(
        (report.copied.objects, report.skipped.count.objects),
        (5, 0)
    );
    let text = &scene.published()[0].text;
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for shown in [text, &page] {
        assert!(shown.contains("This is a rerun of run earlier."), "{shown}");
        assert!(shown.contains("2 objects (gone"), "{shown}");
    }
}

#[tokio::test]
async fn what_the_rerun_planned_is_its_own_however_late_it_changed() {
    let scene = rerun(&[2, 3], BEFORE).await;
    scene.buckets.remove("target", "out/1-2");
    let report = scene.reported().await;
    assert_eq!(report.verdict, Verdict::Incomplete);
    assert_eq!(report.verified.missing, 1);
}

#[tokio::test]
async fn an_incomplete_rerun_says_how_to_rerun_it() {
    let scene = rerun(&[2, 3], AFTER).await;
    scene.fail(&[FailedAt(0, 1, FailureCode::AccessDenied)]);
    scene.reported().await;
    let input = r#"{"rerun_of":"run-1"}"#;
    let text = &scene.published()[0].text;
    assert!(text.contains(input), "{text}");
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    assert!(
        page.contains("{&quot;rerun_of&quot;:&quot;run-1&quot;}"),
        "{page}"
    );
}

#[tokio::test]
async fn undone_shards_that_were_not_chosen_are_reported_although_a_listing_finds_nothing_wrong() {
    let none = Count::default();
    for (before, rest_of) in [(none, "earlier"), (TWO, "first")] {
        let scene = rerun_without(&[2, 3], AFTER, TWO, before).await;
        // It failed as another than its source, and the rerun knows nothing of it.
        scene.buckets.put("target", "out/unplanned", "bent", 7);
        let report = scene.reported().await;
        assert_eq!(report.verified, Verification::clean(Verify::Relist));
        assert_eq!(report.verdict, Verdict::Incomplete);
        assert_eq!(report.rest_of, Some(RunId::new(rest_of).unwrap()));
        let text = &scene.published()[0].text;
        assert!(text.contains("2 objects (in shards that were not chosen)"));
        let input = format!(r#"{{"rerun_of":"{rest_of}"}}"#);
        assert!(text.contains(&input), "{text}");
    }
}
