//! No multipart upload outlives its run (P8).

use shardlift_core::{
    access::policy::session::{SessionWork, session_policy},
    run::event::ReporterStatus,
};

use crate::scene::{Scene, run_id};

#[tokio::test]
async fn no_upload_outlives_a_run_that_gives_up() {
    let scene = Scene::new(&[3, 3]);
    scene.copy_everything();
    scene.leave_undone(1, 1);
    scene.leave_recorded_upload(1, 2);
    assert_eq!(scene.buckets.unfinished_uploads(), 1);
    let result = scene.report(3).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
    assert!(scene.written_report().problem.is_none());
}

#[tokio::test]
async fn an_upload_that_no_record_names_is_found_and_those_of_others_are_let_be() {
    let scene = Scene::new(&[3, 3]);
    scene.copy_everything();
    scene.leave_undone(1, 1);
    // Its copier was killed before it could note it, and no later one came.
    scene.leave_upload("out/1-2");
    // A copier noted this object as copied, and an earlier one had begun it.
    scene.leave_upload("out/0-2");
    scene.leave_upload("out/of-somebody-else");
    scene.leave_upload("elsewhere/1-2");
    let aborted = scene.buckets.unfinished_uploads() as u64 - 2;
    scene.report(3).await.unwrap();
    assert_eq!(scene.buckets.unfinished_uploads(), 2);
    let report = scene.written_report();
    assert!(report.problem.is_none());
    assert_eq!(report.cost_usd.requests["s3:ListMultipartUploads"], 1);
    assert_eq!(report.uploads_aborted, aborted);
    let figure = format!("{aborted} unfinished multipart uploads aborted");
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for text in [&page, &scene.published()[0].text] {
        assert!(text.contains(&figure), "{text}");
    }
}

#[tokio::test]
async fn the_upload_of_the_trials_is_aborted_however_the_run_ends() {
    let [unplanned, whole] = [Scene::new(&[3]), Scene::new(&[3])];
    unplanned.leave_unplanned();
    whole.plan_no_parts();
    for scene in [Scene::new(&[3]), whole, Scene::dry(&[3]), unplanned] {
        scene.leave_upload(&format!("out/.shardlift-preflight/{}", run_id()));
        scene.leave_upload(&format!("out/.shardlift-preflight/{}0", run_id()));
        scene.report(3).await.unwrap();
        assert_eq!(scene.buckets.unfinished_uploads(), 1, "that of another run");
        assert_eq!(scene.written_report().uploads_aborted, 1);
    }
}

#[tokio::test]
async fn the_reporter_enters_the_target_account_to_list_and_to_abort_uploads() {
    let scene = Scene::new(&[3]);
    scene.copy_everything();
    scene.report(3).await.unwrap();
    let run = scene.ledger.run(&run_id()).unwrap();
    let policy = session_policy(&run.spec, SessionWork::Report);
    let sessions = scene.reporter.accounts.sessions();
    assert!(!sessions.is_empty());
    for session in sessions {
        assert_eq!(session.policy.as_ref(), Some(&policy), "{}", session.name);
    }
}

/// The plan has no object in parts, but a newer version of one may be larger.
#[tokio::test]
async fn the_upload_of_a_newer_version_is_found_though_the_plan_has_none() {
    let (orphaned, recorded) = (Scene::new(&[3, 3]), Scene::new(&[3, 3]));
    for scene in [&orphaned, &recorded] {
        scene.plan_no_parts();
        scene.copy_everything();
        scene.leave_undone(1, 1);
    }
    orphaned.leave_upload("out/1-2");
    recorded.leave_recorded_upload(1, 2);
    for scene in [orphaned, recorded] {
        scene.report(3).await.unwrap();
        assert_eq!(scene.buckets.unfinished_uploads(), 0);
        assert_eq!(scene.written_report().uploads_aborted, 1);
    }
}

#[tokio::test]
async fn uploads_that_cannot_be_listed_are_reported() {
    let scene = Scene::new(&[3]);
    scene.copy_everything();
    scene.script.deny("s3:ListMultipartUploads");
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.code, "AccessDenied");
    let problem = scene.written_report().problem.unwrap();
    assert!(
        problem.message.contains("uploads may be left"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn a_sweep_cut_into_many_invocations_goes_on_where_it_was_and_the_proof_follows() {
    let scene = Scene::new(&[3; 20]);
    scene.copy_everything();
    scene.leave_upload("out/0-2");
    scene.leave_upload("out/7-2");
    scene.leave_upload("out/19-1");
    scene.leave_upload("out/of-somebody-else");
    scene.script.clear();
    let first = scene.report_with_little_time().await;
    assert_eq!(first.status, ReporterStatus::Continue);
    assert_eq!(scene.buckets.unfinished_uploads(), 3);
    let (calls, result) = scene.report_in_little_time().await;
    // A shard in each call, one call to see that no more follow, then twenty pages as in the proof's test.
    assert_eq!(calls, 19 + 1 + 20);
    assert_eq!(result.status, ReporterStatus::Complete);
    assert_eq!(scene.buckets.unfinished_uploads(), 1);
    assert_eq!(scene.calls("s3:AbortMultipartUpload"), 3);
    let requests = scene.written_report().cost_usd.requests;
    assert_eq!(requests["s3:ListMultipartUploads"], 21);
    assert_eq!(scene.calls("s3:ListMultipartUploads"), 21);
}

#[tokio::test]
async fn a_shard_of_many_uploads_is_swept_over_many_invocations() {
    let scene = Scene::new(&[9]);
    scene.copy_everything();
    for index in 2..9 {
        scene.leave_upload(&format!("out/0-{index}"));
    }
    scene.report_with_little_time().await;
    assert_eq!(scene.buckets.unfinished_uploads(), 6);
    scene.report_in_little_time().await;
    assert_eq!(scene.buckets.unfinished_uploads(), 0);
}

#[tokio::test]
async fn uploads_are_looked_for_once_however_long_the_proof_takes() {
    let scene = Scene::new(&[9, 9, 9]);
    scene.copy_everything();
    scene.leave_upload("out/1-3");
    scene.script.clear();
    let (calls, result) = scene.report_in_little_time().await;
    assert!(calls > 9, "{calls}");
    assert_eq!(result.status, ReporterStatus::Complete);
    // A shard in each call until the upload is found in the second one.
    assert_eq!(scene.calls("s3:ListMultipartUploads"), 2);
}

#[tokio::test]
async fn uploads_that_could_not_be_listed_are_reported_after_many_invocations_too() {
    let scene = Scene::new(&[9, 9, 9]);
    scene.copy_everything();
    scene.script.clear();
    scene.script.deny("s3:ListMultipartUploads");
    let (calls, result) = scene.report_in_little_time().await;
    assert!(calls > 9, "{calls}");
    assert_eq!(result.code, "AccessDenied");
    assert_eq!(scene.calls("s3:ListMultipartUploads"), 1);
    assert!(scene.written_report().verified.agrees());
}

#[tokio::test]
async fn an_upload_that_cannot_be_aborted_is_reported() {
    let scene = Scene::new(&[3]);
    scene.copy_everything();
    scene.leave_undone(0, 1);
    scene.leave_recorded_upload(0, 2);
    scene.script.deny("s3:AbortMultipartUpload");
    let result = scene.report(3).await.unwrap();
    assert_eq!(result.code, "AccessDenied");
    assert!(
        scene
            .written_report()
            .problem
            .unwrap()
            .message
            .contains("out/0-2")
    );
}
