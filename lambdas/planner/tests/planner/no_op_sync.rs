//! What a sync costs that finds a million objects the same: the listings of its plan, through the
//! production adapter, counted by the S3 model. docs/COST.md quotes the figures; `--nocapture` prints them.

use std::{collections::BTreeMap, time::Duration};

use crate::s3_world::World;
use serde_json::json;
use shardlift_aws::{AwsAccounts, SystemClock, retry::RetriedByCaller};
use shardlift_core::{
    access::ceilings::Ceilings,
    documents::control_key,
    plan::ShardBounds,
    port::Clock as _,
    report::{Report, Verdict},
    run::{
        event::{self, PlannerEvent, PlannerStatus, ReporterEvent, ReporterStatus},
        input::RunInput,
    },
    value::{deadline::Deadline, id::RunId},
};
use shardlift_planner::{Planner, PlannerSettings, SortBounds};
use shardlift_reporter::Reporter;
use shardlift_s3_model::{BucketSpec, KeySpaceSpec, Latency, Operation, Shape, Weather};
use shardlift_testkit::{
    CallScript, MemoryControlStore, MemoryExecutions, MemoryLedger, MemoryListFiles,
    RecordingNotifier, ceilings_around, widest_ceilings,
};

const OBJECTS: u64 = 1_000_000;
const RUN: &str = "nightly-1";
const EXECUTION: &str = "arn:aws:states:us-east-1:111111111111:execution:shardlift:nightly-1";

/// The buckets over S3, everything else in memory.
enum S3Ports {}

impl shardlift_planner::Ports for S3Ports {
    type Accounts = AwsAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Lists = MemoryListFiles;
    type Executions = MemoryExecutions;
    type Clock = SystemClock;
}

impl shardlift_reporter::Ports for S3Ports {
    type Accounts = AwsAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Notifier = RecordingNotifier;
    type Clock = SystemClock;
}

#[tokio::test]
async fn a_sync_of_a_million_equal_objects_costs_less_than_two_cents() {
    let s3 = buckets().await;
    let ledger = MemoryLedger::new(CallScript::default());
    let control = MemoryControlStore::new(
        "control-bucket".to_owned().try_into().unwrap(),
        CallScript::default(),
    );
    plan(&s3, &ledger, &control).await;
    let planning = s3.model.counters().requests_of(Operation::ListObjectsV2);
    let report = report(&s3, &ledger, &control).await;
    let all = s3.model.counters().requests_of(Operation::ListObjectsV2);

    assert_eq!(report.verdict, Verdict::Complete, "{:?}", report.problem);
    assert_eq!(
        (report.planned.objects, report.skipped.count.objects),
        (0, OBJECTS)
    );
    let cost = &report.cost_usd;
    let verification = all - planning;
    println!(
        "LIST requests: {planning} to plan, {verification} to verify; {:.4} USD in all: {:?}",
        cost.counted, cost.requests
    );
    let counted = cost.requests["s3:ListObjectsV2"];
    assert!(
        (counted..counted + 5).contains(&all),
        "the run counts {counted} of {all}: all but those of the permission checks"
    );
    // A page has 1,000 keys: 2,000 pages, a last page of each range on each side, and what finds the split points of the
    // plan: 600 requests, and what the searches under way then take beyond their estimate. 2,666 to 2,691 were seen.
    // Nothing is written since, so the plan's listing of the target proves it.
    assert!((2_000..3_200).contains(&planning), "{planning}");
    assert_eq!(verification, 0);
    let usd = cost.counted;
    assert!((0.01..0.0165).contains(&usd), "{usd}");
}

/// Both sides with the same million keys, at the latency of S3.
async fn buckets() -> World {
    let s3 = World::new().await;
    let keys = KeySpaceSpec::new(Shape::Uuid {}, OBJECTS);
    let source = BucketSpec::new("source-bucket")
        .owner(crate::s3_world::OWN_ACCOUNT)
        .region(crate::s3_world::HOME_REGION)
        .policy(crate::s3_world::source_policy("source-bucket"))
        .key_space(keys.clone());
    let target = BucketSpec::new("target-bucket")
        .owner(crate::s3_world::TARGET_ACCOUNT)
        .region(crate::s3_world::TARGET_REGION)
        .key_space(keys);
    for bucket in [source, target] {
        s3.model.create_bucket(bucket).unwrap();
    }
    let latency = Latency {
        base_ms: 40.0,
        ..Latency::default()
    };
    s3.model.set_weather(Weather {
        latency: BTreeMap::from([(Operation::ListObjectsV2, latency)]),
        ..Weather::default()
    });
    s3
}

fn deadline() -> Deadline {
    let now = SystemClock.now();
    Deadline::new(now, now.plus(Duration::from_secs(900)))
}

async fn accounts(s3: &World, retried: RetriedByCaller) -> AwsAccounts {
    let config = crate::s3_world::config(&s3.sts).await;
    AwsAccounts::retried_by_caller(&config, Some(s3.endpoint_url()), retried)
}

async fn plan(s3: &World, ledger: &MemoryLedger, control: &MemoryControlStore) {
    let target = crate::s3_world::target();
    let defaults = json!({
        "source": {"bucket": "source-bucket"}, "compare": "size",
        "target": {
            "bucket": "target-bucket", "role_arn": target.role_arn, "external_id": target.external_id,
        },
    });
    let run_defaults = RunInput::parse(&defaults).unwrap();
    let planner: Planner<S3Ports> = Planner {
        accounts: accounts(s3, RetriedByCaller::Listings).await,
        ledger: ledger.clone(),
        control: control.clone(),
        lists: MemoryListFiles::new(CallScript::default()),
        executions: MemoryExecutions::default(),
        clock: SystemClock,
        settings: PlannerSettings {
            function_roles: Vec::new(),
            ceilings: Ceilings::new(&run_defaults, widest_ceilings()),
            run_defaults,
            max_concurrency: 64,
            writes_per_second_max: None,
            ledger_ttl_days: 30,
            copier_memory_mb: 256,
            renderer_memory_mb: 2_048,
            shard_bounds: ShardBounds::default(),
            sort_bounds: SortBounds::default(),
            listers_max: 32,
        },
    };
    let event: PlannerEvent = event::parse_value(&json!({
        "schema_version": 1, "run_id": RUN, "started_at": SystemClock.now().to_string(),
        "execution_arn": EXECUTION, "input": {},
    }))
    .unwrap();
    let planned = planner.plan(&event, deadline()).await.unwrap();
    assert_eq!(planned.status, PlannerStatus::Report);
}

async fn report(s3: &World, ledger: &MemoryLedger, control: &MemoryControlStore) -> Report {
    let run_id = RunId::new(RUN).unwrap();
    let run = ledger.run(&run_id).unwrap();
    let reporter: Reporter<S3Ports> = Reporter {
        ceilings: Ok(ceilings_around(&run.spec)),
        accounts: accounts(s3, RetriedByCaller::Nothing).await,
        ledger: ledger.clone(),
        control: control.clone(),
        notifier: RecordingNotifier::new(CallScript::default()),
        clock: SystemClock,
        max_concurrency: 64,
    };
    let event = ReporterEvent {
        schema_version: 1,
        run_id: run_id.clone(),
        execution_arn: run.execution_arn,
        started_at: run.started_at,
        input: json!({}).into(),
        round: 1,
        problem: None,
    };
    let result = reporter.report(&event, deadline()).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Complete, "{result:?}");
    let key = control_key::report_document(&run_id, "report.json");
    serde_json::from_slice(&control.body(&key).unwrap()).unwrap()
}
