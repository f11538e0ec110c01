//! Two runs never write the same keys at once.

use std::time::Duration;

use crate::world::{TARGET, World, run_id};
use serde_json::json;
use shardlift_core::{
    failure::FailureCode,
    port::{ExecutionState, Ledger, PutOutcome},
    run::lock::{LockRecord, LockState, LockedPrefix},
    value::{arn::ExecutionArn, id::RunId},
};
use shardlift_testkit::Disturbance;

fn other_execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:eu-central-1:111111111111:execution:shardlift:other").unwrap()
}

fn target_prefix(prefix: &str) -> LockedPrefix {
    LockedPrefix {
        bucket: TARGET.to_owned().try_into().unwrap(),
        prefix: prefix.to_owned().try_into().unwrap(),
    }
}

fn lock_of_other(prefix: &str, state: LockState) -> LockRecord {
    LockRecord {
        schema_version: 1,
        locked: target_prefix(prefix),
        run_id: RunId::new("other").unwrap(),
        execution_arn: other_execution(),
        state,
        revision: 1,
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_over_a_prefix_that_contains_this_one_or_lies_in_it_is_named() {
    for (prefix, state, is_refused) in [
        ("", ExecutionState::Running, true),
        ("copy/x/", ExecutionState::Running, true),
        ("copy/x/", ExecutionState::Ended, false),
        ("copy2/", ExecutionState::Running, false),
    ] {
        let world = World::new();
        world.put_sources(["a"]);
        world.executions.set(&other_execution(), state);
        let held = lock_of_other(prefix, LockState::Held);
        let written = world.ledger.create_lock(&held).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
        let end = world.plan(&json!({})).await;
        let own = world
            .ledger
            .read_lock(&target_prefix("copy/"))
            .await
            .unwrap();
        let other = world.ledger.read_lock(&held.locked).await.unwrap();
        if is_refused {
            let failure = end.unwrap_err();
            assert_eq!(failure.code, FailureCode::RunOverlap, "{prefix}");
            for part in ["run other", other_execution().as_str(), "s3://target/"] {
                assert!(failure.detail.contains(part), "{part}: {failure}");
            }
            assert_eq!(own.unwrap().state, LockState::GivenUp, "{prefix}");
            assert_eq!(other, Some(held), "{prefix}");
        } else {
            assert_eq!(end.unwrap()["status"], "COPY", "{prefix}");
            assert_eq!(own.unwrap().state, LockState::Held, "{prefix}");
            let expected = match state {
                ExecutionState::Running => LockState::Held,
                _ => LockState::GivenUp,
            };
            assert_eq!(other.unwrap().state, expected, "{prefix}");
        }
    }
}

/// Of two runs that began at once, one waits for the other to hold its lock or to give it up.
#[tokio::test(start_paused = true)]
async fn a_run_waits_for_one_that_has_not_settled_and_that_one_never_goes_on_beside_it() {
    for becomes in [LockState::Held, LockState::GivenUp, LockState::Claimed] {
        let world = World::new();
        world.put_sources(["a"]);
        world
            .executions
            .set(&other_execution(), ExecutionState::Running);
        let claimed = lock_of_other("copy/x/", LockState::Claimed);
        let written = world.ledger.create_lock(&claimed).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
        let other_run = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let moved = LockRecord {
                state: becomes,
                revision: 2,
                ..claimed.clone()
            };
            let written = world.ledger.replace_lock(&claimed, &moved).await.unwrap();
            assert_eq!(written, PutOutcome::Written);
        };
        let input = json!({});
        let (end, ()) = tokio::join!(world.plan(&input), other_run);
        let is_refused = becomes != LockState::GivenUp;
        assert_eq!(end.is_err(), is_refused, "{becomes:?}: {end:?}");
    }
}

/// A run that was refused does not stand in the way of the next one.
#[tokio::test]
async fn a_lock_that_was_given_up_is_free_even_while_its_execution_reports() {
    let world = World::new();
    world.put_sources(["a"]);
    world
        .executions
        .set(&other_execution(), ExecutionState::Running);
    for prefix in ["copy/", "copy/x/"] {
        let given_up = lock_of_other(prefix, LockState::GivenUp);
        let written = world.ledger.create_lock(&given_up).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
    }
    assert_eq!(world.plan(&json!({})).await.unwrap()["status"], "COPY");
}

/// A run that holds its lock is not disturbed by one that tries to take a lock beside it.
#[tokio::test]
async fn a_run_that_goes_on_does_not_look_at_the_locks_of_others_again() {
    let mut world = World::new();
    world.put_sources(["a", "b", "c", "d", "e", "f", "g", "h"]);
    world.clock_step = Duration::from_secs(300);
    let first = world.invoke(&json!({})).await.unwrap();
    assert_eq!(first["status"], "CONTINUE");
    let tried = lock_of_other("copy/x/", LockState::Claimed);
    let written = world.ledger.create_lock(&tried).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
    world
        .executions
        .set(&other_execution(), ExecutionState::Running);
    world.invoke(&json!({})).await.unwrap();
}

async fn plan_beside(
    state: ExecutionState,
) -> (
    World,
    Result<serde_json::Value, shardlift_core::failure::Failure>,
) {
    let world = World::new();
    world.put_sources(["a"]);
    world.executions.set(&other_execution(), state);
    let held = lock_of_other("copy/", LockState::Held);
    assert_eq!(
        world.ledger.create_lock(&held).await.unwrap(),
        PutOutcome::Written
    );
    let end = world.plan(&json!({})).await;
    (world, end)
}

#[tokio::test]
async fn two_runs_over_one_pair_cannot_run_at_once() {
    let (world, end) = plan_beside(ExecutionState::Running).await;
    let failure = end.unwrap_err();
    assert_eq!(failure.code, FailureCode::RunOverlap);
    assert!(failure.detail.contains(other_execution().as_str()));
    assert_eq!(world.ledger.run(&run_id()), None);
}

#[tokio::test]
async fn a_run_that_goes_on_after_another_took_its_lock_stops() {
    let mut world = World::new();
    world.put_sources(
        (0..40)
            .map(|n| format!("k{n:02}"))
            .collect::<Vec<_>>()
            .iter()
            .map(String::as_str),
    );
    world.clock_step = Duration::from_secs(300);
    assert_eq!(
        world.invoke(&json!({})).await.unwrap()["status"],
        "CONTINUE"
    );
    let held = world
        .ledger
        .read_lock(&target_prefix("copy/"))
        .await
        .unwrap()
        .unwrap();
    let other = LockRecord {
        execution_arn: other_execution(),
        run_id: RunId::new("nightly-0").unwrap(),
        revision: held.revision + 1,
        ..held.clone()
    };
    let written = world.ledger.replace_lock(&held, &other).await.unwrap();
    assert_eq!(written, PutOutcome::Written);
    world
        .executions
        .set(&other_execution(), ExecutionState::Running);
    let failure = world.invoke(&json!({})).await.unwrap_err();
    assert_eq!(failure.code, FailureCode::RunOverlap);
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_an_execution_that_ended_is_taken_over() {
    for state in [ExecutionState::Ended, ExecutionState::Unknown] {
        let (_, end) = plan_beside(state).await;
        assert_eq!(end.unwrap()["status"], "COPY");
    }
}

/// Two runs over nested targets, the second of which runs while the first is frozen in any of its calls: never do both hold
/// their locks.
#[tokio::test(start_paused = true)]
async fn however_two_runs_interleave_never_do_both_go_on() {
    let input = json!({});
    let world = World::new();
    world.put_sources(["x/a"]);
    world.plan(&input).await.unwrap();
    let calls = world.script.calls().len();
    let mut refused = (0, 0);
    // By its name one waits for the other if both began at once.
    for name in ["a-second", "z-second"] {
        for call in 0..calls {
            let world = World::new();
            world.put_sources(["x/a"]);
            let mut second = crate::world::event(&json!({
                "source": {"prefix": "data/x/"}, "target": {"prefix": "copy/x/"},
            }));
            let first_arn = second["execution_arn"].as_str().unwrap().to_owned();
            let second_arn = first_arn.replace("nightly-1", name);
            second["run_id"] = name.into();
            second["execution_arn"] = second_arn.as_str().into();
            for arn in [first_arn, second_arn] {
                let arn = ExecutionArn::new(arn).unwrap();
                world.executions.set(&arn, ExecutionState::Running);
            }
            world.script.disturb(call, Disturbance::Frozen);
            let mut first = Box::pin(world.plan(&input));
            tokio::select! {
                biased;
                end = &mut first => panic!("it ends without call {call}: {end:?}"),
                () = world.script.killed() => {}
            }
            let second = world.invoke_by(&second).await;
            world.script.release();
            let first = first.await;
            for end in [&first, &second] {
                let code = end.as_ref().err().map(|failure| failure.code);
                assert!(
                    matches!(code, None | Some(FailureCode::RunOverlap)),
                    "{end:?}"
                );
            }
            assert!(first.is_err() || second.is_err(), "{name} at call {call}");
            refused.0 += u32::from(first.is_err());
            refused.1 += u32::from(second.is_err());
        }
    }
    // Whoever comes first goes on, nearly always.
    assert!(refused.0 > 0 && refused.1 > 0, "{refused:?}");
    let runs = 2 * u32::try_from(calls).unwrap();
    assert!(refused.0 + refused.1 <= runs + 8, "{refused:?} of {runs}");
}
