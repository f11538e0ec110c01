//! Intakes, runs of events and a nightly run at once. Each call of each of them takes a while that a seed decides, and may
//! fail, lose its response or be the last one of its process, so that every order of their calls comes up.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use shardlift_core::{
    failure::fault::FaultKind,
    port::{Clock, EventLists, ExecutionState, Ledger},
    value::id::RunId,
};
use shardlift_lock::{Taken, TargetLock};
use shardlift_testkit::{CallEnd, CallFate, CallScript, CallWeather};
use tokio::time::{Instant, sleep};

use crate::world::{World, batch, event, locked, machine, run_ended};

const SEEDS: u64 = 60;
/// Longer than any wait of a process that lives.
const LIFETIME: Duration = Duration::from_secs(60);
/// As in the template, only shorter.
const COMES_AGAIN_AFTER: Duration = Duration::from_secs(6);
const DELIVERIES_MAX: u32 = 5;

/// What the calls of one process meet.
struct Chance {
    rng: Mutex<fastrand::Rng>,
    /// In thousandths of calls.
    faults: u32,
}

impl CallWeather for Chance {
    fn fate(&self, _operation: &'static str) -> CallFate {
        let mut rng = self.rng.lock().unwrap();
        let millis = |rng: &mut fastrand::Rng| {
            let longest = if rng.u8(0..12) == 0 { 6_000 } else { 60 };
            Duration::from_millis(rng.u64(0..longest))
        };
        let (before, after) = (millis(&mut rng), millis(&mut rng));
        let is_disturbed = rng.u32(0..1_000) < self.faults;
        let end = match (is_disturbed, rng.bool()) {
            (false, _) => CallEnd::Response,
            (true, true) => CallEnd::Killed,
            (true, false) => CallEnd::Fault(FaultKind::ServiceError),
        };
        CallFate {
            before,
            takes_effect: !is_disturbed || rng.bool(),
            after,
            end,
        }
    }

    fn after_effect(&self, _operation: &'static str, _fault: Option<FaultKind>) {}
}

/// What was seen.
#[derive(Default)]
struct Seen {
    violations: Vec<String>,
    /// Who writes at the target.
    acting: Option<String>,
    /// When a run last looked at a key.
    looked: BTreeMap<String, Instant>,
    /// When the last event of a key was.
    events: BTreeMap<String, Instant>,
    played: BTreeSet<RunId>,
    repeated: u32,
}

/// One story.
struct Stage {
    world: World,
    seed: u64,
    seen: Mutex<Seen>,
}

impl Stage {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    fn rng(&self, about: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ about)
    }

    fn script(&self, about: u64, faults: u32) -> CallScript {
        let script = CallScript::default();
        let rng = Mutex::new(self.rng(about));
        script.govern(Arc::new(Chance { rng, faults }));
        script
    }

    /// One invocation of an intake; whether it ended well.
    async fn take(&self, messages: &[Value], about: u64, faults: u32) -> bool {
        let script = self.script(about, faults);
        let mut intake = self.world.intake();
        intake.ledger = intake.ledger.through(script.clone());
        intake.control = intake.control.through(script.clone());
        intake.executions = intake.executions.through(script.clone());
        intake.starts = intake.starts.through(script);
        let taken = tokio::time::timeout(LIFETIME, intake.take(batch(messages))).await;
        matches!(taken, Ok(Ok(_)))
    }

    /// A batch, which comes again until it is taken, and may come again after that.
    async fn deliver(&self, number: u64) {
        let mut rng = self.rng(1_000 + number);
        sleep(Duration::from_millis(rng.u64(0..25_000))).await;
        let keys = [rng.u64(0..3), 3 + number];
        let messages =
            keys.map(|key| event(&format!("data/{key}"), u32::try_from(number).unwrap()));
        for key in keys {
            let now = Instant::now();
            self.seen().events.insert(format!("data/{key}"), now);
        }
        let mut deliveries = 0;
        loop {
            deliveries += 1;
            let faults = if deliveries < DELIVERIES_MAX { 60 } else { 0 };
            let about = number * 100 + u64::from(deliveries);
            let is_taken = self.take(&messages, about, faults).await;
            if is_taken && (deliveries >= DELIVERIES_MAX || rng.bool()) {
                break;
            }
            self.seen().repeated += 1;
            sleep(COMES_AGAIN_AFTER.mul_f64(2.0 * rng.f64())).await;
        }
    }

    fn begin_to_act(&self, who: &str) {
        let before = self.seen().acting.replace(who.to_owned());
        if let Some(other) = before {
            let text = format!("{who} writes while {other} does");
            self.seen().violations.push(text);
        }
    }

    async fn lock(&self, run_id: &RunId, about: u64) -> bool {
        let script = self.script(about, 0);
        let (ledger, executions) = (
            self.world.ledger.through(script.clone()),
            self.world.executions.through(script),
        );
        let (locked, execution) = (locked(), machine().execution(run_id));
        let lock = TargetLock {
            ledger: &ledger,
            executions: &executions,
            locked: &locked,
            run_id,
            execution_arn: &execution,
            now: self.world.clock.now(),
        };
        lock.is_held().await.unwrap()
            || matches!(
                lock.take().await,
                Ok(Taken::Held(..) | Taken::HeldAlready(_))
            )
    }

    /// A run of events: what its planner and its reporter do about its lists and the lock.
    async fn play_run(&self, run_id: &RunId) {
        let mut rng = self.rng(run_id.as_str().bytes().map(u64::from).sum());
        let input = self.world.input(run_id);
        let key = input.source.list.unwrap().key;
        sleep(Duration::from_millis(rng.u64(0..500))).await;
        if !self.lock(run_id, rng.u64(..)).await {
            self.world.starts.end(run_id, false);
            return;
        }
        self.begin_to_act(run_id.as_str());
        let look_at = Instant::now();
        let list = self.world.control.body(key.as_str());
        sleep(Duration::from_millis(rng.u64(0..3_000))).await;
        let again = self.world.control.body(key.as_str());
        if list.is_none() || list != again {
            let text = format!("{run_id}: its list {key} is gone, or another one");
            self.seen().violations.push(text);
        }
        sleep(Duration::from_millis(rng.u64(0..3_000))).await;
        let is_good = rng.u8(0..5) > 0 && list.is_some();
        let lists = input.events.unwrap().lists;
        if is_good {
            for looked in list.iter().flat_map(|list| keys_of(list)) {
                self.seen().looked.insert(looked, look_at);
            }
            for name in &lists {
                sleep(Duration::from_millis(rng.u64(0..50))).await;
                self.world
                    .control
                    .remove_waiting(&name.key())
                    .await
                    .unwrap();
            }
        }
        self.seen().acting = None;
        self.world
            .ledger
            .delete_lock(&locked(), run_id)
            .await
            .unwrap();
        sleep(Duration::from_millis(rng.u64(0..200))).await;
        self.world.starts.end(run_id, is_good);
        let (wake, late_by) = (rng.u64(..), Duration::from_millis(rng.u64(0..20_000)));
        let is_late = is_good && rng.u8(0..4) == 0;
        let wakes = async { self.take(&[run_ended()], wake, 0).await };
        let late = async {
            // A reporter that was given up still works.
            if is_late {
                sleep(late_by).await;
                for name in &lists {
                    self.world
                        .control
                        .remove_waiting(&name.key())
                        .await
                        .unwrap();
                }
            }
        };
        tokio::join!(wakes, late);
    }

    /// A run that no event started.
    async fn nightly(&self) {
        let mut rng = self.rng(7);
        sleep(Duration::from_millis(rng.u64(0..20_000))).await;
        let run_id = RunId::new("nightly").unwrap();
        let execution = machine().execution(&run_id);
        self.world
            .executions
            .set(&execution, ExecutionState::Running);
        if self.lock(&run_id, rng.u64(..)).await {
            self.begin_to_act("nightly");
            sleep(Duration::from_millis(rng.u64(0..9_000))).await;
            self.seen().acting = None;
            self.world
                .ledger
                .delete_lock(&locked(), &run_id)
                .await
                .unwrap();
        }
        self.world.executions.set(&execution, ExecutionState::Ended);
        self.take(&[run_ended()], rng.u64(..), 0).await;
    }
}

fn keys_of(list: &[u8]) -> Vec<String> {
    let lines = list
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    let key = |line| -> Value { serde_json::from_slice::<Value>(line).unwrap()["key"].take() };
    lines
        .map(|line| key(line).as_str().unwrap().to_owned())
        .collect()
}

async fn play(seed: u64) -> Stage {
    let stage = Arc::new(Stage {
        world: World::new(),
        seed,
        seen: Mutex::default(),
    });
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..4 {
        let stage = Arc::clone(&stage);
        tasks.spawn(async move { stage.deliver(number).await });
    }
    let nightly = Arc::clone(&stage);
    tasks.spawn(async move { nightly.nightly().await });
    // The clock wakes, too, at last often enough for all that waits.
    let wakes = Arc::clone(&stage);
    tasks.spawn(async move {
        for number in 0..9 {
            sleep(Duration::from_secs(20)).await;
            wakes.take(&[run_ended()], 90_000 + number, 0).await;
        }
    });
    loop {
        tokio::select! {
            () = sleep(Duration::from_millis(250)) => {}
            ended = tasks.join_next() => match ended {
                Some(ended) => ended.unwrap(),
                None => break,
            },
        }
        for run_id in stage.world.running() {
            if stage.seen().played.insert(run_id.clone()) {
                let stage = Arc::clone(&stage);
                tasks.spawn(async move { stage.play_run(&run_id).await });
            }
        }
    }
    Arc::into_inner(stage).unwrap()
}

#[tokio::test(start_paused = true)]
async fn however_intakes_and_runs_interleave_no_list_is_taken_from_a_run_and_none_is_lost() {
    let (mut runs, mut repeated) = (0, 0);
    for seed in (0..SEEDS).chain(985..995) {
        let stage = play(seed).await;
        let left = stage.world.control.waiting().await.unwrap();
        let seen = stage.seen();
        assert_eq!(seen.violations, Vec::<String>::new(), "seed {seed}");
        assert_eq!(left, [], "seed {seed}");
        for (key, at) in &seen.events {
            let looked = seen.looked.get(key);
            assert!(
                looked.is_some_and(|looked| looked >= at),
                "seed {seed}: {key}"
            );
        }
        runs += seen.played.len();
        repeated += seen.repeated;
    }
    println!("{SEEDS} seeds: {runs} runs, {repeated} batches came again");
    assert!(runs > 60 && repeated > 60, "{runs} {repeated}");
}
