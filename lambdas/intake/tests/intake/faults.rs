//! Every call of an invocation fails in every way, and its messages come again, as the queue sends them: nothing is lost,
//! and never are two runs under way.

use std::time::Duration;

use serde_json::Value;
use shardlift_core::port::{ExecutionState, Ledger};
use shardlift_testkit::Disturbance;

use crate::world::{World, event, run_ended};

/// Longer than any wait of the intake.
const LIFETIME: Duration = Duration::from_secs(60);

async fn disturbed(world: &World, messages: &[Value]) {
    // A process that was killed has no response.
    let _lost = tokio::time::timeout(LIFETIME, world.take(messages)).await;
    world.script.clear();
}

#[tokio::test(start_paused = true)]
async fn no_fault_loses_an_event_or_starts_two_runs() {
    let messages = [event("data/a", 1), event("data/b", 2)];
    let mut cases = 0;
    for call in 0..12 {
        for &disturbance in Disturbance::MATRIX {
            let world = World::new();
            world.script.disturb(call, disturbance);
            disturbed(&world, &messages).await;
            assert!(world.running().len() <= 1);
            world.take(&messages).await.unwrap();
            assert!(world.running().len() <= 1, "call {call}: {disturbance:?}");
            let looked = world.settle().await;
            assert_eq!(looked.len(), 2, "call {call}: {disturbance:?}");
            assert_eq!(world.starts.runs().len(), 1, "call {call}: {disturbance:?}");
            cases += 1;
        }
    }
    assert_eq!(cases, 72);
}

#[tokio::test(start_paused = true)]
async fn no_fault_loses_what_waited_for_another_run() {
    for call in 0..16 {
        for &disturbance in Disturbance::MATRIX {
            let world = World::new();
            world.take(&[event("data/first", 1)]).await.unwrap();
            for number in 2..5 {
                world
                    .take(&[event(&format!("data/{number}"), number)])
                    .await
                    .unwrap();
            }
            let [first] = world.running().try_into().unwrap();
            world.end(&first, crate::world::RunEnd::Planned).await;
            let before = world.script.calls().len();
            world.script.disturb(before + call, disturbance);
            disturbed(&world, &[run_ended()]).await;
            let looked = world.settle().await;
            assert_eq!(looked.len(), 3, "call {call}: {disturbance:?}");
        }
    }
}

/// Batches of random events, doubled and out of order, between runs that end in every way.
#[tokio::test(start_paused = true)]
async fn any_weather_ends_with_every_key_looked_at() {
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let world = World::new();
        let mut sent: Vec<Value> = Vec::new();
        let mut keys = std::collections::BTreeSet::new();
        let mut looked = std::collections::BTreeSet::new();
        for step in 0..30 {
            for _ in 0..random.usize(0..4) {
                let key = format!("data/{}", random.u8(0..9));
                sent.push(event(&key, step));
                looked.remove(&key);
                keys.insert(key);
            }
            random.shuffle(&mut sent);
            let taken: Vec<Value> = sent.iter().take(random.usize(0..6)).cloned().collect();
            let call = world.script.calls().len() + random.usize(0..40);
            let matrix = Disturbance::MATRIX;
            world
                .script
                .disturb(call, matrix[random.usize(0..matrix.len())]);
            disturbed(&world, &taken).await;
            assert!(world.running().len() <= 1, "seed {seed}");
            for run_id in world.running() {
                let how = match random.u8(0..6) {
                    0 => crate::world::RunEnd::Overlapped,
                    1 | 2 => crate::world::RunEnd::Planned,
                    _ => continue,
                };
                looked.extend(world.end(&run_id, how).await);
            }
        }
        world.take(&sent).await.unwrap();
        looked.extend(world.settle().await.into_keys());
        assert_eq!(looked, keys, "seed {seed}");
    }
}

#[tokio::test]
async fn a_ledger_that_says_nothing_of_the_holder_is_no_reason_to_start() {
    let world = World::new();
    world.take(&[event("data/a", 1)]).await.unwrap();
    let [run_id] = world.running().try_into().unwrap();
    let lock = world
        .ledger
        .read_lock(&crate::world::locked())
        .await
        .unwrap()
        .unwrap();
    world
        .executions
        .set(&lock.execution_arn, ExecutionState::Running);
    world.take(&[event("data/b", 1)]).await.unwrap();
    assert_eq!(world.running(), [run_id]);
}
