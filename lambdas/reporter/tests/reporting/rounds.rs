//! Another round for what is not done, and the round of deletions.

use shardlift_core::{failure::FailureCode, run::event::ReporterStatus, shard::ShardState};

use crate::scene::{FailedAt, Scene};

#[tokio::test]
async fn another_round_is_offered_to_what_may_heal_and_to_nothing_else() {
    let scene = Scene::new(&[4, 4, 4]);
    scene.copy_everything();
    scene.fail(&[
        FailedAt(0, 1, FailureCode::AccessDenied),
        FailedAt(1, 2, FailureCode::Throttled),
        FailedAt(1, 3, FailureCode::SourceChanged),
    ]);
    scene.leave_undone(2, 1);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Round);
    assert_eq!(result.round, 2);
    assert_eq!(scene.index(&result), ["2-1", "2-2"]);
    let reopened = scene.shard(1);
    assert_eq!((reopened.state, reopened.round), (ShardState::Ready, 2));
    assert!(!reopened.outcome.progress.is_settled(2));
    assert!(reopened.outcome.progress.is_settled(3));
    assert_eq!(reopened.outcome.tally.copied.objects, 2);
    assert_eq!(reopened.outcome.tally.failed.objects, 1);
    assert_eq!(reopened.outcome.retryable, 0);
    assert_eq!(scene.shard(0).round, 1);
    assert!(scene.published().is_empty());
    assert!(scene.is_locked().await);
}

#[tokio::test]
async fn offering_a_round_twice_is_the_same_round() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.fail(&[FailedAt(1, 2, FailureCode::Throttled)]);
    scene.leave_undone(0, 1);
    let first = scene.report(1).await.unwrap();
    let shards = scene.shards();
    assert_eq!(scene.report(1).await.unwrap(), first);
    assert_eq!(scene.shards(), shards);
}

#[tokio::test]
async fn a_call_of_an_earlier_round_that_is_delivered_late_changes_nothing() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.leave_undone(0, 1);
    for round in [1, 2] {
        let result = scene.report(round).await.unwrap();
        assert_eq!(result.status, ReporterStatus::Round);
    }
    let shards = scene.shards();
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Round);
    assert_eq!(scene.shards(), shards);
    assert!(scene.published().is_empty());
    assert!(scene.is_locked().await);
}

#[tokio::test]
async fn after_the_last_round_what_is_not_done_has_failed_and_the_sums_agree() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.leave_undone(1, 1);
    let result = scene.report(3).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let report = scene.written_report();
    assert_eq!(report.shards.not_done[0].as_str(), "2-1");
    let settled = report.copied.objects + report.failed.objects;
    assert_eq!(settled, report.planned.objects);
    assert_eq!(
        report.copied.bytes + report.failed.bytes,
        report.planned.bytes
    );
    let keys: Vec<_> = scene
        .failures_csv()
        .into_iter()
        .map(|row| row[0].clone())
        .collect();
    assert_eq!(keys, ["in/1-1", "in/1-2", "in/1-3"]);
}

#[tokio::test]
async fn deletions_have_a_round_of_their_own_once_everything_is_copied() {
    let scene = Scene::new(&[3, 2]);
    scene.copy_everything();
    scene.make_deletions(1);
    let result = scene.report(3).await.unwrap();
    assert_eq!((result.status, result.round), (ReporterStatus::Round, 4));
    assert_eq!(scene.index(&result), ["2-1"]);
}

#[tokio::test]
async fn an_object_that_could_not_be_copied_holds_back_no_deletion() {
    let scene = Scene::new(&[3, 2]);
    scene.copy_everything();
    scene.make_deletions(1);
    scene.fail(&[
        FailedAt(0, 0, FailureCode::ObjectArchived),
        FailedAt(0, 1, FailureCode::SourceChanged),
    ]);
    let result = scene.report(1).await.unwrap();
    assert_eq!((result.status, result.round), (ReporterStatus::Round, 2));
    assert_eq!(scene.index(&result), ["2-1"]);
}

#[tokio::test]
async fn deletions_are_held_back_when_a_shard_did_not_end() {
    let scene = Scene::new(&[3, 2]);
    scene.copy_everything();
    scene.make_deletions(1);
    scene.leave_undone(0, 1);
    let result = scene.report(3).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let report = scene.written_report();
    let deleted = report.deleted;
    assert_eq!((deleted.planned, deleted.held, deleted.failed), (2, 2, 0));
    assert_eq!((report.copied.objects, report.failed.objects), (1, 2));
    assert_eq!(scene.failures_csv().len(), 2);
}

#[tokio::test]
async fn deletions_beyond_the_limits_are_held_and_the_run_says_which_limit() {
    let scene = Scene::new(&[3, 2]);
    scene.copy_everything();
    scene.make_deletions(1);
    scene.hold_deletions();
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    assert_eq!(result.code, "DeleteLimitExceeded");
    let report = scene.written_report();
    let deleted = report.deleted;
    assert_eq!((deleted.objects, deleted.planned, deleted.held), (0, 2, 2));
    assert_eq!((report.copied.objects, report.failed.objects), (3, 0));
    assert!(report.problem.is_none());
    let published = &scene.published()[0];
    assert!(
        published.subject.contains("2 deletions held, 3 objects"),
        "{}",
        published.subject
    );
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for text in [&published.text, &page] {
        assert!(text.contains("would delete 2 of 7 objects"), "{text}");
        assert!(text.contains("a rerun does not make them"), "{text}");
        assert!(!text.contains("shard not finished"), "{text}");
    }
}

#[tokio::test]
async fn deletions_that_were_offered_and_not_done_have_failed_and_are_listed() {
    let scene = Scene::new(&[3, 2]);
    scene.copy_everything();
    scene.make_deletions(1);
    let offered = scene.report(3).await.unwrap();
    assert_eq!(offered.status, ReporterStatus::Round);
    assert_eq!(scene.report(3).await.unwrap(), offered, "a repeated call");
    let result = scene.report(offered.round).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let report = scene.written_report();
    assert_eq!((report.failed.objects, report.deleted.failed), (0, 2));
    let reasons = [(FailureCode::ServiceFault, 2)].into();
    assert_eq!(report.deleted.failed_by_reason, reasons);
    assert_eq!(result.code, "ServiceFault");
    assert_eq!(scene.failures_csv().len(), 2);
    let published = &scene.published()[0];
    assert!(
        published.subject.contains("2 of 2 deletions failed"),
        "{}",
        published.subject
    );
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for text in [&published.text, &page] {
        assert!(text.contains("What could not be deleted"), "{text}");
        assert!(text.contains("ServiceFault: 2 deletions"), "{text}");
    }
}
