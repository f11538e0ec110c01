//! A planned run in memory, and ways to bring it into the states that a reporter meets.

mod history;
mod kept;
mod objects;
mod receipts;
mod recheck;
mod report;

use shardlift_core::{
    documents::{control_key, manifest::Manifest},
    plan::RunEstimate,
    port::{ControlStore, Ledger, PutOutcome},
    run::{
        input::RunInput,
        lock::{LockRecord, LockState, LockedPrefix},
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{ShardRecord, ShardWork},
    value::{
        arn::{AccountId, ExecutionArn, Region},
        bucket::BucketName,
        id::RunId,
        object::ListedObject,
        tally::Count,
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};
use shardlift_reporter::{Ports, Reporter};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryLedger,
    RecordingNotifier, ceilings_around,
};

pub(crate) use self::history::FailedAt;
use self::objects::{key, listed, shard_id, size};

const SOURCE_ACCOUNT: &str = "111111111111";
const TARGET_ACCOUNT: &str = "222222222222";

/// The source was written, then the run began, then it copied, then it reports.
const WRITTEN_AT: Timestamp = Timestamp::from_millis(1_000_000);
const BEGAN_AT: Timestamp = Timestamp::from_millis(2_000_500);
const COPIED_AT: Timestamp = Timestamp::from_millis(3_000_000);
const REPORTED_AT: Timestamp = Timestamp::from_millis(4_000_000);

/// What the plan expected, for $0.05, in one and a half minutes to two and a half.
pub(crate) const ESTIMATED_COPIES: u64 = 10_000;

/// The ports in memory.
pub(crate) enum MemoryPorts {}

impl Ports for MemoryPorts {
    type Accounts = MemoryAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Notifier = RecordingNotifier;
    type Clock = ManualClock;
}

/// A run of shards `2-0`, `2-1` and so on, whose objects are `in/<shard>-<position>`.
pub(crate) struct Scene {
    pub(crate) script: CallScript,
    pub(crate) buckets: MemoryBuckets,
    pub(crate) ledger: MemoryLedger,
    pub(crate) reporter: Reporter<MemoryPorts>,
    objects: Vec<u32>,
}

impl Scene {
    /// A planned run whose shards have so many objects.
    pub(crate) fn new(objects: &[u32]) -> Self {
        Self::with_input(objects, serde_json::json!({}))
    }

    /// A planned dry run.
    pub(crate) fn dry(objects: &[u32]) -> Self {
        Self::with_input(objects, serde_json::json!({"dry_run": true}))
    }

    /// A planned run with this input.
    pub(crate) fn with_input(objects: &[u32], input: serde_json::Value) -> Self {
        let script = CallScript::default();
        let buckets = MemoryBuckets::default()
            .with_bucket("source", SOURCE_ACCOUNT, "eu-west-1")
            .with_bucket("target", TARGET_ACCOUNT, "eu-west-1");
        let ledger = MemoryLedger::new(script.clone());
        let control = MemoryControlStore::new(name("control"), script.clone());
        let spec = spec(input);
        let scene = Self {
            reporter: Reporter {
                accounts: MemoryAccounts::new(buckets.clone(), SOURCE_ACCOUNT, 3, script.clone()),
                ledger: ledger.clone(),
                control,
                notifier: RecordingNotifier::new(script.clone()),
                clock: ManualClock::at(REPORTED_AT),
                ceilings: Ok(ceilings_around(&spec)),
                max_concurrency: 7,
            },
            script,
            buckets,
            ledger,
            objects: objects.to_vec(),
        };
        scene.plan(spec);
        scene
    }

    fn plan(&self, spec: RunSpec) {
        self.buckets.set_time(WRITTEN_AT);
        let mut planned = Count::default();
        for (shard, &objects) in (0u32..).zip(&self.objects) {
            for index in 0..objects {
                self.buckets
                    .put("source", &key(shard, index), "body", size(index));
                planned.add_object(size(index));
            }
            wait(self.write_manifest(shard, objects));
            assert_eq!(
                wait(self.ledger.create_shard(&ready(shard, objects))).unwrap(),
                PutOutcome::Written
            );
        }
        let facts = |owner| BucketFacts {
            region: Region::new("eu-west-1").unwrap(),
            owner: AccountId::new(owner).unwrap(),
        };
        let run = RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: run_id(),
            execution_arn: execution(),
            started_at: BEGAN_AT,
            source: facts(SOURCE_ACCOUNT),
            target: facts(TARGET_ACCOUNT),
            encryption: PairEncryption::default(),
            renditions_since: None,
            state: RunState::Planned,
            totals: PlanTotals {
                planned,
                shards: self.objects.len() as u64,
                estimate: RunEstimate {
                    requests: [
                        ("s3:CopyObject", ESTIMATED_COPIES),
                        ("s3:CreateMultipartUpload", 1),
                    ]
                    .map(|(operation, count)| (operation.to_owned(), count))
                    .into(),
                    copy_seconds: 90,
                    copy_seconds_max: 150,
                    copiers: 0,
                },
                ..PlanTotals::default()
            },
            expires_at: 0,
            revision: 1,
            spec,
        };
        let lock = LockRecord {
            schema_version: LEDGER_VERSION,
            locked: LockedPrefix::of(&run.spec.pair),
            state: LockState::Held,
            run_id: run_id(),
            execution_arn: execution(),
            revision: 1,
        };
        assert_eq!(
            wait(self.ledger.create_run(&run)).unwrap(),
            PutOutcome::Written
        );
        assert_eq!(
            wait(self.ledger.create_lock(&lock)).unwrap(),
            PutOutcome::Written
        );
    }

    async fn write_manifest(&self, shard: u32, objects: u32) {
        let objects = (0..objects).map(|index| listed(shard, index)).collect();
        self.write_manifest_of(shard, objects).await;
    }

    async fn write_manifest_of(&self, shard: u32, objects: Vec<ListedObject>) {
        let manifest = Manifest {
            run_id: run_id(),
            shard_id: shard_id(shard),
            objects,
        };
        let path = control_key::manifest(&run_id(), &shard_id(shard));
        let body = manifest.encode().unwrap();
        self.reporter
            .control
            .put(&path, "application/zstd", body)
            .await
            .unwrap();
    }

    pub(crate) fn shard(&self, shard: u32) -> ShardRecord {
        wait(self.ledger.read_shard(&run_id(), &shard_id(shard)))
            .unwrap()
            .unwrap()
    }

    pub(crate) fn shards(&self) -> Vec<ShardRecord> {
        self.ledger.shards(&run_id())
    }

    pub(crate) fn run_state(&self) -> RunState {
        self.ledger.run(&run_id()).unwrap().state
    }

    pub(crate) async fn is_locked(&self) -> bool {
        let locked = LockedPrefix::of(&self.ledger.run(&run_id()).unwrap().spec.pair);
        self.ledger.read_lock(&locked).await.unwrap().is_some()
    }

    /// How often this operation was called since the script was cleared.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        let calls = self.script.calls();
        calls.iter().filter(|call| **call == operation).count()
    }

    fn change(&self, shard: u32, change: impl FnOnce(&mut ShardRecord)) {
        let mut record = self.shard(shard);
        change(&mut record);
        self.write_receipts(shard, &mut record);
        record.revision += 1;
        assert_eq!(
            wait(self.ledger.replace_shard(&record)).unwrap(),
            PutOutcome::Written
        );
    }
}

/// The memory ports respond at once.
fn wait<T>(call: impl Future<Output = T>) -> T {
    futures::executor::block_on(call)
}

fn spec(mut input: serde_json::Value) -> RunSpec {
    if input["transform"].is_null() {
        input["multipart_threshold_bytes"] = serde_json::json!(5 << 20);
    }
    let list = input["source"]["list"].take();
    input["source"] = serde_json::json!({"bucket": "source", "prefix": "in/", "list": list});
    input["target"] = serde_json::json!({
        "bucket": "target", "prefix": "out/", "role_arn": format!("arn:aws:iam::{TARGET_ACCOUNT}:role/Target"),
    });
    RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap()
}

fn ready(shard: u32, objects: u32) -> ShardRecord {
    let mut planned = Count::default();
    (0..objects).for_each(|index| planned.add_object(size(index)));
    ShardRecord::ready(
        run_id(),
        shard_id(shard),
        ShardWork::CopyObjects,
        planned,
        0,
    )
}

pub(crate) fn run_id() -> RunId {
    RunId::new("run-1").unwrap()
}

fn name(bucket: &str) -> BucketName {
    BucketName::new(bucket).unwrap()
}

fn execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:eu-west-1:111111111111:execution:machine:run-1").unwrap()
}
