//! A run that does more than the stack allows now is reported, and neither side is entered for it.

use serde_json::json;
use shardlift_core::{
    access::ceilings::{CeilingParameters, Ceilings},
    run::{event::ReporterStatus, input::RunInput},
};

use crate::scene::Scene;

#[tokio::test]
async fn a_mirror_that_the_stack_no_longer_allows_is_reported_without_another_call() {
    let mut scene = Scene::with_input(&[3, 2], json!({"mode": "mirror"}));
    let defaults = json!({
        "source": {"bucket": "source", "prefix": "in/"},
        "target": {"bucket": "target", "prefix": "out/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    });
    let defaults = RunInput::parse(&defaults).unwrap();
    scene.reporter.ceilings = Ok(Ceilings::new(&defaults, CeilingParameters::default()));
    scene.copy_everything();
    scene.make_deletions(1);
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    assert_eq!(result.code, "InvalidRun");
    let report = scene.written_report();
    let problem = report.problem.unwrap();
    assert!(
        problem.message.contains("AllowMirror"),
        "{}",
        problem.message
    );
    assert_eq!((report.copied.objects, report.deleted.objects), (3, 0));
    for operation in [
        "sts:AssumeRole",
        "s3:ListObjectsV2",
        "s3:ListMultipartUploads",
    ] {
        assert_eq!(scene.calls(operation), 0, "{operation}");
    }
    assert_eq!(scene.published().len(), 1);
    assert!(!scene.is_locked().await);
}

#[tokio::test]
async fn a_run_whose_list_may_lie_there_no_longer_is_reported_without_another_call() {
    let list = json!({"bucket": "inventories", "key": "k", "format": "csv"});
    let input = json!({"mode": "copy", "source": {"list": list}});
    let mut scene = Scene::with_input(&[2], input);
    let defaults = RunInput::parse(&json!({
        "source": {"bucket": "source", "prefix": "in/"},
        "target": {"bucket": "target", "prefix": "out/", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    }));
    let ceilings = Ceilings::new(&defaults.unwrap(), CeilingParameters::default());
    scene.reporter.ceilings = Ok(ceilings);
    scene.copy_everything();
    let result = scene.report(1).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let problem = scene.written_report().problem.unwrap();
    let message = problem.message;
    assert!(message.contains("AllowedListBuckets"), "{message}");
    assert_eq!(scene.calls("sts:AssumeRole"), 0);
    assert_eq!(scene.calls("s3:ListObjectsV2"), 0);
}
