//! The planner over the real S3 adapter, with faults injected by the S3 model's weather, and killed at any call of S3 or of
//! the ledger. Whatever happens, the next invocations complete the plan of an undisturbed run.
//! `cargo test --release --workspace --test planner bad_weather:: -- --nocapture` prints how much happened.

mod kill_switch;

use std::time::{Duration, Instant};

use self::kill_switch::{KillSwitch, KillableClient};
use crate::s3_ports::S3Ports;
use crate::s3_world::World;
use crate::world::{WrittenPlan, event, noon};
use aws_sdk_s3::config::SharedHttpClient;
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use shardlift_aws::{AwsAccounts, retry::RetriedByCaller};
use shardlift_core::{
    access::ceilings::Ceilings,
    failure::Failure,
    plan::ShardBounds,
    run::{event, input::RunInput},
    value::deadline::Deadline,
};
use shardlift_planner::{Planner, PlannerSettings, SortBounds};
use shardlift_s3_model::{
    BucketSpec, ErrorCode, Fault, KeySpaceSpec, Operation, Rule, Shape, Weather,
};
use shardlift_testkit::{
    CallScript, Disturbance, ManualClock, MemoryControlStore, MemoryExecutions, MemoryLedger,
    MemoryListFiles, widest_ceilings,
};

const SEEDS: u64 = 100;
/// Seeds at once, since most of their time is backoff.
const SEEDS_AT_ONCE: usize = 24;
/// Disturbed invocations per seed, before the weather clears.
const INVOCATIONS: usize = 4;

type Random = fastrand::Rng;

/// What happened.
#[derive(Debug, Default, Clone, Copy)]
struct Totals {
    kills_at_s3: u64,
    kills_at_ledger: u64,
    failed_invocations: u64,
    faults: u64,
    splits: u64,
}

/// Everything that outlives an invocation.
struct Stage {
    s3: World,
    kill_switch: KillSwitch,
    accounts: AwsAccounts,
    ledger: MemoryLedger,
    control: MemoryControlStore,
    script: CallScript,
}

impl Stage {
    /// The buckets of a seed: of the source's objects the target lacks some, holds some in another size, and has some
    /// more.
    async fn new(seed: u64) -> Self {
        let s3 = World::new().await;
        let objects = Random::with_seed(seed).u64(10_000..16_000);
        let keys = KeySpaceSpec::new(Shape::Uuid {}, objects).seed(seed);
        let buckets = [
            BucketSpec::new("source-bucket")
                .owner(crate::s3_world::OWN_ACCOUNT)
                .region(crate::s3_world::HOME_REGION)
                .policy(crate::s3_world::source_policy("source-bucket"))
                .key_space(keys.clone().missing_every(7)),
            BucketSpec::new("target-bucket")
                .owner(crate::s3_world::TARGET_ACCOUNT)
                .region(crate::s3_world::TARGET_REGION)
                .key_space(keys.missing_every(11).differing_every(13)),
        ];
        for bucket in buckets {
            s3.model.create_bucket(bucket).unwrap();
        }
        let kill_switch = KillSwitch::default();
        let client = KillableClient::new(s3.sts.http_client(), kill_switch.clone());
        let config = crate::s3_world::config(&s3.sts).await.into_builder();
        let config = config.http_client(SharedHttpClient::new(client)).build();
        let script = CallScript::default();
        let control = "control-bucket".to_owned().try_into().unwrap();
        Self {
            accounts: AwsAccounts::retried_by_caller(
                &config,
                Some(s3.endpoint_url()),
                RetriedByCaller::Listings,
            ),
            s3,
            kill_switch,
            ledger: MemoryLedger::new(script.clone()),
            control: MemoryControlStore::new(control, script.clone()),
            script,
        }
    }

    /// One invocation of 15 minutes, each look at the clock `step` later than the one before.
    async fn invoke(&self, step: Duration) -> Result<Value, Failure> {
        let target = crate::s3_world::target();
        let defaults = json!({
            "source": {"bucket": "source-bucket", "prefix": ""},
            "target": {
                "bucket": "target-bucket", "prefix": "", "role_arn": target.role_arn, "external_id": target.external_id,
            },
        });
        let run_defaults = RunInput::parse(&defaults).unwrap();
        let planner: Planner<S3Ports> = Planner {
            accounts: self.accounts.clone(),
            ledger: self.ledger.clone(),
            control: self.control.clone(),
            lists: MemoryListFiles::new(self.script.clone()),
            executions: MemoryExecutions::new(self.script.clone()),
            clock: ManualClock::stepping(noon(), step),
            settings: PlannerSettings {
                function_roles: Vec::new(),
                ceilings: Ceilings::new(&run_defaults, widest_ceilings()),
                run_defaults,
                max_concurrency: 7,
                writes_per_second_max: None,
                ledger_ttl_days: 30,
                copier_memory_mb: 256,
                renderer_memory_mb: 2_048,
                sort_bounds: SortBounds::default(),
                shard_bounds: ShardBounds {
                    objects_max: 100,
                    ..ShardBounds::default()
                },
                listers_max: 8,
            },
        };
        let deadline = Deadline::new(noon(), noon().plus(Duration::from_secs(900)));
        let input = json!({"mode": "mirror", "compare": "size", "delete_max_percent": 100});
        let event = event::parse_value(&event(&input))?;
        let result = planner.plan(&event, deadline).await?;
        Ok(serde_json::to_value(result).unwrap())
    }

    /// The plan, after as many invocations as it takes, as the state machine makes them.
    async fn plan(&self) -> WrittenPlan {
        for _ in 0..50 {
            match self.invoke(Duration::ZERO).await {
                Ok(result) if result["status"] == "CONTINUE" => {}
                Ok(result) => {
                    assert_eq!(result["status"], "COPY");
                    return WrittenPlan::of(&self.ledger, &self.control);
                }
                Err(failure) => panic!("in good weather: {failure}"),
            }
        }
        panic!("the plan never ends")
    }

    /// One invocation in bad weather, which may be killed anywhere.
    async fn invoke_disturbed(&self, random: &mut Random, totals: &mut Totals) {
        self.s3.model.set_weather(bad_weather(random));
        self.script.clear();
        if random.bool() {
            let kind = Disturbance::MATRIX[random.usize(..Disturbance::MATRIX.len())];
            self.script.disturb(random.usize(..20), kind);
        }
        self.kill_switch.kill_at(random.u64(..60), random.bool());
        let step = Duration::from_secs(random.u64(..2) * random.u64(..40));
        tokio::select! {
            biased;
            () = self.kill_switch.killed() => totals.kills_at_s3 += 1,
            () = self.script.killed() => totals.kills_at_ledger += 1,
            end = self.invoke(step) => if let Err(failure) = end {
                let may_pass = ["Throttled", "ServiceFault", "ListingIncomplete"];
                assert!(may_pass.contains(&failure.code.name()), "{failure}");
                totals.failed_invocations += 1;
            }
        }
        totals.faults += self.s3.model.faults_fired().iter().sum::<u64>();
    }

    fn calm(&self) {
        self.s3.model.set_weather(Weather::default());
        self.script.clear();
        self.kill_switch.reset();
    }
}

/// Each kind of fault hits a share of all requests; every page that is cut off, and every refusal, is one that a
/// listing meets at S3.
fn bad_weather(random: &mut Random) -> Weather {
    let refuse = |code| Fault::Refuse {
        code,
        happened: false,
    };
    let faults = [
        refuse(ErrorCode::SlowDown),
        refuse(ErrorCode::InternalError),
        Fault::Reset { happened: true },
        Fault::CutBody {
            share: random.f64(),
            well_framed: random.bool(),
        },
        Fault::Delay {
            ms: random.u64(1..100),
        },
    ];
    let rules = faults.into_iter().map(|fault| {
        let rule = Rule::new(fault).share(random.f64() * 0.1);
        rule.operations(&[Operation::ListObjectsV2, Operation::HeadObject])
    });
    let rules = rules.collect();
    Weather {
        seed: random.u64(..),
        rules,
        ..Weather::default()
    }
}

/// A seed's disturbed plan, compared with its uncut one.
async fn live_through(seed: u64) -> Totals {
    let uncut = Stage::new(seed).await.plan().await;
    let stage = Stage::new(seed).await;
    let mut random = Random::with_seed(!seed);
    let mut totals = Totals::default();
    for _ in 0..INVOCATIONS {
        stage.invoke_disturbed(&mut random, &mut totals).await;
    }
    stage.calm();
    let plan = stage.plan().await;
    assert_eq!(plan.tally, uncut.tally, "seed {seed}");
    assert!(
        plan.content() == uncut.content(),
        "seed {seed}: other objects are planned"
    );
    assert!(
        !plan.copies.is_empty() && !plan.deletes.is_empty(),
        "seed {seed}"
    );
    totals.splits = plan.ranges as u64 - 1;
    totals
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_seeds_of_kills_and_weather_at_s3_end_with_the_uncut_plan() {
    let began = Instant::now();
    let all: Vec<Totals> = stream::iter(0..SEEDS)
        .map(|seed| async move { tokio::spawn(live_through(seed)).await.unwrap() })
        .buffer_unordered(SEEDS_AT_ONCE)
        .collect()
        .await;
    let sum = |of: fn(&Totals) -> u64| all.iter().map(of).sum::<u64>();
    let kills_at_s3 = sum(|totals| totals.kills_at_s3);
    let kills_at_ledger = sum(|totals| totals.kills_at_ledger);
    let failed = sum(|totals| totals.failed_invocations);
    let (faults, splits) = (sum(|totals| totals.faults), sum(|totals| totals.splits));
    println!(
        "{} seeds in {:.1} s: {} invocations disturbed, {kills_at_s3} killed at a call of S3, {kills_at_ledger} at one of the \
         ledger, {failed} failed; {faults} faults of the weather; {splits} splits",
        all.len(),
        began.elapsed().as_secs_f64(),
        all.len() * INVOCATIONS,
    );
    assert_eq!(all.len() as u64, SEEDS);
    assert!(kills_at_s3 >= SEEDS, "{kills_at_s3} kills at S3");
    assert!(
        kills_at_ledger >= SEEDS / 10,
        "{kills_at_ledger} kills at the ledger"
    );
    assert!(faults >= 5 * SEEDS, "{faults} faults");
    assert!(splits > 0, "no range was split");
}
