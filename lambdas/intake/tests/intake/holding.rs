//! What waits, and until when.

use std::time::Duration;

use shardlift_core::{
    events::{HELD_FOR, HELD_KEY},
    port::{Clock, EventLists, ExecutionState, Ledger, PutOutcome},
    run::lock::{LockRecord, LockState, LockedPrefix},
    shard::Lease,
    value::{arn::ExecutionArn, id::RunId, key::KeyPrefix},
};
use shardlift_testkit::{Disturbance, conformance::shard_record};

use crate::world::{RunEnd, World, event, locked, machine, noon, run_ended};

impl World {
    /// A run of somebody else that holds a prefix of the target. Returns its execution.
    async fn nightly_run(&self, prefix: &str) -> ExecutionArn {
        let run_id = RunId::new("nightly").unwrap();
        let execution = machine().execution(&run_id);
        let lock = LockRecord {
            schema_version: 1,
            locked: LockedPrefix {
                prefix: KeyPrefix::new(prefix).unwrap(),
                ..locked()
            },
            run_id,
            execution_arn: execution.clone(),
            state: LockState::Held,
            revision: 1,
        };
        let created = self.ledger.create_lock(&lock).await.unwrap();
        assert_eq!(created, PutOutcome::Written);
        self.executions.set(&execution, ExecutionState::Running);
        execution
    }
}

#[tokio::test]
async fn while_a_run_holds_the_pair_events_wait_and_are_one_batch_after_it() {
    for prefix in ["copy/", "copy/deeper/", ""] {
        let world = World::new();
        let nightly = world.nightly_run(prefix).await;
        for number in 0..5 {
            let messages = [
                event(&format!("data/{number}"), number),
                event("data/same", number),
            ];
            assert_eq!(
                world.take(&messages).await.unwrap().failures,
                [],
                "none comes again"
            );
        }
        assert_eq!(world.running(), []);
        assert_eq!(world.control.waiting().await.unwrap().len(), 5);
        world.executions.set(&nightly, ExecutionState::Ended);
        world.take(&[run_ended()]).await.unwrap();
        let [run_id] = world.running().try_into().unwrap();
        assert_eq!(world.keys_of(&run_id).len(), 6);
        assert_eq!(world.settle().await.len(), 6);
    }
}

#[tokio::test]
async fn another_prefix_holds_nothing_up() {
    let world = World::new();
    world.nightly_run("elsewhere/").await;
    world.take(&[event("data/a", 1)]).await.unwrap();
    assert_eq!(world.running().len(), 1);
}

#[tokio::test]
async fn what_arrives_during_a_run_of_events_is_the_next_one() {
    let world = World::new();
    world.take(&[event("data/a", 1)]).await.unwrap();
    let [first] = world.running().try_into().unwrap();
    world.take(&[event("data/b", 2)]).await.unwrap();
    world.take(&[event("data/a", 3)]).await.unwrap();
    assert_eq!(world.running(), std::slice::from_ref(&first));
    world.end(&first, RunEnd::Planned).await;
    world.take(&[run_ended()]).await.unwrap();
    let [second] = world.running().try_into().unwrap();
    assert_eq!(world.keys_of(&second).len(), 2, "data/a was written again");
}

/// An intake that lists what waits and takes the lock only after a run over all of it has ended.
#[tokio::test]
async fn what_another_run_has_done_with_before_the_lock_was_taken_starts_nothing() {
    for keys in [&["data/b"][..], &["data/b", "data/c"]] {
        let world = World::new();
        world.take(&[event("data/a", 1)]).await.unwrap();
        let [first] = world.running().try_into().unwrap();
        for key in keys {
            world.take(&[event(key, 2)]).await.unwrap();
        }
        world.end(&first, RunEnd::Planned).await;
        let listing = world.script.calls().len();
        world.script.disturb(listing + 1, Disturbance::Frozen);
        let ended = [run_ended()];
        let late = world.take(&ended);
        let others = async {
            while world.script.calls().len() <= listing + 1 {
                tokio::task::yield_now().await;
            }
            world.take(&[event("data/d", 4)]).await.unwrap();
            let [second] = world.running().try_into().unwrap();
            let looked = world.end(&second, RunEnd::Planned).await;
            assert_eq!(looked.len(), keys.len() + 1);
            world.script.release();
        };
        let (late, ()) = tokio::join!(late, others);
        late.unwrap();
        assert_eq!(world.running(), []);
        world.take(&[event("data/e", 5)]).await.unwrap();
        assert_eq!(world.settle().await.len(), 1, "the lock is free");
    }
}

#[tokio::test]
async fn a_run_that_lost_the_pair_to_another_one_is_tried_again_at_once() {
    let world = World::new();
    world.take(&[event("data/a", 1)]).await.unwrap();
    let [first] = world.running().try_into().unwrap();
    world.end(&first, RunEnd::Overlapped).await;
    world.take(&[run_ended()]).await.unwrap();
    let [second] = world.running().try_into().unwrap();
    assert_ne!(first, second, "a name is taken for 90 days");
    assert_eq!(world.settle().await.len(), 1);
}

#[tokio::test]
async fn a_run_that_broke_is_tried_again_after_some_minutes_with_what_came_since() {
    let world = World::new();
    world.take(&[event("data/a", 1)]).await.unwrap();
    let [first] = world.running().try_into().unwrap();
    world.end(&first, RunEnd::Broken).await;
    world.take(&[run_ended()]).await.unwrap();
    world.take(&[event("data/b", 2)]).await.unwrap();
    assert_eq!(world.running(), [], "each broken run notifies");
    world.clock.advance(HELD_FOR + Duration::from_secs(1));
    world.take(&[run_ended()]).await.unwrap();
    let [second] = world.running().try_into().unwrap();
    assert_eq!(world.keys_of(&second).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lock_of_an_intake_that_died_before_it_started_its_run_is_taken_over() {
    let world = World::new();
    let nightly = world.nightly_run("copy/").await;
    world.executions.set(&nightly, ExecutionState::Unknown);
    world.take(&[event("data/a", 1)]).await.unwrap();
    assert_eq!(world.running().len(), 1);
}

#[tokio::test]
async fn a_run_that_nobody_reported_is_tried_again_after_some_minutes() {
    let world = World::new();
    world.take(&[event("data/a", 1)]).await.unwrap();
    let mut runs = 0;
    for attempt in 1..4 {
        let [run] = world.running().try_into().unwrap();
        runs += 1;
        world.end(&run, RunEnd::Unreported).await;
        // What came meanwhile makes other lists, and so a run of another name.
        world.take(&[event("data/b", attempt)]).await.unwrap();
        let now = noon().plus((HELD_FOR + Duration::from_secs(1)) * (runs - 1));
        world.control.date(HELD_KEY, now);
        for _ in 0..3 {
            world.take(&[run_ended()]).await.unwrap();
            assert_eq!(world.running(), [], "each broken run notifies");
        }
        world.clock.advance(HELD_FOR + Duration::from_secs(1));
        world.take(&[run_ended()]).await.unwrap();
    }
    let [run] = world.running().try_into().unwrap();
    let looked = world.end(&run, RunEnd::Planned).await;
    assert_eq!(looked.len(), 2, "{looked:?}");
}

#[tokio::test]
async fn events_wait_for_the_copiers_of_a_run_that_was_stopped() {
    for prefix in ["copy/", "copy/deeper/"] {
        let world = World::new();
        let nightly = world.nightly_run(prefix).await;
        world.executions.set(&nightly, ExecutionState::Ended);
        let mut shard = shard_record("nightly", "1-1");
        shard.lease = Some(Lease {
            token: 1,
            expires_at: world.clock.now().plus(Duration::from_secs(900)),
        });
        let created = world.ledger.create_shard(&shard).await.unwrap();
        assert_eq!(created, PutOutcome::Written);
        world.take(&[event("data/a", 1)]).await.unwrap();
        assert_eq!(world.running(), [], "a copier of it may still write");
        world.clock.advance(Duration::from_secs(900));
        world.take(&[run_ended()]).await.unwrap();
        assert_eq!(world.settle().await.len(), 1);
    }
}
