//! Settles and reports a run of ten million objects, and prints the time and the peak of memory.
//!
//! `cargo run --release -p shardlift-reporter --example ten_million -- failed`: every object failed. `few`: three of each
//! shard's 10,000 did. `relist`: none did, and the target is listed again at `DATA_S3_ENDPOINT_URL`, in the bucket
//! `target`, whose keys begin with two hexadecimal digits. What the run vouches for is listed before the measurement begins. The SDK reads credentials, Region and
//! `AWS_ENDPOINT_URL_STS` from the environment.
//!
//! The ledger is in memory. Failure lists are generated when they are read, and the documents are counted and thrown
//! away, so that the memory is the reporter's own.

#![expect(
    clippy::unwrap_used,
    reason = "a measurement that cannot be set up has failed"
)]

mod target_sum;

use std::{
    io::Write as _,
    marker::PhantomData,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use shardlift_aws::{AwsAccounts, SystemClock, clients};
use shardlift_core::{
    documents::failure_list::{self, FailedObject},
    failure::{FailureCode, fault::CallFault},
    plan::range::{KeyRange, RangeRecord, RangeState},
    port::{
        Accounts, Clock, ControlStore, ControlWriter, EventLists, Ledger, PlanStep, PutOutcome,
        StoredEventList,
    },
    run::{
        event::{ReporterEvent, ReporterStatus},
        input::RunInput,
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{ShardRecord, ShardState, ShardWork},
    value::{
        arn::{AccountId, ExecutionArn, Region},
        bucket::BucketName,
        deadline::Deadline,
        id::{RangeId, RunId, ShardId},
        key::ObjectKey,
        set_sum::SetSum,
        tally::Count,
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};
use shardlift_reporter::{Ports, Reporter};
use shardlift_testkit::{
    CallScript, MemoryAccounts, MemoryBuckets, MemoryLedger, RecordingNotifier, ceilings_around,
};

use target_sum::{RANGES, bound, sum_of_target};

const SHARDS: u32 = 1_000;
const OBJECTS_PER_SHARD: u32 = 10_000;

/// What became of the run before it is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    Failed,
    Few,
    Relist,
}

impl Scenario {
    fn named(word: &str) -> Option<Self> {
        Some(match word {
            "failed" => Self::Failed,
            "few" => Self::Few,
            "relist" => Self::Relist,
            _ => return None,
        })
    }

    /// How many objects of a shard failed: the first ones.
    fn failed_per_shard(self) -> u32 {
        match self {
            Self::Failed => OBJECTS_PER_SHARD,
            Self::Few => 3,
            Self::Relist => 0,
        }
    }

    fn verify(self) -> &'static str {
        match self {
            Self::Failed | Self::Few => "none",
            Self::Relist => "relist",
        }
    }
}

/// A control bucket that generates failure lists, keeps the progress of the proof, and counts what is written.
#[derive(Clone)]
struct GeneratedControl {
    bucket: BucketName,
    scenario: Scenario,
    proof: Arc<Mutex<Option<Vec<u8>>>>,
    written_bytes: Arc<AtomicU64>,
}

impl EventLists for GeneratedControl {
    async fn waiting(&self) -> Result<Vec<StoredEventList>, CallFault> {
        Ok(Vec::new())
    }

    async fn remove_waiting(&self, _key: &str) -> Result<(), CallFault> {
        Ok(())
    }
}

impl ControlStore for GeneratedControl {
    type Writer = Self;

    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn put(&self, key: &str, _content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        self.written_bytes
            .fetch_add(body.len() as u64, Ordering::Relaxed);
        if key.ends_with("/proof.json") {
            *self.proof.lock().unwrap() = Some(body);
        }
        Ok(())
    }

    fn open(&self, _key: &str, _content_type: &str) -> Self {
        self.clone()
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        if key.ends_with("/proof.json") {
            return Ok(self.proof.lock().unwrap().clone());
        }
        let list = key.contains("/failures/").then(|| {
            let shard = key.split('/').nth(3).unwrap_or_default();
            let objects: Vec<FailedObject> = (0..self.scenario.failed_per_shard())
                .map(|index| failed_object(shard, index))
                .collect();
            failure_list::encode(&objects).unwrap()
        });
        Ok(list)
    }
}

impl ControlWriter for GeneratedControl {
    async fn write(&mut self, bytes: &[u8]) -> Result<(), CallFault> {
        self.written_bytes
            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn finish(self) -> Result<(), CallFault> {
        Ok(())
    }

    async fn abandon(self) -> Result<(), CallFault> {
        Ok(())
    }
}

fn failed_object(shard: &str, index: u32) -> FailedObject {
    let key =
        format!("data/year=2026/month=11/day=21/shard={shard}/part-{index:08}.snappy.parquet");
    FailedObject {
        index,
        version_id: None,
        size: 4_096,
        code: FailureCode::AccessDenied,
        detail: format!(
            "arn:aws:sts::222222222222:assumed-role/ShardliftTarget/{shard}@night may not s3:GetObject on \
             arn:aws:s3:::source/{key}; it must be allowed by the source bucket's policy and by the target role's \
             permission policy. AWS said: s3:CopyObject failed: 403 AccessDenied (request id 4442587FB7D0A2F9)"
        ),
        key: ObjectKey::new(key).unwrap(),
    }
}

async fn add_shard(
    ledger: &MemoryLedger,
    run_id: &RunId,
    number: u32,
    (scenario, vouched): (Scenario, &SetSum),
) {
    let id = ShardId::new(format!("1-{number}")).unwrap();
    let planned = Count {
        objects: OBJECTS_PER_SHARD.into(),
        bytes: u64::from(OBJECTS_PER_SHARD) * 4_096,
    };
    let mut shard = ShardRecord::ready(run_id.clone(), id, ShardWork::CopyObjects, planned, 0);
    shard.state = ShardState::Done;
    shard.attempts = 1;
    let failed = scenario.failed_per_shard();
    let tally = &mut shard.outcome.tally;
    for index in 0..OBJECTS_PER_SHARD {
        shard.outcome.progress.settle(index);
        match index < failed {
            true => tally.failed.add_object(FailureCode::AccessDenied, 4_096),
            false => tally.copied.add_object(4_096),
        }
    }
    if number == 0 {
        // Which shard vouches for an object does not matter to the sum.
        shard.outcome.vouched = *vouched;
    }
    if failed > 0 {
        shard.outcome.failures_key = Some(format!("runs/night/failures/1-{number}/2.jsonl.zst"));
    }
    assert_eq!(
        ledger.create_shard(&shard).await.unwrap(),
        PutOutcome::Written
    );
}

/// The ranges of the plan: as many as one transaction takes. A planner of ten million even keys has some 180.
async fn add_ranges(ledger: &MemoryLedger, run_id: &RunId) {
    let new_ranges = (0..RANGES).map(|number| RangeRecord {
        schema_version: LEDGER_VERSION,
        run_id: run_id.clone(),
        range_id: RangeId::numbered(number),
        bounds: KeyRange {
            after: bound(number),
            until: bound(number + 1),
        },
        checkpoint: None,
        state: RangeState::Done,
        expires_at: 0,
        revision: 1,
    });
    let step = PlanStep {
        new_ranges: new_ranges.collect(),
        ..PlanStep::default()
    };
    assert_eq!(
        ledger.commit_plan(&step).await.unwrap(),
        PutOutcome::Written
    );
}

fn run_record(run_id: &RunId, execution: &ExecutionArn, scenario: Scenario) -> RunRecord {
    let input = serde_json::json!({
        "source": {"bucket": "source"}, "verify": scenario.verify(), "compare": "size",
        "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    });
    let facts = |owner| BucketFacts {
        region: Region::new("us-east-1").unwrap(),
        owner: AccountId::new(owner).unwrap(),
    };
    let objects = u64::from(SHARDS) * u64::from(OBJECTS_PER_SHARD);
    RunRecord {
        schema_version: LEDGER_VERSION,
        run_id: run_id.clone(),
        execution_arn: execution.clone(),
        started_at: Timestamp::from_millis(0),
        spec: RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap(),
        source: facts("111111111111"),
        target: facts("222222222222"),
        encryption: PairEncryption::default(),
        renditions_since: None,
        state: RunState::Planned,
        totals: PlanTotals {
            planned: Count {
                objects,
                bytes: objects * 4_096,
            },
            shards: SHARDS.into(),
            ..PlanTotals::default()
        },
        expires_at: 0,
        revision: 1,
    }
}

/// The most memory that this process ever held, as the kernel counts it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.trim_start_matches("VmHWM:").trim().to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let word = std::env::args().nth(1).unwrap_or_default();
    let scenario = Scenario::named(&word).expect("one of: failed, few, relist");
    match scenario {
        Scenario::Failed | Scenario::Few => {
            let buckets = MemoryBuckets::default();
            let script = CallScript::default();
            measure(
                scenario,
                MemoryAccounts::new(buckets, "111111111111", 1_000, script),
            )
            .await;
        }
        Scenario::Relist => {
            let endpoint = std::env::var("DATA_S3_ENDPOINT_URL").expect("DATA_S3_ENDPOINT_URL");
            let config = clients::sdk_config().await;
            let accounts = AwsAccounts::new(&config, Some(endpoint));
            measure(scenario, accounts).await;
        }
    }
}

/// The ports of a measurement, with real or imitated accounts.
struct MeasuredPorts<A>(PhantomData<A>);

impl<A: Accounts> Ports for MeasuredPorts<A> {
    type Accounts = A;
    type Ledger = MemoryLedger;
    type Control = GeneratedControl;
    type Notifier = RecordingNotifier;
    type Clock = SystemClock;
}

/// The ledger of the run once its copiers have ended.
async fn settled_ledger(run: &RunRecord, scenario: Scenario, vouched: &SetSum) -> MemoryLedger {
    let ledger = MemoryLedger::new(CallScript::default());
    for number in 0..SHARDS {
        add_shard(&ledger, &run.run_id, number, (scenario, vouched)).await;
    }
    add_ranges(&ledger, &run.run_id).await;
    assert_eq!(ledger.create_run(run).await.unwrap(), PutOutcome::Written);
    ledger.hold_lock_for(run);
    ledger
}

async fn measure(scenario: Scenario, accounts: impl Accounts) {
    let run_id = RunId::new("night").unwrap();
    let execution =
        ExecutionArn::new("arn:aws:states:us-east-1:111111111111:execution:machine:night").unwrap();
    let run = run_record(&run_id, &execution, scenario);
    let vouched = match scenario {
        Scenario::Failed | Scenario::Few => SetSum::default(),
        Scenario::Relist => sum_of_target(&accounts, &run).await,
    };
    let ledger = settled_ledger(&run, scenario, &vouched).await;
    let control = GeneratedControl {
        bucket: BucketName::new("control").unwrap(),
        scenario,
        proof: Arc::default(),
        written_bytes: Arc::default(),
    };
    let reporter: Reporter<MeasuredPorts<_>> = Reporter {
        accounts,
        ledger,
        control: control.clone(),
        notifier: RecordingNotifier::new(CallScript::default()),
        clock: SystemClock,
        ceilings: Ok(ceilings_around(&run.spec)),
        max_concurrency: 1,
    };
    let event = ReporterEvent {
        schema_version: 1,
        run_id,
        execution_arn: execution,
        started_at: Timestamp::from_millis(0),
        input: serde_json::json!({}).into(),
        round: 3,
        problem: None,
    };
    print(&format!("peak memory before: {}", peak_memory()));
    let began = Instant::now();
    let mut invocations = 0;
    let result = loop {
        invocations += 1;
        let now = SystemClock.now();
        let deadline = Deadline::new(now, now.plus(Duration::from_secs(900)));
        let result = reporter.report(&event, deadline).await.unwrap();
        if result.status != ReporterStatus::Continue {
            break result;
        }
    };
    let took = began.elapsed();
    let complete = scenario.failed_per_shard() == 0;
    assert_eq!(result.status == ReporterStatus::Complete, complete);
    let written = control.written_bytes.load(Ordering::Relaxed);
    print(&format!(
        "{}\ntook {took:.1?} in {invocations} invocation(s), wrote {written} bytes, peak memory: {}",
        result.summary,
        peak_memory()
    ));
}

fn print(line: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").unwrap();
}
