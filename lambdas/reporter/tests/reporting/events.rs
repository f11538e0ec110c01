//! What becomes of the lists of a run that events started, and what is said of who started a run.

use serde_json::{Value, json};
use shardlift_core::{
    documents::control_key,
    events::{EventRun, HELD_KEY, WaitingList, WaitingName},
    failure::FailureCode,
    port::ControlStore,
    report::{StartedBy, Verdict},
    run::option::Mode,
};

use crate::scene::{FailedAt, Scene, run_id};

const WAITING: &str = "lists/events/waiting/001790000000000-000000002-0123456789abcdef.jsonl";

/// The input of a run of events that took one list.
fn input() -> Value {
    let waiting = WaitingList {
        name: WaitingName::of_key(WAITING).unwrap(),
        size_bytes: 1,
    };
    let run = EventRun::of_waiting(vec![waiting]).unwrap();
    let control = "control-bucket".to_owned().try_into().unwrap();
    run.input(&run_id(), &control, Mode::Sync).unwrap()
}

/// A run of events over two objects, whose list waits.
async fn scene() -> Scene {
    let scene = Scene::with_input(&[2], input());
    let control = &scene.reporter.control;
    control.put(WAITING, "", b"{}".to_vec()).await.unwrap();
    scene
}

#[tokio::test]
async fn after_a_run_that_copied_everything_the_next_one_begins_at_once() {
    let scene = scene().await;
    scene.copy_everything();
    scene.report_of(input()).await;
    assert_eq!(scene.written_report().verdict, Verdict::Complete);
    let control = &scene.reporter.control;
    assert_eq!(control.body(WAITING), None);
    assert_eq!(control.body(HELD_KEY), None);
    assert_eq!(scene.published().len(), 0);
    let page = control_key::run_folder(&run_id()) + "report.html";
    assert_eq!(control.body(&page), None, "one may come every minute");
    assert!(scene.written_report().address().ends_with("report.json"));
}

/// An object that cannot be copied and is written every minute would make a run and a mail a minute.
#[tokio::test]
async fn after_an_incomplete_run_the_next_one_is_held_although_its_lists_are_done_with() {
    let scene = scene().await;
    scene.copy_everything();
    scene.fail(&[FailedAt(0, 1, FailureCode::ObjectArchived)]);
    scene.report_of(input()).await;
    assert_eq!(scene.written_report().verdict, Verdict::Incomplete);
    let control = &scene.reporter.control;
    assert_eq!(control.body(WAITING), None, "each key was looked at");
    assert!(control.body(HELD_KEY).is_some());
    assert_eq!(scene.published().len(), 1);
    assert!(!scene.document("report.html").is_empty());
    let calls = scene.script.calls();
    let place = |operation: &str| calls.iter().rposition(|call| *call == operation);
    assert!(
        place("s3:PutObject") < place("s3:DeleteObject"),
        "held before its end can be heard of"
    );
    assert!(!scene.is_locked().await);
}

#[tokio::test]
async fn the_report_says_who_started_the_run() {
    for (input, expected) in [
        (json!({}), StartedBy::Person),
        (json!({"mode": "sync"}), StartedBy::Person),
        (json!({"started_by": "schedule"}), StartedBy::Schedule),
        (input(), StartedBy::Events),
    ] {
        let scene = Scene::new(&[1]);
        scene.copy_everything();
        scene.report_of(input.clone()).await;
        let report = scene.written_report();
        assert_eq!(report.started_by, Some(expected), "{input}");
        let asked = serde_json::to_value(&report.input).unwrap();
        assert_eq!(
            asked.get("started_by"),
            None,
            "asked again, it is a person's"
        );
    }
}
