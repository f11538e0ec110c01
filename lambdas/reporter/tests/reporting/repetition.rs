//! A report that is called twice, or cut short.

use std::collections::BTreeSet;

use shardlift_core::run::{event::ReporterStatus, record::RunState};
use shardlift_testkit::Disturbance;

use crate::scene::Scene;

#[tokio::test]
async fn reporting_twice_notifies_once_and_returns_the_same() {
    let scene = Scene::new(&[2]);
    scene.copy_everything();
    let first = scene.report(1).await.unwrap();
    assert_eq!(scene.report(1).await.unwrap(), first);
    assert_eq!(scene.published().len(), 1);
}

#[tokio::test]
async fn a_copier_that_was_believed_dead_and_writes_at_any_call_of_a_report_leaves_it_consistent() {
    let undone = || {
        let scene = Scene::new(&[2, 4]);
        scene.copy_everything();
        scene.leave_undone(1, 1);
        scene.script.clear();
        scene
    };
    let calls = {
        let scene = undone();
        scene.report(3).await.unwrap();
        scene.script.calls().len()
    };
    let mut failed = BTreeSet::new();
    for call in 0..calls {
        let scene = undone();
        scene.script.disturb(call, Disturbance::Frozen);
        let copier = async {
            scene.script.killed().await;
            scene.script.clear();
            scene.finish(1, 1);
            scene.script.release();
        };
        let (first, ()) = tokio::join!(scene.report(3), copier);
        let mut result = first.unwrap();
        while result.status == ReporterStatus::Continue {
            result = scene.report(3).await.unwrap();
        }
        let report = scene.written_report();
        let listed = scene.failures_csv().len() as u64;
        let case = format!("call {call}: {report:?}");
        assert_eq!(report.failed.objects, listed, "{case}");
        assert_eq!(report.copied.objects + listed, 6, "{case}");
        assert_eq!(
            report.proof.unwrap().vouched.objects,
            report.copied.objects,
            "{case}"
        );
        assert_eq!(scene.published().len(), 1, "{case}");
        failed.insert(listed);
    }
    assert_eq!(failed, [0, 3].into(), "early enough, or too late");
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
            let case = format!("call {call}, {disturbance:?}: {report:?}");
            if let Some(problem) = &report.problem {
                // A listing that failed for good is reported, never taken for proof.
                assert_eq!(result.status, ReporterStatus::Incomplete, "{case}");
                let is_reported = ["proven", "uploads may be left"]
                    .iter()
                    .any(|words| problem.message.contains(words));
                assert!(is_reported, "{case}");
            } else {
                assert_eq!(result.status, ReporterStatus::Complete, "{case}");
            }
            assert!((1..=2).contains(&scene.published().len()), "{case}");
            assert_eq!(scene.run_state(), RunState::Reported, "{case}");
            assert!(!scene.is_locked().await, "{case}");
        }
    }
}
