//! A planned run with a transform and one shard, in memory, and its renderer.

use std::time::Duration;

use serde_json::{Value, json};
use shardlift_core::{
    documents::{
        control_key,
        failure_list::{self, FailedObject},
        manifest::Manifest,
    },
    failure::Failure,
    port::{Clock, ControlStore, Ledger, PutOutcome},
    run::{
        event::{EVENT_VERSION, WorkerEvent, WorkerStatus},
        input::RunInput,
        record::{BucketFacts, PairEncryption, PlanTotals, RunRecord, RunState},
        spec::RunSpec,
    },
    shard::{CopySamples, ShardRecord, ShardWork},
    value::{
        arn::{AccountId, ExecutionArn, Region},
        bucket::BucketName,
        deadline::Deadline,
        id::{RunId, ShardId},
        object::ListedObject,
        tally::Count,
        time::Timestamp,
        version::LEDGER_VERSION,
    },
};
use shardlift_renderer::{renderer::Renderer, room::Room};
use shardlift_testkit::{
    CallScript, ManualClock, MemoryAccounts, MemoryBuckets, MemoryControlStore, MemoryLedger,
    StoredObject, ceilings_around,
};
use shardlift_worker::ports::{Connections, Ports};

pub(crate) const SOURCE: &str = "source-bucket";
pub(crate) const TARGET: &str = "target-bucket";
const SOURCE_ACCOUNT: &str = "111111111111";
const TARGET_ACCOUNT: &str = "222222222222";

/// What S3's clock shows when a scene is set.
const BEGAN_AT: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// The ports in memory.
#[derive(Debug)]
pub(crate) enum MemoryPorts {}

impl Ports for MemoryPorts {
    type Accounts = MemoryAccounts;
    type Ledger = MemoryLedger;
    type Control = MemoryControlStore;
    type Clock = ManualClock;
}

/// The world of one shard.
pub(crate) struct Scene {
    pub(crate) buckets: MemoryBuckets,
    pub(crate) ledger: MemoryLedger,
    pub(crate) control: MemoryControlStore,
    pub(crate) accounts: MemoryAccounts,
    pub(crate) script: CallScript,
    pub(crate) clock: ManualClock,
    pub(crate) spec: RunSpec,
}

/// What a run leaves, as far as it must not depend on how it went.
#[derive(Debug, PartialEq)]
pub(crate) struct Remains {
    pub(crate) target: Vec<(String, StoredObject)>,
    pub(crate) record: ShardRecord,
    pub(crate) failed: Vec<(String, &'static str)>,
}

impl Scene {
    /// A run over `source-bucket/in/` to `target-bucket/out/` that makes thumbnails of 64 pixels, with these further fields.
    pub(crate) fn new(further: &Value) -> Self {
        let script = CallScript::default();
        let buckets = MemoryBuckets::default()
            .with_bucket(SOURCE, SOURCE_ACCOUNT, "eu-central-1")
            .with_bucket(TARGET, TARGET_ACCOUNT, "eu-west-1");
        let mut input = json!({
            "source": {"bucket": SOURCE, "prefix": "in/"},
            "target": {"bucket": TARGET, "prefix": "out/", "role_arn": "arn:aws:iam::222222222222:role/Shardlift"},
            "transform": {"kind": "thumbnail", "longest_edge_px": 64},
        });
        for (field, value) in further.as_object().into_iter().flatten() {
            input[field] = value.clone();
        }
        buckets.set_time(BEGAN_AT);
        buckets.let_time_pass();
        Self {
            accounts: MemoryAccounts::new(buckets.clone(), SOURCE_ACCOUNT, 1000, script.clone()),
            ledger: MemoryLedger::new(script.clone()),
            control: MemoryControlStore::new(
                BucketName::new("control-bucket").unwrap(),
                script.clone(),
            ),
            clock: ManualClock::at(Timestamp::from_millis(1_000_000)),
            spec: RunSpec::settle(RunInput::parse(&input).unwrap()).unwrap(),
            buckets,
            script,
        }
    }

    /// Plans every object of a bucket into the shard, for this work.
    pub(crate) async fn plan_work(&self, bucket: &str, work: ShardWork) {
        let objects: Vec<ListedObject> = self
            .buckets
            .objects(bucket)
            .into_iter()
            .map(|(key, stored)| stored.listed(&key))
            .collect();
        let mut planned = Count::default();
        for object in &objects {
            planned.add_object(object.size_bytes);
        }
        let manifest = Manifest {
            run_id: run_id(),
            shard_id: shard_id(),
            objects,
        };
        let key = control_key::manifest(&run_id(), &shard_id());
        let body = manifest.encode().unwrap();
        self.control
            .put(&key, "application/zstd", body)
            .await
            .unwrap();
        let run = self.run_record();
        assert_eq!(
            self.ledger.create_run(&run).await.unwrap(),
            PutOutcome::Written
        );
        self.ledger.hold_lock_for(&run);
        let shard = ShardRecord::ready(run_id(), shard_id(), work, planned, 0);
        assert_eq!(
            self.ledger.create_shard(&shard).await.unwrap(),
            PutOutcome::Written
        );
        self.script.clear();
    }

    /// Plans every object of the source to be rendered.
    pub(crate) async fn plan(&self) {
        self.plan_work(SOURCE, ShardWork::CopyObjects).await;
    }

    fn run_record(&self) -> RunRecord {
        RunRecord {
            schema_version: LEDGER_VERSION,
            run_id: run_id(),
            execution_arn: execution(),
            started_at: Timestamp::default(),
            spec: self.spec.clone(),
            source: facts(SOURCE_ACCOUNT, "eu-central-1"),
            target: facts(TARGET_ACCOUNT, "eu-west-1"),
            encryption: PairEncryption::default(),
            renditions_since: Some(Timestamp::default()),
            state: RunState::Planned,
            totals: PlanTotals::default(),
            expires_at: 0,
            revision: 1,
        }
    }

    pub(crate) fn renderer(&self) -> Renderer<MemoryPorts> {
        let ports = Connections {
            accounts: self.accounts.clone(),
            ledger: self.ledger.clone(),
            control: self.control.clone(),
            clock: self.clock.clone(),
        };
        Renderer::new(ports, ceilings_around(&self.spec), Room::new(1_024, 2))
    }

    /// One invocation with `time` until it is killed.
    pub(crate) async fn invoke(&self, time: Duration) -> Result<WorkerStatus, Failure> {
        let began_at = self.clock.now();
        let deadline = Deadline::new(began_at, began_at.plus(time));
        let event = WorkerEvent {
            schema_version: EVENT_VERSION,
            run_id: run_id(),
            execution_arn: execution(),
            round: 1,
            shard_id: shard_id(),
        };
        let result = self.renderer().render_shard(&event, deadline).await;
        result.map(|result| result.status)
    }

    /// Invocations as the state machine makes them, dead ones repeated: the number of them until it is done.
    pub(crate) async fn invoke_until_done(&self, time: Duration) -> u32 {
        const INVOCATIONS_MAX: u32 = 50;
        for number in 1..=INVOCATIONS_MAX {
            let outcome = tokio::select! {
                biased;
                outcome = self.invoke(time) => Some(outcome),
                () = self.script.killed() => None,
            };
            match outcome {
                Some(Ok(WorkerStatus::Done)) => return number,
                Some(Ok(WorkerStatus::Yield)) | None => {}
                Some(Err(failure)) => assert!(
                    matches!(failure.code.name(), "Throttled" | "ServiceFault"),
                    "the state machine does not repeat {failure}"
                ),
            }
        }
        panic!("not done after {INVOCATIONS_MAX} invocations");
    }

    pub(crate) fn shard(&self) -> ShardRecord {
        self.ledger.shards(&run_id()).remove(0)
    }

    pub(crate) fn failures(&self) -> Vec<FailedObject> {
        let record = self.shard();
        let Some(key) = record.outcome.failures_key else {
            return Vec::new();
        };
        failure_list::decode(&self.control.body(&key).expect("the list exists"))
            .unwrap()
            .map(Result::unwrap)
            .filter(|failed| record.outcome.progress.is_settled(failed.index))
            .collect()
    }

    /// The code of a failed object.
    pub(crate) fn failure_of(&self, key: &str) -> &'static str {
        let failures = self.failures();
        let found = failures.iter().find(|failed| failed.key.as_str() == key);
        found.expect("it failed").code.name()
    }

    /// An object of the target.
    pub(crate) fn target(&self, key: &str) -> Option<StoredObject> {
        let objects = self.buckets.objects(TARGET).into_iter();
        let found = objects.into_iter().find(|(found, _)| found.as_str() == key);
        found.map(|(_, object)| object)
    }

    /// What is left, without what tells how it went: attempts, tokens, revisions, times and requests.
    pub(crate) fn remains(&self) -> Remains {
        let mut record = self.shard();
        record.attempts = 0;
        record.revision = 0;
        record.idle_yields = 0;
        record.begun_at = None;
        record.ended_at = None;
        record.samples = CopySamples::default();
        record.outcome.requests.clear();
        let keys = [
            &mut record.outcome.failures_key,
            &mut record.outcome.notes_key,
            &mut record.outcome.receipts_key,
        ];
        for key in keys {
            *key = key.take().map(|_| "there".into());
        }
        let written = self.buckets.objects(TARGET).into_iter();
        Remains {
            target: written
                .map(|(key, mut object)| {
                    object.modified_at = Timestamp::default();
                    (key.into(), object)
                })
                .collect(),
            record,
            failed: self
                .failures()
                .into_iter()
                .map(|failed| (failed.key.into(), failed.code.name()))
                .collect(),
        }
    }
}

/// A picture of this size, as PNG, in this colour.
pub(crate) fn picture(width: u32, height: u32, colour: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    let rows = vec![colour; width as usize * height as usize];
    writer.write_image_data(&rows).unwrap();
    writer.finish().unwrap();
    bytes
}

/// The width and height of a PNG.
pub(crate) fn size_of(png: &[u8]) -> (u32, u32) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

pub(crate) fn run_id() -> RunId {
    RunId::new("run-1").unwrap()
}

fn shard_id() -> ShardId {
    ShardId::new("1-0").unwrap()
}

fn execution() -> ExecutionArn {
    ExecutionArn::new("arn:aws:states:eu-central-1:111111111111:execution:sync:run-1").unwrap()
}

fn facts(owner: &str, region: &str) -> BucketFacts {
    BucketFacts {
        region: Region::new(region).unwrap(),
        owner: AccountId::new(owner).unwrap(),
    }
}
