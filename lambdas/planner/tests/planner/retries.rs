//! The planner alone retries its listings: as many requests are sent as its policy says.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use crate::failing_aws::FailingAws;
use crate::s3_ports::S3Ports;
use crate::world::{SOURCE, World, event, noon};
use serde_json::json;
use shardlift_aws::{
    AwsAccounts,
    retry::{LISTING, RetriedByCaller, ThrottledMax},
};
use shardlift_core::{
    failure::{
        FailureCode,
        fault::{CallFault, FaultKind},
    },
    run::event,
    value::deadline::Deadline,
};
use shardlift_planner::Planner;

/// How often the planner lists a source that always fails so, and the code that the plan ends with.
async fn attempts_of_the_listing(kind: FaultKind) -> (u32, FailureCode) {
    let world = World::new();
    let keys: Vec<String> = (0..10).map(|number| format!("{number}")).collect();
    world.put_sources(keys.iter().map(String::as_str));
    let attempts = Arc::new(AtomicU32::new(0));
    let counted = attempts.clone();
    world.buckets.distort_listing(SOURCE, move |request, page| {
        if request.after.is_none() {
            return Ok(page);
        }
        counted.fetch_add(1, Ordering::Relaxed);
        Err(CallFault::new("s3:ListObjectsV2", kind, "no"))
    });
    let failure = world.plan(&json!({"mode": "copy"})).await.unwrap_err();
    // The preflight asks for a second page once, and goes on without it.
    (attempts.load(Ordering::Relaxed) - 1, failure.code)
}

#[tokio::test(start_paused = true)]
async fn the_listing_attempts_a_page_as_often_as_its_policy_says() {
    for (kind, code) in [
        (FaultKind::ServiceError, FailureCode::ServiceFault),
        (FaultKind::MalformedResponse, FailureCode::ListingIncomplete),
    ] {
        let ended = attempts_of_the_listing(kind).await;
        assert_eq!(ended, (LISTING.attempts_max, code), "{kind:?}");
    }
    let (throttled, code) = attempts_of_the_listing(FaultKind::Throttled).await;
    assert_eq!(LISTING.throttled_max, ThrottledMax::Attempts(throttled));
    assert_eq!(code, FailureCode::Throttled);
    let (refused, _) = attempts_of_the_listing(FaultKind::AccessDenied).await;
    assert_eq!(refused, 1);
}

#[tokio::test(start_paused = true)]
async fn no_retries_of_the_sdk_come_on_top() {
    let aws = FailingAws::default();
    let config = aws.config().await;
    let over_memory = World::new().planner();
    let planner: Planner<S3Ports> = Planner {
        accounts: AwsAccounts::retried_by_caller(&config, None, RetriedByCaller::Listings),
        ledger: over_memory.ledger,
        control: over_memory.control,
        lists: over_memory.lists,
        executions: over_memory.executions,
        clock: over_memory.clock,
        settings: over_memory.settings,
    };
    let deadline = Deadline::new(noon(), noon().plus(Duration::from_secs(900)));
    let event = event::parse_value(&event(&json!({"mode": "copy"}))).unwrap();
    let failure = planner.plan(&event, deadline).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::ServiceFault);
    let listings = ("GET list-type=2".to_owned(), LISTING.attempts_max);
    assert_eq!(aws.take_failed(), [listings]);
}
