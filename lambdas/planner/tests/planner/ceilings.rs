//! What a run may not ask for, when it is created and whenever it goes on.

use crate::earlier::{end, input, invoke};
use crate::world::{TARGET, World, run_id};
use serde_json::{Value, json};
use shardlift_core::{
    access::ceilings::CeilingParameters,
    failure::{Failure, FailureCode},
};

const CANARY: &str = "canary-5f0e4a1b";

fn tight() -> World {
    let mut world = World::new();
    world.parameters = Some(CeilingParameters::default());
    world.put_sources(["a", "b"]);
    world.buckets.put(TARGET, "copy/old", "x", 1);
    world
}

fn assert_refused(failure: &Failure, field: &str, parameter: &str) {
    assert_eq!(failure.code, FailureCode::InvalidRun, "{failure}");
    for part in [field, parameter] {
        assert!(failure.detail.contains(part), "{part}: {failure}");
    }
    for part in ["Statement", "Sid", "Effect"] {
        assert!(!failure.detail.contains(part), "{part}: {failure}");
    }
}

#[tokio::test]
async fn what_is_beyond_a_ceiling_is_refused_before_any_call() {
    for (input, field, parameter) in [
        (json!({"mode": "mirror"}), "`mode`", "AllowMirror"),
        (
            json!({"source": {"prefix": ""}, "target": {"prefix": ""}}),
            "`source.prefix`",
            "SourcePrefix",
        ),
        (
            json!({"target": {"prefix": "elsewhere/"}}),
            "`target.prefix`",
            "TargetPrefix",
        ),
        (
            json!({"kms_key_arn": "arn:aws:kms:us-east-1:999999999999:key/1"}),
            "`kms_key_arn`",
            "AllowedKmsKeyArns",
        ),
        (
            json!({"delete_max_percent": 100}),
            "`delete_max_percent`",
            "DeleteMaxPercentCeiling",
        ),
        (
            json!({"mode": "copy", "source": {"list": {"bucket": "elsewhere", "key": "k", "format": "csv"}}}),
            "`source.list.bucket`",
            "AllowedListBuckets",
        ),
    ] {
        let world = tight();
        let failure = world.plan(&input).await.unwrap_err();
        assert_refused(&failure, field, parameter);
        let calls = world.script.calls();
        assert!(
            calls.iter().all(|call| call.starts_with("dynamodb:")),
            "{calls:?}"
        );
        assert!(world.ledger.run(&run_id()).is_none());
    }
}

#[tokio::test]
async fn an_earlier_run_that_goes_on_or_is_rerun_meets_the_parameters_of_today() {
    let mut world = World::new();
    world.put_sources(["a", "b"]);
    world.buckets.put(TARGET, "copy/old", "x", 1);
    let mirror = json!({"mode": "mirror", "delete_max_percent": 50});
    world.plan(&mirror).await.unwrap();
    world.parameters = Some(CeilingParameters::default());
    let redriven = world.invoke(&mirror).await.unwrap_err();
    assert_refused(&redriven, "`mode`", "AllowMirror");
    end(&world, &run_id(), &["data/b"], &[]).await;
    let rerun = invoke(&world, &input()).await.unwrap_err();
    assert_refused(&rerun, "rerun_of", "AllowMirror");
    world.parameters = Some(CeilingParameters {
        allow_mirror: true,
        ..CeilingParameters::default()
    });
    let rerun = invoke(&world, &input()).await.unwrap_err();
    assert_refused(&rerun, "rerun_of", "DeleteMaxPercentCeiling");
}

#[tokio::test]
async fn no_failure_shows_the_external_id_and_no_statement_has_it() {
    let with_id = |further: Value| {
        let mut input = json!({"target": {"external_id": CANARY}});
        for (field, value) in further.as_object().unwrap() {
            input[field] = value.clone();
        }
        input
    };
    for further in [
        json!({"mode": CANARY}),
        json!({"filters": {"include": [format!("[{CANARY}")]}}),
        json!({CANARY: 1}),
    ] {
        let failure = tight().plan(&with_id(further)).await.unwrap_err();
        assert!(!failure.detail.contains(CANARY), "{failure}");
    }
    let world = tight();
    world.script.deny("sts:AssumeRole");
    let failure = world.plan(&with_id(json!({}))).await.unwrap_err();
    assert!(failure.detail.contains("sts:ExternalId"), "{failure}");
    let table = world.control.body("runs/nightly-1/preflight.json").unwrap();
    for shown in [failure.detail, String::from_utf8(table).unwrap()] {
        assert!(!shown.contains(CANARY), "{shown}");
    }
}
