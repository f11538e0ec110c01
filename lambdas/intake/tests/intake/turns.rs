//! A run that no event started gets its turn, however steady the stream of events is.

use std::{sync::Arc, time::Duration};

use shardlift_core::{
    port::{Clock, ExecutionState, Ledger, PutOutcome},
    run::lock::{LockRecord, LockState},
    value::id::RunId,
};
use shardlift_lock::{Taken, TargetLock};
use tokio::time::sleep;

use crate::world::{RunEnd, World, event, locked, machine, run_ended};

const SEEDS: u64 = 40;

/// Events without a pause, runs over them, and the end of each run, of which the intake hears at once.
async fn stream(world: Arc<World>, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut sequencer = 0;
    loop {
        sequencer += 1;
        let key = format!("data/{}", rng.u8(0..9));
        world.take(&[event(&key, sequencer)]).await.unwrap();
        sleep(Duration::from_millis(rng.u64(1..80))).await;
        let running = world.running();
        assert!(running.len() <= 1, "one run at a time");
        if let [run] = &running[..]
            && rng.u8(0..20) == 0
        {
            world.end(run, RunEnd::Planned).await;
            world.take(&[run_ended()]).await.unwrap();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_waits_for_two_runs_of_events_at_most() {
    let mut waited = 0;
    for seed in 0..SEEDS {
        let world = Arc::new(World::new());
        let events = tokio::spawn(stream(Arc::clone(&world), seed));
        sleep(Duration::from_millis(5_000 + seed * 37)).await;
        let before = world.starts.runs().len();
        let run_id = RunId::new("nightly").unwrap();
        let execution = machine().execution(&run_id);
        world.executions.set(&execution, ExecutionState::Running);
        let locked = locked();
        let lock = TargetLock {
            ledger: &world.ledger,
            executions: &world.executions,
            locked: &locked,
            run_id: &run_id,
            execution_arn: &execution,
            now: world.clock.now(),
        };
        let taken = lock.take().await.unwrap();
        assert!(matches!(taken, Taken::Held(..)), "seed {seed}: {taken:?}");
        let began = world.starts.runs().len() - before;
        assert!(
            began <= 1,
            "seed {seed}: {began} runs of events began before it"
        );
        waited += began;
        // While it runs, and after it, everything is as ever.
        sleep(Duration::from_secs(3)).await;
        assert_eq!(world.running(), []);
        world.ledger.delete_lock(&locked, &run_id).await.unwrap();
        world.executions.set(&execution, ExecutionState::Ended);
        sleep(Duration::from_secs(3)).await;
        assert!(world.starts.runs().len() > before + began, "seed {seed}");
        events.abort();
        assert!(
            events.await.is_err_and(|end| end.is_cancelled()),
            "seed {seed}"
        );
    }
    println!("{SEEDS} seeds: {waited} runs of events began before the waiting run");
}

/// The turn of a run whose execution is in this state.
async fn turn(world: &World, state: ExecutionState) -> LockRecord {
    let run_id = RunId::new("nightly").unwrap();
    let execution_arn = machine().execution(&run_id);
    world.executions.set(&execution_arn, state);
    let turn = LockRecord {
        schema_version: 1,
        locked: locked(),
        run_id,
        execution_arn,
        state: LockState::Waiting,
        revision: 1,
    };
    let created = world.ledger.create_lock(&turn).await.unwrap();
    assert_eq!(created, PutOutcome::Written);
    turn
}

#[tokio::test(start_paused = true)]
async fn no_run_of_events_begins_while_another_run_waits() {
    let world = World::new();
    let turn = turn(&world, ExecutionState::Running).await;
    world.take(&[event("data/a", 1)]).await.unwrap();
    assert_eq!(world.running(), []);
    let lock = world.ledger.read_lock(&locked()).await.unwrap().unwrap();
    assert_eq!(
        lock.state,
        LockState::GivenUp,
        "the waiting run finds it free"
    );
    // It ends without a word.
    world
        .executions
        .set(&turn.execution_arn, ExecutionState::Ended);
    world.take(&[run_ended()]).await.unwrap();
    assert_eq!(world.settle().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_turn_of_a_run_that_has_ended_is_asked_about_once() {
    for state in [ExecutionState::Ended, ExecutionState::Unknown] {
        let world = World::new();
        let turn = turn(&world, state).await;
        world.take(&[event("data/a", 1)]).await.unwrap();
        assert_eq!(world.settle().await.len(), 1, "{state:?}");
        let records = world.ledger.read_locks(&locked().bucket).await.unwrap();
        let served = LockRecord {
            state: LockState::Served,
            revision: turn.revision + 1,
            ..turn
        };
        assert_eq!(records, [served], "{state:?}");
    }
}
