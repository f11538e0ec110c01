//! The reporter over a ledger, buckets and a topic in memory.

#[allow(dead_code, reason = "each test binary uses a part of the scene")]
mod scene;

use std::collections::BTreeMap;

use scene::{ESTIMATED_COPIES, FailedAt, Scene, run_id};
use shardlift_core::{
    failure::FailureCode,
    report::{Report, Verdict},
    run::{
        event::{Problem, ReporterStatus},
        record::RunState,
    },
    shard::ShardState,
};
use shardlift_testkit::Disturbance;

#[tokio::test]
async fn a_run_whose_every_object_arrived_is_complete() {
    let scene = Scene::new(&[5, 3, 4, 1, 2]);
    scene.copy_everything();
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Complete);
    assert_eq!(result.code, "");
    let report = scene.written_report();
    assert_eq!(report.verdict, Verdict::Complete);
    assert_eq!(report.planned.objects, 15);
    assert_eq!(report.copied, report.planned);
    assert_eq!(report.shards.done, 5);
    assert!(report.verified.agrees());
    assert_eq!(scene.failures_csv().len(), 0);
    assert_eq!(scene.run_state(), RunState::Reported);
    assert!(!scene.is_locked().await);
    assert_eq!(scene.published()[0].attributes["verdict"], "COMPLETE");
}

#[tokio::test]
async fn the_report_json_has_the_documented_fields() {
    let scene = Scene::new(&[1]);
    scene.copy_everything();
    scene.report(1).await.unwrap();
    let json: serde_json::Value = serde_json::from_slice(&scene.document("report.json")).unwrap();
    for pointer in [
        "/schema_version",
        "/run_id",
        "/verdict",
        "/mode",
        "/planned/objects",
        "/planned/bytes",
        "/copied/objects",
        "/copied/bytes",
        "/skipped/objects",
        "/skipped/bytes",
        "/deleted/objects",
        "/failed/objects",
        "/failed/bytes",
        "/failed/by_reason",
        "/shards/total",
        "/shards/done",
        "/shards/not_done",
        "/rounds",
        "/verified/method",
        "/verified/missing",
        "/verified/different",
        "/uploads_aborted",
        "/cost_usd/estimated",
        "/cost_usd/counted",
        "/cost_usd/requests",
        "/cost_usd/requests_estimated",
        "/copy_seconds/estimated",
        "/started_at",
        "/ended_at",
        "/report/bucket",
        "/report/prefix",
    ] {
        assert!(json.pointer(pointer).is_some(), "{pointer} in {json}");
    }
    let sent: serde_json::Value = serde_json::from_str(&scene.published()[0].json).unwrap();
    assert_eq!(sent, json);
}

#[tokio::test]
async fn what_a_run_took_stands_beside_what_its_plan_expected() {
    let scene = Scene::new(&[3, 3, 3]);
    scene.copy_everything();
    scene.spread_over_time();
    let report = scene.reported().await;
    let cost = &report.cost_usd;
    assert_eq!(cost.requests_estimated["s3:CopyObject"], ESTIMATED_COPIES);
    assert!((cost.estimated - 0.05).abs() < 1e-4, "{cost:?}");
    assert!(cost.counted > 0.0 && cost.counted < 0.01, "{cost:?}");
    let times = report.copy_seconds.unwrap();
    // The first shard begins after 200 s, the last one of three ends after 1,199 s.
    assert_eq!((times.estimated, times.counted), (90, Some(999)));
    let text = &scene.published()[0].text;
    for figure in [
        "(estimated $0.05)",
        "Copy time: 16 min 39 s (estimated 1 min 30 s)",
    ] {
        assert!(text.contains(figure), "{text}");
    }
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    assert!(page.contains("estimated $0.05"), "{page}");
}

#[tokio::test]
async fn permanent_failures_end_incomplete_with_the_exact_list_and_no_further_round() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.fail(&[
        FailedAt(0, 1, FailureCode::AccessDenied),
        FailedAt(1, 3, FailureCode::SourceMissing),
        FailedAt(1, 0, FailureCode::AccessDenied),
    ]);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    assert_eq!(result.code, "AccessDenied");
    let report = scene.written_report();
    assert_eq!(
        report.failed.by_reason,
        BTreeMap::from([
            (FailureCode::AccessDenied, 2),
            (FailureCode::SourceMissing, 1)
        ])
    );
    assert_eq!(report.verified.missing, 3);
    let rows = scene.failures_csv();
    let keys: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(keys, ["in/0-1", "in/1-0", "in/1-3"]);
    assert_eq!(rows[0][2], "AccessDenied");
    let text = &scene.published()[0].text;
    assert!(text.contains("AccessDenied: 2 objects"), "{text}");
    assert!(text.contains("in/0-1"), "{text}");
}

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
async fn reporting_twice_notifies_once_and_answers_the_same() {
    let scene = Scene::new(&[2]);
    scene.copy_everything();
    let first = scene.report(1).await.unwrap();
    assert_eq!(scene.report(1).await.unwrap(), first);
    assert_eq!(scene.published().len(), 1);
}

#[tokio::test]
async fn a_report_cut_short_at_any_call_is_the_same_report_the_second_time() {
    let calls = {
        let scene = Scene::new(&[2, 2]);
        scene.copy_everything();
        scene.script.clear();
        scene.report(1).await.unwrap();
        scene.script.calls().len()
    };
    assert!(calls > 10);
    for call in 0..calls {
        for &disturbance in Disturbance::MATRIX {
            let scene = Scene::new(&[2, 2]);
            scene.copy_everything();
            scene.script.clear();
            scene.script.disturb(call, disturbance);
            tokio::select! {
                biased;
                _outcome = scene.report(1) => {}
                () = scene.script.killed() => {}
            }
            scene.script.clear();
            let result = scene.report(1).await.unwrap();
            let report = scene.written_report();
            let told = format!("call {call}, {disturbance:?}: {report:?}");
            if let Some(problem) = &report.problem {
                // A listing that failed for good is told, never taken for proof.
                assert_eq!(result.status, ReporterStatus::Incomplete, "{told}");
                let is_told = ["proven", "uploads may be left"]
                    .iter()
                    .any(|words| problem.message.contains(words));
                assert!(is_told, "{told}");
            } else {
                assert_eq!(result.status, ReporterStatus::Complete, "{told}");
            }
            assert!((1..=2).contains(&scene.published().len()), "{told}");
            assert_eq!(scene.run_state(), RunState::Reported, "{told}");
            assert!(!scene.is_locked().await, "{told}");
        }
    }
}

#[tokio::test]
async fn a_run_that_was_refused_before_it_had_a_record_is_reported() {
    let scene = Scene::new(&[]);
    let problem = Problem {
        state: "PlanShards".into(),
        error: "InvalidRun".into(),
        cause: r#"{"errorType":"InvalidRun","errorMessage":"field `mode`: unknown variant"}"#
            .into(),
    };
    let result = scene.report_unknown(problem).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Failed);
    assert_eq!(result.code, "InvalidRun");
    assert!(
        result.summary.contains("field `mode`"),
        "{}",
        result.summary
    );
    let notification = &scene.published()[0];
    let report: Report = serde_json::from_str(&notification.json).unwrap();
    assert_eq!((report.verdict, report.mode), (Verdict::Incomplete, None));
    assert!(notification.text.contains("field `mode`"));
    assert_eq!(
        notification.subject,
        "Shardlift INCOMPLETE: InvalidRun in PlanShards (unknown)"
    );
}

#[tokio::test]
async fn a_broken_map_is_reported_with_what_was_copied_until_then() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.leave_undone(1, 0);
    let problem = Problem {
        state: "CopyShards".into(),
        error: "States.ItemReaderFailed".into(),
        cause: "access denied".into(),
    };
    let result = scene.report_problem(problem).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Failed);
    assert_eq!(result.code, "States.ItemReaderFailed");
    let report = scene.written_report();
    assert_eq!((report.copied.objects, report.failed.objects), (4, 4));
    assert_eq!(scene.run_state(), RunState::Reported);
}

#[tokio::test]
async fn a_dry_run_is_planned_and_copies_nothing() {
    let scene = Scene::dry(&[4, 4]);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Planned);
    let report = scene.written_report();
    assert_eq!(report.verdict, Verdict::Planned);
    assert_eq!(report.planned.objects, 8);
    assert!(report.cost_usd.counted < report.cost_usd.estimated);
    assert_eq!(report.copy_seconds.unwrap().counted, None);
    let notification = &scene.published()[0];
    assert!(notification.subject.contains("PLANNED: 8 objects"));
    for figure in [
        "Request cost: $0.05 (estimated)",
        "Copy time: 1 min 30 s (estimated)",
    ] {
        assert!(notification.text.contains(figure), "{}", notification.text);
    }
}

#[tokio::test]
async fn a_ledger_that_contradicts_its_plan_is_never_complete() {
    let scene = Scene::new(&[4, 4]);
    scene.copy_everything();
    scene.claim_more_shards_than_there_are();
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    assert_eq!(result.code, "InvariantViolated");
    assert!(scene.published()[0].text.contains("InvariantViolated"));
}

#[tokio::test]
async fn a_missing_failure_list_is_a_contradiction_not_a_shorter_list() {
    let scene = Scene::new(&[4]);
    scene.copy_everything();
    scene.fail(&[FailedAt(0, 1, FailureCode::AccessDenied)]);
    scene.point_to_another_list(0);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.code, "InvariantViolated");
}

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
async fn what_appeared_at_the_source_meanwhile_is_told_apart() {
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
    let told = format!("{aborted} unfinished multipart uploads aborted");
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for text in [&page, &scene.published()[0].text] {
        assert!(text.contains(&told), "{text}");
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
async fn uploads_that_cannot_be_looked_for_are_told() {
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
async fn uploads_that_could_not_be_looked_for_are_told_after_many_invocations_too() {
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
async fn an_upload_that_cannot_be_aborted_is_told() {
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
async fn deletions_are_held_back_when_an_object_could_not_be_copied() {
    let scene = Scene::new(&[3, 2]);
    scene.copy_everything();
    scene.make_deletions(1);
    scene.fail(&[FailedAt(0, 1, FailureCode::AccessDenied)]);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let report = scene.written_report();
    assert_eq!((report.deleted.objects, report.failed.objects), (0, 1));
    assert_eq!(scene.failures_csv().len(), 1);
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
    assert_eq!(report.failed.objects, 2);
    assert_eq!(scene.failures_csv().len(), 2);
}
