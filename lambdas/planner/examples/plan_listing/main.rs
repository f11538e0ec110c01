//! Plans a pair as the Lambda does, against an S3 endpoint, with the shards of the ledger in a file and manifests thrown
//! away: what is measured is listing, comparing and cutting. Driven by `tests/bench/planning.py`.
//!
//! Arguments: source bucket, target bucket, mode, the most ranges at once; and for a plan from a list, the folder that it lies
//! in, its name there and its format. Environment: `DATA_S3_ENDPOINT_URL`, and what
//! the SDK reads (`AWS_ENDPOINT_URL_STS`, credentials, Region).

mod block_folder;
mod disk_ledger;
mod folder_lists;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use block_folder::BlockFolder;
use disk_ledger::DiskLedger;
use folder_lists::FolderLists;
use serde_json::json;
use shardlift_aws::{AwsAccounts, SystemClock, clients, retry::RetriedByCaller, telemetry};
use shardlift_core::{
    access::ceilings::{CeilingParameters, Ceilings},
    documents::manifest::Manifest,
    failure::fault::CallFault,
    plan::ShardBounds,
    port::{Clock, ControlStore, Ledger},
    run::{
        event::{self, PlannerStatus},
        input::RunInput,
    },
    value::{
        bucket::BucketName,
        deadline::Deadline,
        id::{RunId, ShardId},
        set_sum::SetSum,
    },
};
use shardlift_planner::{Planner, PlannerSettings, Ports, SortBounds};
use shardlift_testkit::{
    CallScript, MemoryControlStore, MemoryControlWriter, MemoryExecutions, widest_ceilings,
};

/// Where lists lie, as the manifests of the tests' inventories say.
const LISTS: &str = "inventory-bucket";
/// What writing a manifest takes at S3, roughly.
const MANIFEST_LATENCY: Duration = Duration::from_millis(30);

/// A control bucket that forgets manifests and the lists of what stays: they are S3's memory, not the planner's.
#[derive(Debug, Clone)]
struct ForgetfulStore {
    inner: MemoryControlStore,
    manifests: Arc<AtomicU64>,
    manifest_bytes: Arc<AtomicU64>,
    blocks: BlockFolder,
    /// The planned objects as a set, where that is asked for: it takes as long as planning.
    sum: Option<Arc<Mutex<SetSum>>>,
}

/// Adds the objects of a manifest, and nothing of another document.
fn sum_up(key: &str, body: &[u8], sum: &mut SetSum) {
    let name = key.rsplit_once("/manifests/").map(|(_, name)| name);
    let Some(id) = name.and_then(|name| name.strip_suffix(".jsonl.zst")) else {
        return;
    };
    let ids = (RunId::new("bench"), ShardId::new(id));
    let (run_id, shard_id) = (
        ids.0.expect("constant"),
        ids.1.expect("a manifest is of a shard"),
    );
    let manifest = Manifest::decode(body, &run_id, &shard_id).expect("the planner wrote it");
    for object in manifest.objects {
        sum.add_object(object.key.as_str(), &object.etag, object.size_bytes);
    }
}

impl ControlStore for ForgetfulStore {
    type Writer = MemoryControlWriter;

    fn bucket(&self) -> &BucketName {
        self.inner.bucket()
    }

    async fn put(&self, key: &str, content_type: &str, body: Vec<u8>) -> Result<(), CallFault> {
        if let Some(block) = self.blocks.path_of(key) {
            return self.blocks.write(&block, body).await;
        }
        let is_kept = key.ends_with(".json");
        if is_kept || (!key.contains("/manifests/") && !key.contains("/kept/")) {
            return self.inner.put(key, content_type, body).await;
        }
        if let Some(sum) = &self.sum {
            sum_up(key, &body, &mut sum.lock().expect("not poisoned"));
        }
        tokio::time::sleep(MANIFEST_LATENCY).await;
        self.manifests.fetch_add(1, Ordering::Relaxed);
        self.manifest_bytes
            .fetch_add(body.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn open(&self, key: &str, content_type: &str) -> MemoryControlWriter {
        self.inner.open(key, content_type)
    }

    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, CallFault> {
        match self.blocks.path_of(key) {
            Some(block) => self.blocks.read(&block).await,
            None => self.inner.get(key).await,
        }
    }
}

/// The buckets over S3; the rest needs no AWS.
struct BenchPorts;

impl Ports for BenchPorts {
    type Accounts = AwsAccounts;
    type Ledger = DiskLedger;
    type Control = ForgetfulStore;
    type Lists = FolderLists;
    type Executions = MemoryExecutions;
    type Clock = SystemClock;
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> anyhow::Result<()> {
    telemetry::init();
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &'static str| arguments.next().context(what);
    let (source, target) = (next("source bucket")?, next("target bucket")?);
    let (mode, listers) = (next("mode")?, next("listers")?.parse()?);
    // An instant, whose state is planned instead of what there is now; or a list, in place of the listing.
    let rest: Vec<String> = arguments.collect();
    let (as_of, list): (Option<String>, Option<[String; 3]>) = match rest.as_slice() {
        [instant] => (Some(instant.clone()), None),
        [folder, key, format] => (None, Some([folder.clone(), key.clone(), format.clone()])),
        _ => (None, None),
    };
    let endpoint = std::env::var("DATA_S3_ENDPOINT_URL").context("DATA_S3_ENDPOINT_URL")?;
    let config = clients::sdk_config().await;
    let shards = std::env::temp_dir().join(format!("plan_listing-{}.jsonl", std::process::id()));
    let ledger = DiskLedger::create(shards.clone())?;
    let control_bucket = BucketName::new("control-bucket")?;
    let control = ForgetfulStore {
        inner: MemoryControlStore::new(control_bucket, CallScript::default()),
        manifests: Arc::default(),
        manifest_bytes: Arc::default(),
        blocks: BlockFolder::create()?,
        sum: std::env::var_os("SUM_PLAN").map(|_| Arc::default()),
    };
    let planner: Planner<BenchPorts> = Planner {
        accounts: AwsAccounts::retried_by_caller(
            &config,
            Some(endpoint),
            RetriedByCaller::Listings,
        ),
        ledger: ledger.clone(),
        control: control.clone(),
        lists: FolderLists(list.as_ref().map_or("", |[folder, ..]| folder).into()),
        executions: MemoryExecutions::default(),
        clock: SystemClock,
        settings: settings(&source, &target, listers)?,
    };
    let event = event::parse_value(&json!({
        "schema_version": 1, "run_id": "bench", "started_at": "2026-11-22T00:00:00Z",
        "execution_arn": "arn:aws:states:us-east-1:111111111111:execution:shardlift:bench",
        "input": input(&mode, as_of.as_deref(), list.as_ref()),
    }))?;
    let began = Instant::now();
    let (status, invocations) = plan_to_the_end(&planner, &event).await?;
    let seconds = began.elapsed().as_secs_f64();
    let run_id = RunId::new("bench")?;
    let run = ledger
        .read_run(&run_id)
        .await?
        .context("the run is in the ledger")?;
    std::fs::remove_file(shards)?;
    control.blocks.remove()?;
    let prices = shardlift_core::report::prices::Prices::default();
    let figures = json!({
        "sum": control.sum.as_ref().map(|sum| json!(*sum.lock().expect("not poisoned"))),
        "status": status, "seconds": seconds, "invocations": invocations,
        "list": run.totals.list, "planned": run.totals.planned.objects, "same": run.totals.same.objects,
        "shards": run.totals.shards, "ranges": ledger.read_ranges(&run_id).await?.len(),
        "manifests": control.manifests.load(Ordering::Relaxed),
        "manifest_bytes": control.manifest_bytes.load(Ordering::Relaxed),
        "requests": run.totals.requests,
        "planning_usd": prices.total_usd(&run.totals.requests),
    });
    write_line(&figures.to_string())
}

/// Invokes the planner until it is done. Returns its last status, and how often that was.
async fn plan_to_the_end(
    planner: &Planner<BenchPorts>,
    event: &event::PlannerEvent,
) -> anyhow::Result<(PlannerStatus, u32)> {
    let mut invocations = 0;
    loop {
        invocations += 1;
        let now = SystemClock.now();
        let deadline = Deadline::new(now, now.plus(Duration::from_secs(900)));
        let status = Box::pin(planner.plan(event, deadline)).await?.status;
        if status != PlannerStatus::Continue {
            return Ok((status, invocations));
        }
    }
}

fn input(mode: &str, as_of: Option<&str>, list: Option<&[String; 3]>) -> serde_json::Value {
    let mut input = json!({"mode": mode, "compare": "size", "source": {"as_of": as_of}});
    if let Some([_, key, format]) = list {
        let list = json!({"bucket": LISTS, "key": key, "format": format});
        input["source"] = json!({"list": list});
    }
    input
}

fn settings(source: &str, target: &str, listers_max: usize) -> anyhow::Result<PlannerSettings> {
    let pair = RunInput::parse(&json!({
        "source": {"bucket": source},
        "target": {"bucket": target, "role_arn": "arn:aws:iam::222222222222:role/Target", "external_id": "bench"},
    }))?;
    Ok(PlannerSettings {
        function_roles: Vec::new(),
        ceilings: Ceilings::new(
            &pair,
            CeilingParameters {
                allow_versions: true,
                list_buckets: vec![BucketName::new(LISTS)?],
                ..widest_ceilings()
            },
        ),
        run_defaults: pair,
        max_concurrency: 100,
        writes_per_second_max: None,
        ledger_ttl_days: 30,
        copier_memory_mb: 256,
        renderer_memory_mb: 2_048,
        shard_bounds: ShardBounds::default(),
        sort_bounds: SortBounds::default(),
        listers_max,
    })
}

fn write_line(line: &str) -> anyhow::Result<()> {
    use std::io::Write as _;
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
