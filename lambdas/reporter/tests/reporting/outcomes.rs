//! What a run ends with: its verdict, its report and its notification.

use std::collections::BTreeMap;

use serde_json::json;
use shardlift_core::{
    failure::FailureCode,
    report::{Report, Verdict},
    run::{
        event::{Problem, ReporterStatus},
        record::RunState,
    },
    value::tally::RENDITION_WRITES,
};

use crate::scene::{ESTIMATED_COPIES, FailedAt, Scene};

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
async fn a_run_that_found_nothing_is_complete_and_says_so_everywhere() {
    const SUMMARY: &str = "the source is empty, nothing to copy";
    const WARNING: &str = "The source has no object under its prefix.";
    let scene = Scene::new(&[]);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Complete);
    let report = scene.written_report();
    assert_eq!(report.warnings[0].code, "source_empty");
    assert!(report.warnings[0].message.starts_with(WARNING));
    let published = &scene.published()[0];
    assert!(published.subject.contains(SUMMARY), "{}", published.subject);
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for text in [&published.text, &page] {
        assert!(text.contains(SUMMARY) && text.contains(WARNING), "{text}");
    }
}

#[tokio::test]
async fn what_a_live_source_did_is_no_failure_and_is_told_everywhere() {
    let scene = Scene::new(&[3, 3]);
    scene.copy_everything();
    scene.change_at_source(0, 1, 1_000);
    scene.remove_at_source(1, 2);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Complete);
    let report = scene.written_report();
    assert_eq!(report.imbalance(false), None);
    assert_eq!((report.planned.objects, report.copied.objects), (6, 5));
    assert_eq!(report.copied_newer.objects, 1);
    let (planned, copied) = (report.copied_newer.planned_bytes, report.copied_newer.bytes);
    assert_eq!(copied, 1_000);
    let gone = report.skipped.after_planning;
    assert_eq!(gone.objects, 1);
    let sum = report.copied.bytes - copied + planned + gone.bytes;
    assert_eq!(sum, report.planned.bytes);
    let json: serde_json::Value = serde_json::from_slice(&scene.document("report.json")).unwrap();
    assert_eq!(json["skipped"]["by_reason"]["gone_at_source"], 1);
    assert_eq!(json["notes"]["copied_newer"], 1);
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    for text in [&scene.published()[0].text, &page] {
        for part in [
            "1 in a newer version",
            "1 gone at the source",
            "1 object changed at the source since the listing",
            "1 object to copy disappeared from the source",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
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
        "/skipped/after_planning/objects",
        "/skipped/after_planning/bytes",
        "/copied_newer/objects",
        "/deleted/back_at_source",
        "/filtered/objects",
        "/filtered/bytes",
        "/deleted/objects",
        "/deleted/planned",
        "/deleted/held",
        "/deleted/failed",
        "/warnings",
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
        "/cost_usd/prices/region",
        "/cost_usd/prices/instead_of",
        "/cost_usd/prices/storage_class",
        "/cost_usd/prices/as_of",
        "/copy_seconds/estimated",
        "/copy_seconds/estimated_max",
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
    assert_eq!(times.estimated_max, Some(150));
    let text = &scene.published()[0].text;
    for figure in [
        "(estimated $0.05)",
        "Copy time: 16 min 39 s (estimated 1 min 30 s to 2 min 30 s)",
    ] {
        assert!(text.contains(figure), "{text}");
    }
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    assert!(page.contains("estimated $0.05"), "{page}");
}

#[tokio::test]
async fn a_run_of_renditions_names_its_transform_and_prices_its_writes_by_their_class() {
    let input = json!({"storage_class": "GLACIER_IR", "transform": {"kind": "thumbnail", "longest_edge_px": 64}});
    let scene = Scene::with_input(&[3], input);
    scene.copy_everything();
    scene.note_requests(0, &[("s3:GetObject", 3), ("s3:PutObject", 3)]);
    let report = scene.reported().await;
    let transform = report.transform.unwrap().to_string();
    assert!(
        transform.starts_with("thumbnail:64,format=same"),
        "{transform}"
    );
    assert_eq!(report.compare, None);
    let cost = &report.cost_usd;
    assert_eq!(cost.requests[RENDITION_WRITES], 3);
    assert!(!cost.requests.contains_key("s3:PutObject"), "{cost:?}");
    assert!((cost.prices.request_usd(RENDITION_WRITES) - 20e-6).abs() < 1e-12);
    let page = String::from_utf8(scene.document("report.html")).unwrap();
    let text = &scene.published()[0].text;
    for shown in [&page, text] {
        assert!(shown.contains(&transform), "{shown}");
    }
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
    assert_eq!(report.verified.missing, 0, "what failed is not vouched for");
    let rows = scene.failures_csv();
    let keys: Vec<_> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(keys, ["in/0-1", "in/1-0", "in/1-3"]);
    assert_eq!(rows[0][2], "AccessDenied");
    let text = &scene.published()[0].text;
    assert!(text.contains("AccessDenied: 2 objects"), "{text}");
    assert!(text.contains("in/0-1"), "{text}");
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
        "Copy time: 1 min 30 s to 2 min 30 s (estimated: the longer time at the 3,500 writes",
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
