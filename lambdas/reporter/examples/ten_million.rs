//! Settles and reports a run of ten million objects that all failed, and tells the time and the peak of memory.
//!
//! `cargo run --release -p shardlift-reporter --example ten_million`. The failure lists are made up when they are read,
//! and the documents are counted and thrown away, so that the memory is the reporter's own.

#![allow(
    clippy::unwrap_used,
    reason = "a measurement that cannot be set up has failed"
)]

use std::{
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use shardlift_core::{
    arn::{AccountId, ExecutionArn, Region},
    bucket::BucketName,
    deadline::Deadline,
    event::{ReporterEvent, ReporterStatus},
    failure::FailureCode,
    failure_list::{self, FailedObject},
    fault::CallFault,
    id::{RunId, ShardId},
    input::RunInput,
    key::ObjectKey,
    port::{ControlStore, ControlWriter, Ledger, PutOutcome},
    run::{BucketFacts, LEDGER_VERSION, PlanTotals, RunRecord, RunState},
    shard::{ShardRecord, ShardState, ShardWork},
    spec::RunSpec,
    tally::Count,
    time::Timestamp,
};
use shardlift_reporter::Reporter;
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryLedger, RecordingNotifier,
};

const SHARDS: u32 = 1_000;
const OBJECTS_PER_SHARD: u32 = 10_000;

/// A control bucket that makes failure lists up and counts what is written.
#[derive(Clone)]
struct MadeUp {
    bucket: BucketName,
    written_bytes: Arc<AtomicU64>,
}

impl ControlStore for MadeUp {
    type Writer = Self;

    fn bucket(&self) -> &BucketName {
        &self.bucket
    }

    async fn put(&self, _key: &str, _content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        self.written_bytes
            .fetch_add(body.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn open(&self, _key: &str, _content_type: &str) -> Self {
        self.clone()
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        let list = key.contains("/failures/").then(|| {
            let shard = key.split('/').nth(3).unwrap_or_default();
            let objects: Vec<FailedObject> = (0..OBJECTS_PER_SHARD)
                .map(|index| failed_object(shard, index))
                .collect();
            failure_list::encode(&objects).unwrap()
        });
        Ok(list)
    }
}

impl ControlWriter for MadeUp {
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

async fn shard(ledger: &MemoryLedger, run_id: &RunId, number: u32) {
    let id = ShardId::new(format!("1-{number}")).unwrap();
    let planned = Count {
        objects: OBJECTS_PER_SHARD.into(),
        bytes: u64::from(OBJECTS_PER_SHARD) * 4_096,
    };
    let mut shard = ShardRecord::ready(run_id.clone(), id, ShardWork::CopyObjects, planned, 0);
    shard.state = ShardState::Done;
    shard.attempts = 1;
    for index in 0..OBJECTS_PER_SHARD {
        shard.outcome.progress.settle(index);
        shard
            .outcome
            .tally
            .failed
            .add_object(FailureCode::AccessDenied, 4_096);
    }
    shard.outcome.failures_key = Some(format!("runs/night/failures/1-{number}/2.jsonl.zst"));
    assert_eq!(
        ledger.create_shard(&shard).await.unwrap(),
        PutOutcome::Written
    );
}

fn run_record(run_id: &RunId, execution: &ExecutionArn) -> RunRecord {
    let input = serde_json::json!({
        "source": {"bucket": "source"}, "verify": "none",
        "target": {"bucket": "target", "role_arn": "arn:aws:iam::222222222222:role/Target"},
    });
    let facts = |owner| BucketFacts {
        region: Region::new("eu-west-1").unwrap(),
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
    let run_id = RunId::new("night").unwrap();
    let execution =
        ExecutionArn::new("arn:aws:states:eu-west-1:111111111111:execution:machine:night").unwrap();
    let script = CallScript::default();
    let ledger = MemoryLedger::new(script.clone());
    for number in 0..SHARDS {
        shard(&ledger, &run_id, number).await;
    }
    let run = run_record(&run_id, &execution);
    assert_eq!(ledger.create_run(&run).await.unwrap(), PutOutcome::Written);
    let now = Timestamp::from_millis(3_600_000);
    let control = MadeUp {
        bucket: BucketName::new("control").unwrap(),
        written_bytes: Arc::default(),
    };
    let reporter = Reporter {
        accounts: MemoryAccounts::new(
            MemoryBuckets::default(),
            "111111111111",
            1_000,
            script.clone(),
        ),
        ledger,
        control: control.clone(),
        notifier: RecordingNotifier::new(script),
        clock: ManualClock::at(now),
        max_concurrency: 1,
    };
    let event = ReporterEvent {
        schema_version: 1,
        run_id,
        execution_arn: execution,
        started_at: Timestamp::from_millis(0),
        input: serde_json::json!({}),
        round: 3,
        problem: None,
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "peak memory before: {}", peak_memory()).unwrap();
    let began = Instant::now();
    let deadline = Deadline::new(now, now.plus(Duration::from_secs(900)));
    drop(out);
    let result = reporter.report(&event, deadline).await.unwrap();
    assert_eq!(result.status, ReporterStatus::Incomplete);
    let took = began.elapsed();
    out = std::io::stdout().lock();
    writeln!(out, "{}", result.summary).unwrap();
    let written = control.written_bytes.load(Ordering::Relaxed);
    writeln!(
        out,
        "took {took:.1?}, wrote {written} bytes, peak memory: {}",
        peak_memory()
    )
    .unwrap();
}
