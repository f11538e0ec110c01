//! Copies a bucket of the S3 model server with the real copier and the real adapters, as a Map of copiers would: one queue
//! of shards, each copier with a pace of its own. The ledger and the control bucket are in memory. One copier runs on one
//! thread, as in its Lambda, several are spread over as many threads as there are processors, each thread with a runtime
//! and a connection pool of its own.
//!
//! `copy_bench <source bucket> <target bucket> <objects> <copiers> [objects a shard]`, with `DATA_S3_ENDPOINT_URL` at the
//! model and `AWS_ENDPOINT_URL_STS` at anything that lets a role be assumed. Prints one line of JSON.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measuring program has nobody to report to but its caller"
)]

use std::{
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use shardlift_aws::{AwsAccounts, SystemClock, clients::sdk_config};
use shardlift_copier::copier::Copier;
use shardlift_core::{
    arn::ExecutionArn,
    bucket::BucketName,
    control_key,
    deadline::Deadline,
    event::{CopierEvent, CopierStatus, EVENT_VERSION},
    id::{RunId, ShardId},
    input::RunInput,
    key::ObjectKey,
    manifest::Manifest,
    object::ListedObject,
    pair::Pair,
    port::{
        Accounts, BucketListing, Clock, ControlStore, Ledger, ListRequest, PutOutcome, SessionName,
        SourceBucket, TargetBucket,
    },
    run::{LEDGER_VERSION, PairEncryption, PlanTotals, RunRecord, RunState},
    shard::{ShardRecord, ShardWork},
    spec::RunSpec,
    tally::{Count, RequestCounts, add_requests},
    time::Timestamp,
};
use shardlift_testkit::{CallScript, MemoryControlStore, MemoryLedger};

const INVOCATION_MS: i64 = 900_000;

#[derive(Clone)]
struct Bench {
    accounts: AwsAccounts,
    ledger: MemoryLedger,
    control: MemoryControlStore,
    pair: Pair,
}

/// The shards that no copier has taken yet.
struct Queue {
    shards: Mutex<Vec<ShardId>>,
    began: Instant,
    /// Until when every copier had a shard.
    busy: OnceLock<Duration>,
}

impl Queue {
    fn next(&self) -> Option<ShardId> {
        let next = self.shards.lock().unwrap().pop();
        if next.is_none() {
            self.busy.get_or_init(|| self.began.elapsed());
        }
        next
    }
}

fn run_id() -> RunId {
    RunId::new("bench").unwrap()
}

fn execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:us-east-1:111111111111:execution:sync:bench").unwrap()
}

impl Bench {
    async fn plan(&self, spec: RunSpec, objects_max: u64, shard_objects: usize) -> Vec<ShardId> {
        let source = self.accounts.open_source(&self.pair.source).await.unwrap();
        let session = SessionName::of_step("bench", &run_id());
        let target = self
            .accounts
            .open_target(&self.pair.target, &self.pair.source, &session)
            .await
            .unwrap();
        let run = RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: run_id(),
            execution_arn: execution(),
            started_at: Timestamp::default(),
            spec,
            source: source.facts().clone(),
            target: target.facts().clone(),
            encryption: PairEncryption::default(),
            state: RunState::Planned,
            totals: PlanTotals::default(),
            expires_at: 0,
            revision: 1,
        };
        let written = self.ledger.create_run(&run).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
        let (mut shards, mut open) = (Vec::new(), Vec::new());
        let (mut after, mut left): (Option<ObjectKey>, u64) = (None, objects_max);
        loop {
            let prefix = self.pair.source.prefix.clone();
            let page = source
                .list_page(&ListRequest { prefix, after })
                .await
                .unwrap();
            after = page.objects.last().map(|object| object.key.clone());
            let taken = page
                .objects
                .into_iter()
                .take(usize::try_from(left).unwrap());
            let before = open.len();
            open.extend(taken);
            left -= (open.len() - before) as u64;
            while open.len() >= shard_objects {
                let rest = open.split_off(shard_objects);
                shards.push(self.write_shard(shards.len(), open).await);
                open = rest;
            }
            if !page.is_truncated || left == 0 {
                break;
            }
        }
        if !open.is_empty() {
            shards.push(self.write_shard(shards.len(), open).await);
        }
        shards
    }

    async fn write_shard(&self, number: usize, objects: Vec<ListedObject>) -> ShardId {
        let shard_id = ShardId::new(format!("1-{number}")).unwrap();
        let mut planned = Count::default();
        for object in &objects {
            planned.add_object(object.size_bytes);
        }
        let manifest = Manifest {
            run_id: run_id(),
            shard_id: shard_id.clone(),
            objects,
        };
        let key = control_key::manifest(&run_id(), &shard_id);
        self.control
            .put(&key, "application/zstd", manifest.encode().unwrap())
            .await
            .unwrap();
        let record = ShardRecord::ready(
            run_id(),
            shard_id.clone(),
            ShardWork::CopyObjects,
            planned,
            0,
        );
        let written = self.ledger.create_shard(&record).await.unwrap();
        assert_eq!(written, PutOutcome::Written);
        shard_id
    }

    /// One copier of the Map: a process of its own with its own pace, that takes one shard after the other.
    async fn copier(&self, queue: &Queue) {
        let copier = Copier::new(
            self.accounts.clone(),
            self.ledger.clone(),
            self.control.clone(),
            SystemClock,
        );
        loop {
            let Some(shard_id) = queue.next() else {
                return;
            };
            let event = CopierEvent {
                schema_version: EVENT_VERSION,
                run_id: run_id(),
                execution_arn: execution(),
                round: 1,
                shard_id,
            };
            loop {
                let now = SystemClock.now();
                let ends_at = Timestamp::from_millis(now.as_millis() + INVOCATION_MS);
                let deadline = Deadline::new(now, ends_at);
                let result = copier.copy_shard(&event, deadline).await.unwrap();
                if result.status == CopierStatus::Done {
                    break;
                }
            }
        }
    }
}

fn processor_seconds() -> f64 {
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .unwrap()
        .1
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / TICKS_PER_SECOND
}

fn memory_peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.unwrap()
        .split_whitespace()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap()
}

/// Runs its copiers on a runtime of its own until the queue is empty.
fn work(copiers: usize, bench: &Bench, queue: &Queue) {
    runtime().block_on(async {
        let bench = Bench {
            accounts: accounts().await,
            ..bench.clone()
        };
        let working = (0..copiers).map(|_| bench.copier(queue));
        futures::future::join_all(working).await;
    });
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

async fn accounts() -> AwsAccounts {
    let config = sdk_config().await;
    AwsAccounts::new(&config, std::env::var("DATA_S3_ENDPOINT_URL").ok())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let objects: u64 = arguments[2].parse().unwrap();
    let copiers: usize = arguments[3].parse().unwrap();
    let shard_objects: usize = arguments
        .get(4)
        .map_or(10_000, |text| text.parse().unwrap());
    let input = serde_json::json!({
        "source": {"bucket": arguments[0]},
        "target": {"bucket": arguments[1], "role_arn": "arn:aws:iam::111111111111:role/bench"},
    });
    let spec = RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap();
    let (bench, shards) = runtime().block_on(async {
        let bench = Bench {
            accounts: accounts().await,
            ledger: MemoryLedger::new(CallScript::default()),
            control: MemoryControlStore::new(
                BucketName::new("control-bucket").unwrap(),
                CallScript::default(),
            ),
            pair: spec.pair.clone(),
        };
        let shards = bench.plan(spec, objects, shard_objects).await;
        (bench, shards)
    });
    let processor_before = processor_seconds();
    let queue = Queue {
        shards: Mutex::new(shards),
        began: Instant::now(),
        busy: OnceLock::new(),
    };
    let threads = std::thread::available_parallelism()
        .unwrap()
        .get()
        .min(copiers);
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let (bench, queue) = (&bench, &queue);
            let share = copiers / threads + usize::from(thread < copiers % threads);
            scope.spawn(move || work(share, bench, queue));
        }
    });
    let elapsed_s = queue.began.elapsed().as_secs_f64();
    let mut copied = Count::default();
    let mut failed = 0;
    let mut requests = RequestCounts::new();
    for shard in bench.ledger.shards(&run_id()) {
        copied.add(shard.outcome.tally.copied);
        failed += shard.outcome.tally.failed.objects;
        add_requests(&mut requests, &shard.outcome.requests);
    }
    println!(
        "{}",
        serde_json::json!({
            "objects": copied.objects, "bytes": copied.bytes, "failed": failed,
            "elapsed_s": elapsed_s, "busy_s": queue.busy.get().map(Duration::as_secs_f64),
            "processor_s": processor_seconds() - processor_before,
            "memory_peak_kib": memory_peak_kib(), "requests": requests,
        })
    );
}
