//! A report that is called twice, or cut short.

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
