//! Copies with the real copier and the real adapters, as a Map of copiers would: one queue of shards, each copier with a
//! pace of its own. One copier runs on one thread, as in its Lambda, several are spread over as many threads as there are
//! processors, each thread with a runtime and a connection pool of its own.
//!
//! - `copy_bench plan <folder> <task>` lists the source and writes manifests and records to the folder; the task is JSON:
//!   `{"input": <the input of a run>, "objects_max": 1000000, "shard_objects": 10000}`.
//! - `copy_bench copy <folder> <copiers>` copies what was planned; with `wait` as another argument only once a line comes
//!   on the standard input, after it has printed one itself. Then it prints one line of JSON.
//!
//! `DATA_S3_ENDPOINT_URL` is the S3, `AWS_ENDPOINT_URL_STS` anything that lets a role be assumed.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measuring program has nobody to report to but its caller"
)]

mod folder;
mod plan;

use std::{
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use folder::Folder;
use shardlift_aws::{AwsAccounts, SystemClock, clients::sdk_config};
use shardlift_copier::copier::Copier;
use shardlift_core::{
    port::Clock,
    run::event::{EVENT_VERSION, WorkerEvent, WorkerStatus},
    value::{
        arn::ExecutionArn,
        deadline::Deadline,
        id::{RunId, ShardId},
        tally::{Count, RequestCounts, add_requests},
        time::Timestamp,
    },
};
use shardlift_testkit::{MemoryLedger, ceilings_around};
use shardlift_worker::ports::Ports;

const INVOCATION_MS: i64 = 900_000;

enum BenchPorts {}

impl Ports for BenchPorts {
    type Accounts = AwsAccounts;
    type Ledger = MemoryLedger;
    type Control = Folder;
    type Clock = SystemClock;
}

#[derive(Clone)]
struct Bench {
    accounts: AwsAccounts,
    ledger: MemoryLedger,
    control: Folder,
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
    /// One copier of the Map: a process of its own with its own pace, that takes one shard after the other.
    async fn copier(&self, queue: &Queue) {
        let run = self
            .ledger
            .run(&run_id())
            .expect("the benchmark planned it");
        let copier = Copier::<BenchPorts>::new(
            self.accounts.clone(),
            self.ledger.clone(),
            self.control.clone(),
            SystemClock,
            ceilings_around(&run.spec),
        );
        loop {
            let Some(shard_id) = queue.next() else {
                return;
            };
            let event = WorkerEvent {
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
                if result.status == WorkerStatus::Done {
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

/// When copying begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// As soon as the copiers are connected.
    AtOnce,
    /// Once a line comes on the standard input.
    OnLine,
}

/// Says that all is ready, and waits until all others are: for a line on the standard input.
fn wait_for_line() {
    println!("ready");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}

fn copy(folder: &Folder, copiers: usize, start: Start) {
    let (bench, shards) = runtime().block_on(async {
        let (ledger, shards) = folder.ledger().await;
        let bench = Bench {
            accounts: accounts().await,
            ledger,
            control: folder.clone(),
        };
        (bench, shards)
    });
    if start == Start::OnLine {
        wait_for_line();
    }
    let processor_before = processor_seconds();
    let queue = Queue {
        shards: Mutex::new(shards.into_iter().map(|shard| shard.shard_id).collect()),
        began: Instant::now(),
        busy: OnceLock::new(),
    };
    let threads = std::thread::available_parallelism()
        .unwrap()
        .get()
        .min(copiers);
    if threads == 1 {
        work(copiers, &bench, &queue);
    } else {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (bench, queue) = (&bench, &queue);
                let share = copiers / threads + usize::from(thread < copiers % threads);
                scope.spawn(move || work(share, bench, queue));
            }
        });
    }
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

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let folder = Folder::new(&arguments[1]);
    match arguments[0].as_str() {
        "plan" => runtime().block_on(async {
            let task = serde_json::from_str(&arguments[2]).unwrap();
            plan::plan(&task, &accounts().await, &folder).await;
        }),
        "copy" => {
            let start = match arguments.get(3).map(String::as_str) {
                Some("wait") => Start::OnLine,
                _ => Start::AtOnce,
            };
            copy(&folder, arguments[2].parse().unwrap(), start);
        }
        step => panic!("{step} is neither plan nor copy"),
    }
}
